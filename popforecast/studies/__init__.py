"""What the notebooks show, where it is too long for a cell: a module for each report."""

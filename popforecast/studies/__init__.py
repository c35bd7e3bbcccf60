"""Tables, charts and text of the report notebooks, with a module for each report."""

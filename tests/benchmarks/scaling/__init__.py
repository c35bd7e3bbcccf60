"""What the benchmark of scale runs and draws."""

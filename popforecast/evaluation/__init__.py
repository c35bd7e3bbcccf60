"""Forecast evaluation: scores, backtests, real-time vintages, comparison with other methods, and track records."""

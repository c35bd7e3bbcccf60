"""Notebooks -> reports: papermill runs them, each becomes one light page, and an index says what they found."""

from popforecast.reports.publication import Result, make_reports

__all__ = ["Result", "make_reports"]

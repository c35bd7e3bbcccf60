"""Notebooks -> reports: papermill runs them, each becomes one light page, and an index says what they found."""

from popforecast.reports.publication import Result, make_reports, plan_reports
from popforecast.reports.series import make_series

__all__ = ["Result", "make_reports", "make_series", "plan_reports"]

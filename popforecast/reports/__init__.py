"""Reports: notebooks run by papermill, published as light HTML pages with an index of findings."""

from popforecast.reports.publication import Result, make_reports, plan_reports
from popforecast.reports.series import make_series

__all__ = ["Result", "make_reports", "make_series", "plan_reports"]

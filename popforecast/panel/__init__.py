"""Panels: population of many locations over regular years, with their names, groups and sources."""

from popforecast.panel.checks import describe_years
from popforecast.panel.panel import COUNTRY, Panel, check_panel
from popforecast.panel.source import Source, Update

__all__ = ["COUNTRY", "Panel", "Source", "Update", "check_panel", "describe_years"]

"""Panels: population of many locations over regular years, with their names, groups and sources."""

from popforecast.panel.checks import describe_years
from popforecast.panel.components import Components
from popforecast.panel.kinds import check_panel
from popforecast.panel.panel import COUNTRY, Panel
from popforecast.panel.source import Source, Update

__all__ = ["COUNTRY", "Components", "Panel", "Source", "Update", "check_panel", "describe_years"]

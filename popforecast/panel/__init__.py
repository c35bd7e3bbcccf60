"""What a panel is: equally spaced totals of many locations, where they lie, and what belongs together."""

from popforecast.panel.checks import describe_years
from popforecast.panel.panel import COUNTRY, Panel, check_panel
from popforecast.panel.source import Source, Update

__all__ = ["COUNTRY", "Panel", "Source", "Update", "check_panel", "describe_years"]

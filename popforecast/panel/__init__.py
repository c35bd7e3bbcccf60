"""What a panel is: equally spaced totals of many locations, where they lie, and what belongs together."""

from popforecast.panel.panel import COUNTRY, Panel, Update, check_panel, describe_years
from popforecast.panel.source import Source

__all__ = ["COUNTRY", "Panel", "Source", "Update", "check_panel", "describe_years"]

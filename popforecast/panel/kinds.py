"""Type check of panels."""

from __future__ import annotations

from popforecast.errors import PanelError
from popforecast.panel.panel import Panel
from popforecast.panel.rectangles import UnevenPanel


def check_panel(panel: object) -> Panel:
    """Return an object if it is a panel.

    Raises
    ------
    PanelError
        If it is anything else, such as a DataFrame.
    """
    if isinstance(panel, UnevenPanel):
        raise PanelError(
            f"expected one Panel, got {panel!r}: take one of its .panels, or .common() for the years that all have"
        )
    if not isinstance(panel, Panel):
        raise PanelError(f"expected a Panel, got {type(panel).__name__}: make one with Panel.from_frame")
    return panel

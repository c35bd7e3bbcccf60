"""Charts of a profile: history and forecast, growth, and difference from the UN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.forecast import Chart, chart_forecast, draw_course
from popforecast.charts.lines import Course
from popforecast.charts.strokes import FAINT, Entry, Kind, list_key
from popforecast.charts.style import COLOURS, GREY, HEIGHT, Drawing, mark_origin, write_key
from popforecast.models.base import Array
from popforecast.session import get_session
from popforecast.studies.profile.figures import LEVEL, Profile, grow_yearly

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Courses(Drawing):
    """Chart of lines by year, with a key and an optional band.

    Attributes
    ----------
    courses : tuple of Course
    band : (ndarray, ndarray, ndarray) or None
        Years, and lower and upper values.
    origin : int
        Last year of estimates, marked if estimates are drawn.
    """

    courses: tuple[Course, ...]
    band: tuple[NDArray[np.int64], Array, Array] | None
    origin: int

    @property
    def height(self) -> float:
        """The height, less than that of the main chart, because only the shape matters."""
        return 0.75 * HEIGHT

    def paint(self, axes: Axes) -> None:
        """Draw the band, lines, origin mark and key."""
        if self.band is not None:
            axes.fill_between(*self.band, color=COLOURS[0], alpha=FAINT, linewidth=0)
        for course in self.courses:
            # Estimates and our forecast are joined in one line.
            draw_course(axes, course, COLOURS[course.kind is Kind.REFERENCE])
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.margins(x=0)
        if any(course.kind is Kind.ESTIMATES for course in self.courses):
            mark_origin(axes, self.origin)
        write_key(axes, self.list_key(), COLOURS[:2])

    def list_key(self) -> list[Entry]:
        """Return the entries of the key."""
        return list_key({course.kind for course in self.courses}, [] if self.band is None else [LEVEL])


def chart_history(profile: Profile) -> Chart:
    """Return the chart of history and forecast, with intervals and the UN medium variant."""
    medium = None if profile.medium is None else get_session(str(profile.panel.revision)).medium
    return chart_forecast(profile.forecast, medium=medium)


def chart_growth(profile: Profile) -> Courses:
    """Return the chart of annual growth: estimates, our forecast and the UN variant."""
    panel, origin = profile.panel, profile.panel.origin
    past, ahead = panel.years[1:], profile.years
    courses = [Course(Kind.ESTIMATES, past, grow_yearly(profile.history, panel.step))]
    for kind, persons in ((Kind.FORECAST, profile.median), (Kind.REFERENCE, profile.medium)):
        if persons is not None:
            growth = grow_yearly(np.append(profile.history[-1], persons), panel.step)
            # Starts at the last estimate, so that the lines are joined.
            joined = np.append(courses[0].values[-1], growth)
            # Growth is undefined once a path falls below zero.
            end = len(joined) if np.isfinite(joined).all() else int(np.argmin(np.isfinite(joined)))
            courses.append(Course(kind, np.append(origin, ahead)[:end], joined[:end]))
    title = f"Growth of {profile.name}"
    ends = "; ".join(f"{course.kind} {course.values[-1]:.2f} in {course.years[-1]}" for course in courses)
    return Courses(title, "percent a year", f"{title}, percent a year. {ends}.", tuple(courses), None, origin)


def chart_difference(profile: Profile) -> Courses | None:
    """Return the chart of the UN medium variant and our interval, as differences from our forecast in percent.

    None if no medium variant is embedded.
    """
    if profile.medium is None:
        return None
    # Percentages have no meaning once a path falls below zero.
    end = len(profile.years) if (profile.median > 0).all() else int(np.argmax(profile.median <= 0))
    years = profile.years[:end]
    lower, medium, upper = (
        100 * (values[:end] / profile.median[:end] - 1)
        for values in (profile.forecast.lower[LEVEL][0], profile.medium, profile.forecast.upper[LEVEL][0])
    )
    ours = Course(Kind.FORECAST, years, np.zeros(len(years)))
    title = f"UN medium variant compared with our forecast for {profile.name}"
    unit = "percent of our forecast"
    description = (
        f"{title}, {unit}, with our {LEVEL}% interval. In {years[-1]}: {medium[-1]:+.1f}, interval "
        f"{lower[-1]:+.1f} to {upper[-1]:+.1f}."
    )
    courses = (ours, Course(Kind.REFERENCE, years, medium))
    return Courses(title, unit, description, courses, (years, lower, upper), profile.panel.origin)

"""Age pyramid: population by sex and five-year age group in one year, with another year's outline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from popforecast.charts.lines import UNITS, choose_unit
from popforecast.charts.style import COLOURS, INK, WIDTH, Drawing
from popforecast.panel.age_ratios import share_ages
from popforecast.panel.components import AGES, SPAN
from popforecast.text import format_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The sexes from left to right, and their colours.
SIDES = ("Men", "Women")
SIDE_COLOURS = (COLOURS[0], COLOURS[1])

# Bars' share of their height, and line width of the outline.
BAR, OUTLINE = 0.88, 1.25

HEIGHT = 4.6

# Digits of the largest figure in tables and data.
DIGITS = 4


@dataclass(frozen=True, eq=False, repr=False)
class Pyramid(Drawing):
    """An age pyramid that is prepared but not yet drawn. Notebooks display it.

    Attributes
    ----------
    title, unit, description : str
        Texts; the description is the text alternative.
    year : int
        The year of the bars.
    persons : ndarray, shape (2, 21)
        Men and women by age in that year.
    compared : int or None
        The year of the outline.
    outline : ndarray, shape (2, 21), or None
    most : float
        Persons at the end of each side's axis, at least.
    """

    year: int
    persons: NDArray[np.int64]
    compared: int | None
    outline: NDArray[np.int64] | None
    most: float

    @property
    def height(self) -> float:
        """The default height, in inches."""
        return HEIGHT

    @property
    def divisor(self) -> float:
        """The unit of the axis in persons."""
        return next(size for size, unit in UNITS if unit == self.unit)

    def list_outline(self) -> list[tuple[float, float]]:
        """Return the corners of the outline, from the foot of the men's side over the top to that of the women's.

        Coordinates are persons, negative for men, and the number of age groups from the foot.
        """
        if self.outline is None:
            return []
        men, women = (list(_climb(side)) for side in self.outline.tolist())
        return [(-persons, at) for persons, at in men] + women[::-1]

    def paint(self, axes: Axes) -> None:
        """Draw men to the left and women to the right, and the other year as an outline."""
        at, end = np.arange(len(AGES)) + 0.5, self.most / self.divisor * 1.04
        for side, sign, name, colour in zip(self.persons, (-1, 1), SIDES, SIDE_COLOURS, strict=True):
            axes.barh(at, sign * side / self.divisor, height=BAR, color=colour, linewidth=0)
            axes.annotate(
                name,
                (0.5 + sign * 0.5, 1),
                xycoords="axes fraction",
                ha="left" if sign < 0 else "right",
                va="top",
                color=colour,
                fontweight="bold",
            )
        if self.outline is not None:
            x, y = np.array(self.list_outline()).T
            axes.plot(x / self.divisor, y, color=INK, linewidth=OUTLINE, label=f"outline: {self.compared}")
            self._write_key(axes)
        axes.axvline(0, color=INK, linewidth=0.6)
        axes.set_xlim(-end, end)
        axes.set_ylim(0, len(AGES))
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,g}")
        shown = range(0, len(AGES), 2)
        axes.set_yticks([k + 0.5 for k in shown], [name_age(AGES[k]) for k in shown])
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")

    def _write_key(self, axes: Axes) -> None:
        from matplotlib.patches import Patch

        bars = Patch(facecolor=COLOURS[-1], linewidth=0, label=f"bars: {self.year}")
        columns = 2 if axes.figure.get_figure(root=True).get_figwidth() >= WIDTH else 1
        handles = [bars, *axes.get_lines()[:1]]
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=columns, fontsize=8)


def chart_pyramid(
    name: str,
    counted: Mapping[int, NDArray[np.int64]],
    year: int,
    compared: int | None = None,
    origin: int | None = None,
    whole: bool = False,
) -> Pyramid:
    """Return the age pyramid of a location.

    Parameters
    ----------
    name : str
        The location.
    counted : mapping of int to ndarray, shape (2, 21)
        Men and women by age, by year.
    year, compared : int
        The years of the bars and of the outline.
    origin : int, optional
        The last year of estimates.
    whole : bool
        Whether the axis fits all years of `counted`, so that their pyramids can be compared.

    Examples
    --------
    >>> persons = np.full((2, 21), 1_000)
    >>> chart_pyramid("Niue", {2023: persons, 2050: 2 * persons}, 2050, 2023, 2023).description
    'Niue, age pyramid of 2050 (forecast) and 2023 (estimate): 38.1% are 65 or older in 2050, 38.1% in 2023.'
    """
    drawn = [year] if compared is None or compared == year else [year, compared]
    most = float(max(counted[each].max() for each in (counted if whole else drawn)))
    _, unit = choose_unit(most)
    kinds = {each: "" if origin is None else " (forecast)" if each > origin else " (estimate)" for each in drawn}
    shares = [
        f"{format_percent(float(share_ages(counted[each])), 1)} {'are 65 or older ' * (each == year)}in"
        for each in drawn
    ]
    told = ", ".join(f"{share} {each}" for share, each in zip(shares, drawn, strict=True))
    pictured = " and ".join(f"{each}{kind}" for each, kind in kinds.items())
    outline = counted[drawn[1]] if len(drawn) > 1 else None
    return Pyramid(
        f"Population of {name} by age and sex, {year}",
        unit,
        f"{name}, age pyramid of {pictured}: {told}.",
        year,
        counted[year],
        drawn[1] if len(drawn) > 1 else None,
        outline,
        most,
    )


def choose_rounding(counted: Mapping[int, NDArray[np.int64]]) -> int:
    """Return the number of persons, a power of ten, to which all ages of these years are rounded: four digits at most.

    Examples
    --------
    >>> choose_rounding({2023: np.full((2, 21), 1_900_000)}), choose_rounding({2023: np.full((2, 21), 500)})
    (1000, 1)
    """
    largest = max(int(persons.max()) for persons in counted.values())
    return 10 ** max(len(str(largest)) - DIGITS, 0)


def name_age(first: int) -> str:
    """Return the name of an age group.

    Examples
    --------
    >>> name_age(0), name_age(100)
    ('0–4', '100+')
    """
    return f"{first}+" if first == AGES[-1] else f"{first}–{first + SPAN - 1}"


def _climb(side: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield the corners of one side's outline, from the foot to the top."""
    for at, persons in enumerate(side):
        yield persons, at
        yield persons, at + 1
    yield 0, len(side)

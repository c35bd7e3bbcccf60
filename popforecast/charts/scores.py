"""Other charts of the reports: scores by horizon, actual and nominal coverage, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from popforecast.charts.lettering import clean
from popforecast.charts.style import COLOURS, DOTTED, GREY, JOINED, WIDTH, Drawing, label_ends
from popforecast.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR_HEIGHT = 0.28

# Names of the measures in titles, and their units.
MEASURES = {
    "mape": ("Mean absolute error", "percent of the outcome"),
    "median_ape": ("Median absolute error", "percent of the outcome"),
    "mase": ("Mean absolute scaled error", "times the usual change in a year"),
    "wis": ("Weighted interval score", "percent of the outcome"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Curves(Drawing):
    """One line per column of a table, over its index, with nominal levels as dotted lines.

    Attributes
    ----------
    table : DataFrame
        Index: horizons. Columns: lines.
    targets : tuple of (float, str)
        Nominal levels and their names.
    top : float or None
        Upper end of the axis (default: from the values).
    """

    table: pd.DataFrame
    targets: Sequence[tuple[float, str]] = ()
    top: float | None = None

    def paint(self, axes: Axes) -> None:
        """Draw the lines, each labelled at its end."""
        for height, name in self.targets:
            axes.axhline(height, color=GREY, linewidth=1, linestyle=DOTTED)
            axes.annotate(clean(name), (self.table.index[0], height), (0, 3), textcoords="offset points", fontsize=8)
        for colour, (_, values) in zip(cycle(COLOURS), self.table.items(), strict=False):
            axes.plot(self.table.index, values, color=colour, linewidth=1.8, marker="o", markersize=4, clip_on=False)
        axes.set_ylim(0, self.top)
        axes.set_xlim(self.table.index[0], self.table.index[-1])
        axes.set_xticks(self.table.index)
        axes.set_xlabel("years after the origin")
        last = self.table.index[-1]
        ends = zip(self.table.columns, self.table.iloc[-1], cycle(COLOURS), strict=False)
        label_ends(axes, [(str(name), last, value, colour) for name, value, colour in ends])


@dataclass(frozen=True, eq=False, repr=False)
class Bars(Drawing):
    """One horizontal bar per row of a series, from top to bottom, labelled with its value.

    Attributes
    ----------
    values : Series
        Values, indexed by label.
    digits : int
        Number of decimals in the labels of the bars.
    """

    values: pd.Series
    digits: int = 1

    @property
    def height(self) -> float:
        """The height needed for the number of bars, in inches."""
        return 0.7 + BAR_HEIGHT * len(self.values)

    def paint(self, axes: Axes) -> None:
        """Draw the bars, with negative values in the second colour."""
        heights = self.values.to_numpy(float)
        places = np.arange(len(heights))[::-1]
        bars = axes.barh(places, heights, color=np.where(heights < 0, COLOURS[1], COLOURS[0]), height=0.7)
        written = [f"{height:,.{self.digits}f}".replace("-", "−") for height in heights]
        axes.bar_label(bars, written, padding=4, fontsize=9)
        axes.set_yticks(places, [clean(str(label)) for label in self.values.index])
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.axvline(0, color=GREY, linewidth=0.8)
        # Space for the values: the font size is fixed, so they take a larger share of a narrow figure.
        axes.margins(x=(WIDTH / axes.figure.get_figure(root=True).get_figwidth()) ** 1.5 * 0.12, y=0.02)


@dataclass(frozen=True, eq=False, repr=False)
class Dots(Drawing):
    """One line per row of a table with a dot per column, under a heading for each group of rows.

    Attributes
    ----------
    table : DataFrame
        Indexed by group and label; the columns name the dots. NaN omits a dot.
    targets : tuple of float
        Nominal levels, one per column, drawn as dotted lines.
    right : float or None
        Right end of the axis (default: from the values).
    """

    table: pd.DataFrame
    targets: Sequence[float] = ()
    right: float | None = None

    @property
    def _places(self) -> tuple[np.ndarray, dict[str, float]]:
        groups = self.table.index.get_level_values(0)
        turns = np.r_[True, groups[1:] != groups[:-1]]
        places = -(np.arange(len(groups)) + np.cumsum(turns)).astype(float)
        return places, dict(zip(groups[turns], places[turns] + 0.9, strict=True))

    @property
    def height(self) -> float:
        """The height needed for the number of rows, in inches."""
        return 0.9 - BAR_HEIGHT * float(self._places[0].min())

    def paint(self, axes: Axes) -> None:
        """Draw the dots, joined by a thin line in each row, with a legend above."""
        places, headings = self._places
        for target, colour in zip(self.targets, cycle(COLOURS), strict=False):
            axes.axvline(target, color=colour, linewidth=1, linestyle=DOTTED)
        low, high = self.table.min(axis=1), self.table.max(axis=1)
        axes.hlines(places, low, high, color=GREY + JOINED, linewidth=1.2)
        for (name, values), colour, marker in zip(self.table.items(), cycle(COLOURS), cycle("oDs^"), strict=False):
            label = clean(str(name))
            axes.scatter(values, places, color=colour, marker=marker, s=30, label=label, zorder=3, clip_on=False)
        beside = axes.get_yaxis_transform(which="grid")
        for heading, place in headings.items():
            axes.annotate(clean(str(heading)), (0, place), (4, 0), beside, "offset points", va="center", fontsize=9)
        axes.set_yticks(places, [clean(str(label)) for label in self.table.index.get_level_values(1)])
        axes.set_ylim(places.min() - 0.6, 0.5)
        axes.set_xlim(0, self.right)
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(self.table.columns), fontsize=9, borderpad=0)


def chart_scores(scores: pd.DataFrame, measure: str = "mape", lines: str = "model") -> Curves:
    """Return the chart of a measure by horizon, with one line per model.

    Parameters
    ----------
    scores : DataFrame
        As returned by :meth:`popforecast.Backtest.scores`.
    measure : str
        One of its columns.
    lines : str
        The column with the names of the lines, such as the region in the scores of one model by region.

    Raises
    ------
    InputError
        If the scores do not include the measure.
    """
    table = _by_horizon(scores, measure, lines)
    name, unit = MEASURES.get(measure, (measure, "percent"))
    ends = "; ".join(f"{model} {value:.3g}" for model, value in table.iloc[-1].items())
    title = f"{name} by horizon"
    return Curves(title, unit, f"{title}, {unit}. {table.index[-1]} years after the origin: {ends}.", table)


def chart_coverage(scores: pd.DataFrame, levels: Sequence[float] = (80, 95)) -> Curves:
    """Return the chart of the coverage of each model's intervals, compared with the nominal level.

    Raises
    ------
    InputError
        If the scores have no coverage at a level.
    """
    tables = {level: _by_horizon(scores, f"coverage_{level:g}") for level in levels}
    table = pd.concat(
        {f"{model}, {level:g}%": table[model] for level, table in tables.items() for model in table}, axis=1
    )
    ends = "; ".join(f"{name}: {value:.0f}" for name, value in table.iloc[-1].items())
    title = "Outcomes within the intervals"
    description = f"{title}, percent, by horizon. {table.index[-1]} years after the origin, nominal and actual: {ends}."
    return Curves(title, "percent", description, table, [(level, f"nominal: {level:g}%") for level in levels], 100)


def chart_bars(values: pd.Series, title: str, unit: str, digits: int = 1) -> Bars:
    """Return a bar chart of a series, labelled by its index.

    Raises
    ------
    InputError
        If the series is empty.
    """
    if values.empty:
        raise InputError(f"{title}: no value to draw, expected at least one")
    each = "; ".join(f"{label} {value:,.{digits}f}" for label, value in values.items())
    return Bars(title, unit, f"{title}, {unit}: {each}.", values, digits)


def chart_sources(scores: pd.DataFrame, basis: str = "rebased") -> Dots:
    """Return the chart of the mean and median error of each source, by vintage and year.

    Parameters
    ----------
    scores : DataFrame
        As returned by :meth:`popforecast.evaluation.vintages.Vintages.scores`, with a column ``vintage``.
    basis : {"raw", "rebased"}

    Raises
    ------
    InputError
        If the scores do not include the basis.
    """
    columns = {"median_ape": "median", "mape": "mean"}
    table = _by_source(scores, basis)[list(columns)].rename(columns=columns)
    each = "; ".join(
        f"{group}, {source}: {mean:.2f} and {median:.2f}" for (group, source), (median, mean) in _rows(table)
    )
    title = f"Absolute error of each source, {basis}"
    unit = "percent of the outcome"
    return Dots(title, unit, f"{title}, {unit}, mean and median. {each}.", table)


def chart_bounds(scores: pd.DataFrame, basis: str = "raw", levels: Sequence[float] = (80, 95)) -> Dots:
    """Return the chart of the coverage of each source by vintage and year, with nominal levels as dotted lines.

    Raises
    ------
    InputError
        If the scores do not include the basis, or no source has bounds.
    """
    table = _by_source(scores, basis)[[f"coverage_{level:g}" for level in levels]].dropna(how="all")
    if table.empty:
        raise InputError("no source has bounds at these levels: expected at least one")
    table.columns = [f"{level:g}% bounds" for level in levels]
    each = "; ".join(
        f"{group}, {source}: {' and '.join(f'{value:.0f}' for value in held)}" for (group, source), held in _rows(table)
    )
    title = f"Outcomes within the bounds, {basis}"
    description = f"{title}, percent; nominal {' and '.join(f'{level:g}' for level in levels)}. {each}."
    return Dots(title, "percent", description, table, levels, 100)


def _by_source(scores: pd.DataFrame, basis: str) -> pd.DataFrame:
    kept = scores[scores["basis"] == basis]
    if kept.empty:
        raise InputError(f"basis {basis!r}: expected one of {', '.join(scores['basis'].unique())}")
    groups = kept["vintage"] + ", " + kept["year"].astype(str)
    return kept.set_index([groups, kept["source"]])


def _rows(table: pd.DataFrame) -> list[tuple[tuple[str, str], list[float]]]:
    return list(zip(table.index, table.to_numpy().tolist(), strict=True))


def _by_horizon(scores: pd.DataFrame, measure: str, lines: str = "model") -> pd.DataFrame:
    measures = [column for column in scores.columns if column not in ("model", "horizon", "n", lines)]
    if measure not in measures:
        raise InputError(f"measure {measure!r}: expected one of {', '.join(measures)}")
    return scores.pivot(index="horizon", columns=lines, values=measure)[scores[lines].unique()]

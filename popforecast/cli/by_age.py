"""Commands for population by age, and for births, deaths and net migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
import pandas as pd

import popforecast as pf
from popforecast.charts.lettering import clean
from popforecast.charts.pyramid import name_age
from popforecast.cli.options import format_option, revision_option
from popforecast.cli.parsing import Parsed, parse_years
from popforecast.cli.printing import write_foot, write_table
from popforecast.errors import InputError
from popforecast.forecasting.result import write_csv
from popforecast.models import Cohort
from popforecast.panel.age_ratios import OLD, tabulate_ratios
from popforecast.panel.years import DEFAULT_STEPS
from popforecast.text import format_percent

WHOLE = "Persons, without a range"


years_option = click.option(
    "--years", type=Parsed("years", parse_years), metavar="YEARS", help="Years, such as 2050, 2030,2050 or 2030:2050:5."
)


@click.command()
@click.argument("locations", nargs=-1, required=True, metavar="LOCATION...")
@years_option
@revision_option
@format_option
def ages(locations: Sequence[str], years: list[int] | None, revision: str, form: str) -> None:
    """Forecast population by sex and five-year age group (model: cohort).

    Default: the last year of estimates, and ten years later. Ages of earlier years exist for every fifth year.

    \b
    Example:
      popforecast ages KOR --years 2050
      popforecast ages KOR Japan --years 2030:2050:5 --format csv
    """
    panel = pf.load_panel(revision)
    fc, chosen = _forecast(panel, locations, years or [panel.origin, panel.origin + DEFAULT_STEPS])
    rows = fc.ages()
    rows = rows[rows["year"].isin(chosen)]
    if rows.empty:
        raise InputError(f"no ages exist for these years: expected every fifth year, or {panel.origin} or later")
    click.echo(_write(fc, rows, form, _list_ages), nl=form == "table")


@click.command()
@click.argument("locations", nargs=-1, required=True, metavar="LOCATION...")
@years_option
@revision_option
@format_option
def components(locations: Sequence[str], years: list[int] | None, revision: str, form: str) -> None:
    """Forecast births, deaths and net migration (model: cohort).

    Those of a year are from 1 July of the year before. Default: the ten years after the last estimate.

    \b
    Example:
      popforecast components KOR --years 2024:2050
    """
    panel = pf.load_panel(revision)
    fc, chosen = _forecast(panel, locations, years or [*range(panel.origin + 1, panel.origin + DEFAULT_STEPS + 1)])
    rows = fc.components()
    rows = rows[rows["year"].isin(chosen)]
    if rows.empty:
        raise InputError(f"these years are estimates: expected a year after {panel.origin}")
    click.echo(_write(fc, rows, form, _list_flows), nl=form == "table")


def _forecast(panel: pf.Panel, locations: Sequence[str], years: Sequence[int]) -> tuple[pf.Forecast, Sequence[int]]:
    return pf.forecast(panel, locations, min(years), max(years), Cohort(), levels=()), years


def _write(fc: pf.Forecast, rows: pd.DataFrame, form: str, list_lines: Callable[[pd.DataFrame], Iterator[str]]) -> str:
    if form == "csv":
        provenance = {name: value for name, value in fc.provenance.items() if name != "intervals"}
        return write_csv(rows, provenance, fc.citation, fc.notes)
    if form == "json":
        return write_table(rows, form)
    return "\n".join([*list_lines(rows), *write_foot(fc.describe(), False, WHOLE)])


def _list_ages(rows: pd.DataFrame) -> Iterator[str]:
    for (name, year), block in rows.groupby(["location", "year"], sort=False):
        total, (old,) = block["population"].sum(), tabulate_ratios(block)["share_65_plus"]
        yield f"{clean(str(name))}, {year}: {total:,}, of whom {format_percent(old, 1)} are {OLD} or older"
        wide = block.pivot(index="age", columns="sex", values="population").sort_index(ascending=False)
        yield from _align([["Age", "Men", "Women"], *([name_age(a), f"{m:,}", f"{w:,}"] for a, m, w in _read(wide))])


def _read(wide: pd.DataFrame) -> list[tuple[int, int, int]]:
    return list(zip(wide.index.tolist(), wide["M"].tolist(), wide["F"].tolist(), strict=True))


def _list_flows(rows: pd.DataFrame) -> Iterator[str]:
    for name, block in rows.groupby("location", sort=False):
        yield clean(str(name))
        figures = block[["year", "births", "deaths", "net_migration"]].to_numpy().tolist()
        cells: list[list[Any]] = [["Year", "Births", "Deaths", "Net migration"]]
        yield from _align(
            cells + [[str(year), *(f"{n:,}".replace("-", "−") for n in flows)] for year, *flows in figures]
        )


def _align(lines: list[list[Any]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))

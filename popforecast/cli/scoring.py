"""Commands that score forecasts: at past origins on today's data, and from old editions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

import popforecast as pf
from popforecast.cli.data import OwnData, is_given, open_panel, take_data
from popforecast.cli.options import format_option, level_option, revision_option
from popforecast.cli.parsing import Parsed, parse_names, parse_steps, parse_years
from popforecast.cli.printing import write_table
from popforecast.evaluation.backtesting import HORIZONS
from popforecast.evaluation.real_time import LEVEL, MODELS, WITH_UN, relate_to_medium
from popforecast.evaluation.vintages import BOTH, KINDS, compare_vintages
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.readers.archive import read_archive
from popforecast.text import VINTAGE_INTERVALS
from popforecast.wpp.editions import DEFAULT_REVISION, VINTAGES

RATIOS = (
    "Mean and median error of growth (rebased) divided by that of the UN's medium variant: below 1, the model was "
    f"closer.\nIntervals ({LEVEL}%) from a bootstrap over countries; all: the mean of the ratios above it. Years "
    "between\nfive-yearly figures are interpolated with constant growth, for the UN too.\n"
    f"{WITH_UN}: the mean of our default model and the UN's medium variant, in logs. It has no backtest,\nbecause "
    "there are no projections of the UN at past origins of one edition."
)


@click.command()
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@click.option(
    "--models",
    "names",
    type=Parsed("names", parse_names),
    default=",".join(pf.models.MODELS),
    show_default=True,
    help="Names separated by commas.",
)
@click.option("--origins", type=Parsed("years", parse_years), help="first:last:step, or years separated by commas.")
@click.option("--horizons", type=Parsed("steps", parse_steps), default=",".join(map(str, HORIZONS)), show_default=True)
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["origin", "region", "location"]),
    help="Also break scores down by this; may be repeated.",
)
@revision_option
@take_data
@level_option
@format_option
def backtest(
    locations: Sequence[str],
    names: list[str],
    origins: list[int] | None,
    horizons: list[int],
    by: Sequence[str],
    revision: str,
    levels: Sequence[float],
    form: str,
    own: OwnData | None,
) -> None:
    """Score models at past origins, on today's data, for LOCATIONs (default: every country and area).

    \b
    Example:
      popforecast backtest --models ar1,naive --origins 1988:2022:5 --horizons 1,3,5,10,20 --format csv
    """
    panel = open_panel(own, revision)
    everyone = panel.countries() if own is None and isinstance(panel, pf.Panel) else panel
    chosen = (panel.select(locations) if locations else everyone).locations.index.tolist()
    # Run on the whole panel, so that the choice of locations changes no forecast and aggregates have their countries.
    result = pf.backtest(panel, names, origins, horizons, levels or DEFAULT_LEVELS)
    click.echo(write_table(result.scores(chosen, by), form), nl=form == "table")
    if form == "table":
        click.echo(f"\n{len(chosen)} locations of {repr(result)[1:-1]}; in percent, except n and mase")


@click.command()
@click.option(
    "--revision",
    "vintage",
    default="wpp2012",
    show_default=True,
    help=f"The edition to forecast from: {', '.join([*VINTAGES, *pf.REVISIONS])}.",
)
@click.option(
    "--data",
    "path",
    type=click.Path(path_type=Path),
    help="Another edition, from a file: WPP<revision>-CSV-data.zip of the UN's archive, or a CSV.",
)
@click.option(
    "--until",
    type=int,
    metavar="YEAR",
    help="With --data: the last year of estimates, where the file does not say it.",
)
@click.option("--truth", default=DEFAULT_REVISION, show_default=True, help="The edition to evaluate against.")
@click.option(
    "--models",
    "names",
    type=Parsed("names", parse_names),
    default=",".join(MODELS),
    show_default=True,
    help="Names separated by commas. With --data of a file without rates the default is panel-ar.",
)
@click.option(
    "--intervals",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    default=BOTH,
    show_default=True,
    help="What our intervals allow for: revisions published by then, later ones too, or none; may be repeated.",
)
@click.option(
    "--ratios",
    is_flag=True,
    help="Print errors of growth divided by the UN's instead, for every vintage and pooled, with 90% intervals.",
)
@level_option
@format_option
def vintages(
    vintage: str,
    path: Path | None,
    until: int | None,
    truth: str,
    names: list[str],
    kinds: Sequence[str],
    ratios: bool,
    levels: Sequence[float],
    form: str,
) -> None:
    """Score our forecasts from an old edition, and the UN's medium variant, against a later edition.

    \b
    Example:
      popforecast vintages --revision wpp2012 --truth wpp2024 --format csv
      popforecast vintages --data WPP2000-CSV-data.zip
    """
    context = click.get_current_context()
    if ratios:
        if any(is_given(context, name) for name in ("vintage", "path", "until", "kinds", "levels")):
            raise click.UsageError("--ratios pools vintages: expected no --revision, --data, --intervals or --level")
        table = relate_to_medium(truth=truth, models=names)
        if form != "table":
            click.echo(write_table(table, form), nl=False)
            return
        table["year"] = table["year"].astype("string").fillna("")
        click.echo(f"{write_table(table, form)}\n\n{RATIOS}")
        return
    if until is not None and path is None:
        raise click.UsageError("--until needs a file: add --data")
    opened, projections = (vintage, None) if path is None else _open_archive(path, until)
    # A file without rates has another default model.
    by_age = isinstance(opened, str) or pf.models.cohort.knows_ages(opened.countries())
    models = names if by_age or is_given(context, "names") else None
    result = compare_vintages(opened, truth, models, levels or DEFAULT_LEVELS, projections, intervals=kinds)
    scores = result.scores()
    click.echo(write_table(scores, form), nl=form == "table")
    if form == "table":
        click.echo(f"\n{repr(result)[1:-1]}; in percent, except n")
        for kind, meaning in VINTAGE_INTERVALS.items():
            if kind in set(scores["intervals"]):
                click.echo(f"{kind}: {meaning}.")


def _open_archive(path: Path, until: int | None) -> tuple[pf.Panel, pd.DataFrame | None]:
    """Return the estimates and the medium variant of a file; its notes go to standard error."""
    if is_given(click.get_current_context(), "vintage"):
        raise click.UsageError("--data and --revision: expected only one of them")
    archive = read_archive(path, until)
    for note in archive.notes:
        click.echo(f"note: {note}", err=True)
    return archive.panel, None if archive.projections.empty else archive.projections

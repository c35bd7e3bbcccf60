"""Commands that forecast, and that save a fitted model."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import popforecast as pf
from popforecast import scale
from popforecast.cli.data import OwnData, is_given, open_panel, part_groups, take_data
from popforecast.cli.options import (
    fertility_option,
    folder_path,
    format_option,
    from_option,
    level_option,
    migration_option,
    model_option,
    mortality_option,
    npz_path,
    revision_option,
    to_option,
)
from popforecast.cli.printing import write_forecast
from popforecast.errors import MOST_NAMED
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.forecasting.milestones import USUAL_LEVEL
from popforecast.models import BY_AGE
from popforecast.models.base import Fitted
from popforecast.panel import check_panel
from popforecast.question import PARAMETERS
from popforecast.question.reading import Given
from popforecast.scale import ENGINES, ON_ERROR
from popforecast.text import join_words
from popforecast.wpp.editions import get_edition

# Options that do not apply to forecasts written in parts.
ELSEWHERE = ("locations", "group", "name", "where", "decimal", "incomplete", "intervals", "fitted", "form")

HELP = f"""Forecast LOCATIONs: codes, ISO3 codes, names or aliases (default: every location).

The table shows the {USUAL_LEVEL}% range (unless --level is given) and the UN's medium variant, if the revision has one.
CSV and JSON have the {join_words([f"{level}%" for level in DEFAULT_LEVELS])} ranges.

\b
Example:
  popforecast forecast WORLD "More developed regions" --from 2030 --to 2035 --model ar1 --revision wpp2019
  popforecast forecast --data my.csv --id fips --time year --value pop 01001 --from 2030 --to 2035
  popforecast forecast --data big.parquet --id fips --time year --value pop --engine dask --output out.parquet
"""


@click.command(help=HELP)
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@from_option
@to_option
@model_option
@revision_option
@take_data
@click.option(
    "--output",
    type=folder_path,
    help="For --data with a sorted Parquet file or folder: write the forecast of all series to this folder, in parts.",
)
@click.option(
    "--engine", type=click.Choice(ENGINES), default="local", help="With --output: the engine for the computation."
)
@click.option("--scheduler", metavar="ADDRESS", help="Address of a Dask scheduler. Default: a cluster on this machine.")
@click.option("--workers", type=click.IntRange(min=1), help="Number of threads, or of cluster workers on this machine.")
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default="raise",
    help="Stop at a series that cannot be forecast, or skip it and list it in the manifest.",
)
@level_option
@click.option(
    "--intervals",
    type=click.Choice(["real-time", "final"]),
    help="Whether intervals allow for later UN revisions (default), or not (final; default with --data).",
)
@fertility_option
@migration_option
@mortality_option
@click.option("--fitted", type=npz_path, help="A model saved by `popforecast fit`, in place of --model.")
@format_option
@click.pass_context
def forecast(
    ctx: click.Context,
    locations: Sequence[str],
    start: int | None,
    end: int | None,
    model: str | None,
    revision: str,
    levels: Sequence[float],
    intervals: str | None,
    fitted: Path | None,
    form: str,
    own: OwnData | None,
    output: Path | None,
    fertility: str | None,
    migration: str | None,
    mortality: str | None,
    **parts: Any,
) -> None:
    """Print a forecast as a table, CSV or JSON, or write it in parts."""
    if output is not None:
        write_parts(ctx, own, output, start=start, end=end, model=model, levels=levels or DEFAULT_LEVELS, **parts)
        return
    for name in parts:
        if is_given(ctx, name):
            raise click.UsageError(f"--{name.replace('_', '-')} is only for forecasts in parts: add --output FOLDER")
    if fitted and is_given(ctx, "model"):
        raise click.UsageError("--fitted already sets the model: leave out --model")
    panel = open_panel(own, revision)
    scenario = {
        name: PARAMETERS[name].read([text], Given(revision, model or BY_AGE))
        for name, text in (("fertility", fertility), ("migration", migration), ("mortality", mortality))
        if text is not None
    }
    if scenario and fitted:
        raise click.UsageError(f"--fitted already sets the model: leave out --{next(iter(scenario))}")
    chosen: str | Fitted | pf.Model | None = pf.Cohort(**scenario) if scenario else model
    if fitted:
        if not isinstance(panel, pf.Panel):
            raise click.UsageError("--fitted needs locations with the same years, but here they differ: use --model")
        chosen = pf.load_fit(fitted, panel)
    wanted = levels or ((USUAL_LEVEL,) if form == "table" else DEFAULT_LEVELS)
    asked, groups = part_groups(panel, locations) if own else (locations or None, None)
    result = pf.forecast(panel, asked, start, end, chosen, wanted, intervals, groups)
    if form == "json":
        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    elif form == "csv":
        click.echo(result.to_csv(), nl=False)
    else:
        has_medium = own is None and get_edition(revision).has_projections
        click.echo(write_forecast(result, pf.load_projections(revision) if has_medium else None))


def write_parts(ctx: click.Context, own: OwnData | None, output: Path, **asked: Any) -> None:
    """Forecast a file into a folder by :func:`popforecast.scale.forecast`, and print a summary."""
    if own is None:
        raise click.UsageError("--output needs your own data: add --data with a Parquet file or folder")
    for name in ELSEWHERE:
        if is_given(ctx, name):
            option = {"locations": "LOCATION", "form": "--format"}.get(name, f"--{name}")
            raise click.UsageError(f"{option} cannot be used with --output, which forecasts every series")
    # Like Ctrl-C: workers are stopped, and finished parts are kept.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    columns = {name: getattr(own, name) for name in ("id", "time", "value") if getattr(own, name)}
    made = scale.forecast(own.path, output, **columns, **asked, progress=True)
    for skipped in made.skipped[:MOST_NAMED]:
        series = "" if skipped.location_code is None else f"partition {skipped.partition}: {skipped.location_code!r} "
        click.echo(f"left out: {series}{skipped.reason}", err=True)
    if len(made.skipped) > MOST_NAMED:
        click.echo(f"left out: {len(made.skipped) - MOST_NAMED:,} more, listed in the manifest", err=True)
    click.echo(
        f"{output}: {made.series:,} series, {made.rows:,} rows in {len(made.done)} parts; {made.noted:,} have a note"
    )


@click.command()
@model_option
@revision_option
@take_data
@click.option("--output", type=npz_path, required=True, help="File to save it to, ending in .npz.")
def fit(model: str | None, revision: str, output: Path, own: OwnData | None) -> None:
    """Fit a model to every location and save it, together with a JSON manifest.

    \b
    Example:
      popforecast fit --model ar1 --revision wpp2024 --output model.npz
      popforecast forecast NGA --from 2030 --to 2035 --fitted model.npz
    """
    fitted = pf.fit(check_panel(open_panel(own, revision)), model)
    path = pf.save_fit(fitted, output)
    click.echo(f"{path} and {path.with_suffix('.json').name}: {fitted.model.name}, {len(fitted.codes)} locations")

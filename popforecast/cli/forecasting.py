"""The commands that forecast, and that keep a fitted model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

import popforecast as pf
from popforecast.cli.data import OwnData, open_panel, part_groups, take_data
from popforecast.cli.options import (
    format_option,
    from_option,
    level_option,
    model_option,
    npz_path,
    revision_option,
    to_option,
)
from popforecast.cli.outputs import take_output
from popforecast.cli.printing import write_forecast
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.forecasting.milestones import USUAL_LEVEL
from popforecast.wpp.editions import get_edition


@click.command()
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@from_option
@to_option
@model_option
@revision_option
@take_data
@take_output
@level_option
@click.option(
    "--intervals",
    type=click.Choice(["real-time", "final"]),
    help="Whether they hold what a later revision will publish (default), or final figures (default with --data).",
)
@click.option("--fitted", type=npz_path, help="A model saved by `popforecast fit`, instead of --model.")
@format_option
@click.pass_context
def forecast(
    ctx: click.Context,
    locations: Sequence[str],
    start: int | None,
    end: int | None,
    model: str,
    revision: str,
    levels: Sequence[float],
    intervals: str | None,
    fitted: Path | None,
    form: str,
    own: OwnData | None,
) -> None:
    """Forecast LOCATIONs: codes, ISO3 codes, names or aliases (default: every location).

    A table has the 80% range, unless --level says otherwise, and the UN's own medium variant where the revision has
    one. CSV and JSON have the 80% and 95% ranges.

    \b
    Example:
      popforecast forecast WORLD "More developed regions" --from 2030 --to 2035 --model ar1 --revision wpp2019
      popforecast forecast --data my.csv --id fips --time year --value pop 01001 --from 2030 --to 2035
      popforecast forecast --data big.parquet --id fips --time year --value pop --engine dask --output out.parquet
    """
    if fitted and ctx.get_parameter_source("model") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--fitted names a model already: leave --model out")
    panel = open_panel(own, revision)
    if fitted and not isinstance(panel, pf.Panel):
        raise click.UsageError("--fitted is a model of one panel, and locations have different years here: use --model")
    chosen = pf.load_fit(fitted, panel) if fitted else model
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


@click.command()
@model_option
@revision_option
@take_data
@click.option("--output", type=npz_path, required=True, help="Where to save it: a name ending in .npz.")
def fit(model: str, revision: str, output: Path, own: OwnData | None) -> None:
    """Fit a model to every location and save it, with a JSON manifest beside it.

    \b
    Example:
      popforecast fit --model ar1 --revision wpp2024 --output model.npz
      popforecast forecast NGA --from 2030 --to 2035 --fitted model.npz
    """
    fitted = pf.fit(open_panel(own, revision), model)
    path = pf.save_fit(fitted, output)
    click.echo(f"{path} and {path.with_suffix('.json').name}: {fitted.model.name}, {len(fitted.codes)} locations")

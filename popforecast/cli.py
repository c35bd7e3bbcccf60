"""The command line: parsing and printing only."""

from __future__ import annotations

import errno
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

import popforecast as pf
from popforecast.backtest import HORIZONS
from popforecast.display import format_population
from popforecast.errors import PopforecastError
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.options import OwnData, open_panel, part_groups, take_data
from popforecast.outputs import take_output
from popforecast.parsing import Parsed, parse_group, parse_names, parse_steps, parse_years
from popforecast.printing import write_forecast, write_table
from popforecast.sources import DEFAULT_REVISION, VINTAGES
from popforecast.vintages import compare

# What only some commands need, and the extra that brings it.
OPTIONAL = {
    **dict.fromkeys(("papermill", "nbconvert", "nbformat", "nbclient", "statsmodels"), "'popforecast[reports]'"),
    **dict.fromkeys(("dask", "distributed", "pyarrow"), "'popforecast[scale]'"),
}


class Commands(click.Group):
    """A group whose commands end in one sentence, not in a traceback, when the input is bad."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a person can mend becomes an error message and exit status 1."""
        try:
            return super().invoke(ctx)
        except PopforecastError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name in OPTIONAL:
                raise click.ClickException(
                    f"{error.name} is not installed: pip install {OPTIONAL[error.name]}"
                ) from error
            raise
        except OSError as error:
            # Click itself ends in silence when a reader, such as head, has seen enough.
            if error.errno == errno.EPIPE:
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


revision_option = click.option(
    "--revision", default=DEFAULT_REVISION, show_default=True, help=f"One of {', '.join(pf.REVISIONS)}."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)
model_option = click.option(
    "--model", default=DEFAULT_MODEL, show_default=True, help=f"One of {', '.join(pf.models.MODELS)}."
)
from_option = click.option("--from", "start", type=int, metavar="YEAR", help="First year. Default: after the origin.")
to_option = click.option("--to", "end", type=int, metavar="YEAR", help="Last year. Default: ten years on.")
level_option = click.option(
    "--level", "levels", multiple=True, type=float, help="Coverage of an interval in percent; may be repeated."
)
npz_path = click.Path(dir_okay=False, path_type=Path)
folder_path = click.Path(file_okay=False, path_type=Path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(pf.__version__, message="popforecast %(version)s")
def main() -> None:
    """Forecast the population of every country and region from past population."""


@main.command()
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
    chosen = pf.load(fitted, panel) if fitted else model
    wanted = levels or (() if form == "table" else DEFAULT_LEVELS)
    asked, groups = part_groups(panel, locations) if own else (locations or None, None)
    result = pf.forecast(panel, asked, start, end, chosen, wanted, intervals, groups)
    if form == "json":
        click.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    elif form == "csv":
        click.echo(result.to_csv(), nl=False)
    else:
        click.echo(write_forecast(result))


@main.command()
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@click.option(
    "--models",
    "names",
    type=Parsed("names", parse_names),
    default=",".join(pf.models.MODELS),
    show_default=True,
    help="Names parted by commas.",
)
@click.option("--origins", type=Parsed("years", parse_years), help="first:last:step, or years parted by commas.")
@click.option("--horizons", type=Parsed("steps", parse_steps), default=",".join(map(str, HORIZONS)), show_default=True)
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["origin", "region", "location"]),
    help="Score apart by this; may be repeated.",
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
    """Score models at past origins, on today's figures, for LOCATIONs (default: every country and area).

    \b
    Example:
      popforecast backtest --models ar1,naive --origins 1988:2022:5 --horizons 1,3,5,10,20 --format csv
    """
    panel = open_panel(own, revision)
    everyone = panel if own else panel.countries()
    chosen = (panel.select(locations) if locations else everyone).locations.index.tolist()
    # The whole panel is run: whom one asks about changes no forecast, and an aggregate has its countries.
    result = pf.backtest(panel, names, origins, horizons, levels or DEFAULT_LEVELS)
    click.echo(write_table(result.scores(chosen, by), form), nl=form == "table")
    if form == "table":
        click.echo(f"\n{len(chosen)} locations of {repr(result)[1:-1]}; percent, but n and mase")


@main.command()
@click.option(
    "--revision",
    "vintage",
    default="wpp2012",
    show_default=True,
    help=f"What was known then: {', '.join([*VINTAGES, *pf.REVISIONS])}.",
)
@click.option("--truth", default=DEFAULT_REVISION, show_default=True, help="What is known now.")
@click.option(
    "--models",
    "names",
    type=Parsed("names", parse_names),
    default=DEFAULT_MODEL,
    show_default=True,
    help="Names parted by commas.",
)
@click.option(
    "--intervals",
    type=click.Choice(["real-time", "published", "final"]),
    default="real-time",
    show_default=True,
    help="What they allow for: base figures revised like other countries', like the revision before, or not.",
)
@level_option
@format_option
def vintages(vintage: str, truth: str, names: list[str], intervals: str, levels: Sequence[float], form: str) -> None:
    """Score forecasts from what was known then against what is known now, beside the UN's medium variant.

    \b
    Example:
      popforecast vintages --revision wpp2012 --truth wpp2024 --format csv
    """
    result = compare(vintage, truth, names, levels or DEFAULT_LEVELS, intervals=intervals)
    click.echo(write_table(result.scores(), form), nl=form == "table")
    if form == "table":
        click.echo(f"\n{repr(result)[1:-1]}; percent, but n")


@main.command()
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
    path = pf.save(fitted, output)
    click.echo(f"{path} and {path.with_suffix('.json').name}: {fitted.model.name}, {len(fitted.codes)} locations")


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--only", multiple=True, metavar="NAME", help="The same as NAME; may be repeated.")
@click.option("-p", "parameters", multiple=True, nargs=2, metavar="NAME VALUE", help="A notebook's parameter.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Notebooks run at once.")
@click.option("--force", is_flag=True, help="Run those whose pages are fresh, too.")
@click.option("--dry-run", is_flag=True, help="Say what would be run, and why; run nothing.")
@click.option(
    "--timeout", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds that a cell may take."
)
@click.option("--output", type=folder_path, default="reports", show_default=True, help="Where the pages go.")
@click.option(
    "--each", type=click.Choice(["country", "aggregate"]), help="A page of one notebook for each: country-profile."
)
def report(
    names: Sequence[str],
    only: Sequence[str],
    parameters: Sequence[tuple[str, str]],
    jobs: int,
    force: bool,
    dry_run: bool,
    timeout: int,
    output: Path,
    each: str | None,
) -> None:
    """Run notebooks whose pages are stale and publish them with an index (default: all of them).

    \b
    Example:
      popforecast report --jobs 2 --dry-run
      popforecast report 2-validate-ar -p lags 2 -p trend ct --output reports
      popforecast report country-profile --each country --jobs 2 --output site
    """
    from popforecast.reports import make_reports, make_series, plan_reports

    # As Ctrl-C does: what runs is ended, and what was made stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = [*names, *only]
    if each:
        if len(chosen) != 1:
            raise click.UsageError("--each makes the pages of one report: name it, such as country-profile")
        if dry_run:
            raise click.UsageError("--dry-run: expected without --each, which says itself what is left to be made")
        made = make_series(chosen[0], each, dict(parameters), output, jobs, progress=True, force=force)
        failed = [result for result in made if not result.ok]
        for result in failed:
            click.echo(f"{result.title}: {result.error}", err=True)
        if failed:
            raise click.ClickException(f"{len(failed)} of {len(made)} pages failed")
        click.echo(f"{output / chosen[0] / 'index.html'}: {len(made)} pages")
        return
    asked = chosen or None
    if dry_run:
        for step in plan_reports(asked, dict(parameters), output, force=force):
            click.echo(step)
        return
    results = make_reports(
        asked, dict(parameters), output=output, jobs=jobs, progress=True, timeout=timeout, force=force
    )
    for result in results:
        made = f"{result.path}{' (fresh)' if result.fresh else ''}"
        click.echo(f"{result.name}: {made if result.ok else result.error}", err=not result.ok)
    failed = [result.name for result in results if not result.ok]
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(results)} reports failed: {', '.join(failed)}")
    click.echo(f"{output / 'index.html'}")


@main.command()
@click.argument("url")
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@click.option(
    "--group",
    "groups",
    multiple=True,
    type=Parsed("group", parse_group),
    metavar="NAME:MEMBER,...",
    help="A group of your own, forecast as the sum of its countries; may be repeated.",
)
@click.option("--from", "start", type=int, required=True, metavar="YEAR")
@click.option("--to", "end", type=int, required=True, metavar="YEAR")
@click.option("--model", help="Default: the app's.")
@click.option("--revision", help="Default: the app's.")
@level_option
@format_option
def request(
    url: str,
    locations: Sequence[str],
    groups: Sequence[tuple[str, list[str]]],
    start: int,
    end: int,
    model: str | None,
    revision: str | None,
    levels: Sequence[float],
    form: str,
) -> None:
    """Ask the app at URL for a forecast of LOCATIONs, and of groups of them.

    \b
    Example:
      popforecast request http://127.0.0.1:8000 WORLD NGA --from 2030 --to 2035
      popforecast request http://127.0.0.1:8000 --group "My markets:NGA,356" --from 2030 --to 2035 --format csv
    """
    from popforecast.client import request_csv, request_forecast

    if not locations and not groups:
        raise click.UsageError("expected at least one LOCATION or --group")
    if len(dict(groups)) < len(groups):
        raise click.UsageError(f"groups {', '.join(name for name, _ in groups)}: expected each name once")
    question = (url, locations, start, end, model, revision, levels, dict(groups))
    if form == "csv":
        click.echo(request_csv(*question), nl=False)
        return
    answer = request_forecast(*question)
    if form == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    rows = pd.DataFrame(answer["forecasts"])
    click.echo(rows.assign(population=rows["population"].map(format_population)).to_string(index=False, na_rep=""))


@main.command()
@click.argument("revision", default=DEFAULT_REVISION)
@click.option("--folder", type=folder_path, help="Where to keep it. Default: the user's cache.")
@click.option("--url", help="Where to get it. Default: the UN.")
def fetch(revision: str, folder: Path | None, url: str | None) -> None:
    """Download the UN's own file of a REVISION and check it against the embedded table.

    \b
    Example:
      popforecast fetch wpp2024
    """
    click.echo(pf.fetch(revision, folder, url))


if __name__ == "__main__":
    main()

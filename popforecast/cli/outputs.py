"""The options with which a forecast of partitioned Parquet is written to partitioned Parquet."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from popforecast import scale
from popforecast.cli.data import OwnData, is_given
from popforecast.errors import MOST_NAMED
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.scale import ENGINES, ON_ERROR

# What says nothing about a forecast that is written in parts, and would be ignored.
ELSEWHERE = ("locations", "group", "name", "where", "decimal", "incomplete", "intervals", "fitted", "form")

OPTIONS = (
    click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        help="With --data, a sorted Parquet file or folder: write the forecast of all of it to this folder, in parts.",
    ),
    click.option("--engine", type=click.Choice(ENGINES), default="local", help="With --output: who does the work."),
    click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler. Default: a cluster on this machine."),
    click.option("--workers", type=click.IntRange(min=1), help="Threads, or workers of a cluster on this machine."),
    click.option(
        "--on-error",
        type=click.Choice(ON_ERROR),
        default="raise",
        help="Stop at a series that cannot be forecast, or leave it out and list it in the manifest.",
    ),
)


def take_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a forecast in parts to a command that takes data; it is called where there is no output."""

    @functools.wraps(command)
    def routed(*arguments: Any, own: OwnData | None, **options: Any) -> Any:
        context = click.get_current_context()
        chosen = {name: options.pop(name) for name in ("output", "engine", "scheduler", "workers", "on_error")}
        if chosen["output"] is None:
            for name in chosen:
                if is_given(context, name):
                    raise click.UsageError(
                        f"--{name.replace('_', '-')} is for a forecast in parts: add --output FOLDER"
                    )
            return command(*arguments, own=own, **options)
        if own is None:
            raise click.UsageError("--output is for a file of your own: add --data, a Parquet file or folder")
        for name in ELSEWHERE:
            if is_given(context, name):
                option = {"locations": "LOCATION", "form": "--format"}.get(name, f"--{name}")
                raise click.UsageError(f"{option} and --output do not go together: every series is forecast as it is")
        return write_parts(own, options, **chosen)

    for option in reversed(OPTIONS):
        routed = option(routed)
    return routed


def write_parts(
    own: OwnData,
    options: dict[str, Any],
    output: Path,
    engine: str,
    scheduler: str | None,
    workers: int | None,
    on_error: str,
) -> None:
    """Forecast the file into the folder, and say what was done."""
    # As Ctrl-C does: what runs is ended, and what was made stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    given = {name: getattr(own, name) for name in ("id", "time", "value") if getattr(own, name)}
    made = scale.forecast(
        own.path,
        output,
        **given,
        start=options["start"],
        end=options["end"],
        model=options["model"],
        levels=options["levels"] or DEFAULT_LEVELS,
        engine=engine,
        scheduler=scheduler,
        workers=workers,
        on_error=on_error,
        progress=True,
    )
    for skipped in made.skipped[:MOST_NAMED]:
        series = "" if skipped.location_code is None else f"partition {skipped.partition}: {skipped.location_code!r} "
        click.echo(f"left out: {series}{skipped.reason}", err=True)
    if len(made.skipped) > MOST_NAMED:
        click.echo(f"left out: {len(made.skipped) - MOST_NAMED:,} more, listed in the manifest", err=True)
    click.echo(
        f"{output}: {made.series:,} series, {made.rows:,} rows in {len(made.done)} parts; {made.noted:,} have a note"
    )

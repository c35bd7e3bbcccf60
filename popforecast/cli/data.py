"""Options for reading a user's file instead of a revision."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from popforecast.cli.parsing import Parsed, parse_condition
from popforecast.errors import MOST_NAMED, InputError
from popforecast.panel import Panel
from popforecast.panel.rectangles import UnevenPanel
from popforecast.readers import Reading, read_own
from popforecast.wpp.editions import load_panel


@dataclass(frozen=True)
class OwnData:
    """A file and its columns; the attributes are the arguments of :func:`popforecast.readers.read_own`."""

    path: Path
    id: str | None
    time: str | None
    value: str | None
    group: str | None
    name: str | None
    where: tuple[tuple[str, str], ...]
    decimal: str | None
    incomplete: str

    def read(self) -> Reading:
        """Return the contents of the file."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return read_own(**given | {"where": dict(self.where)})


OPTIONS = (
    click.option("--data", "path", type=click.Path(path_type=Path), help="Your own data: a CSV or Parquet file."),
    click.option("--id", metavar="COLUMN", help="With --data: the column of location codes."),
    click.option("--time", metavar="COLUMN", help="The column of years; leave out if each year is a column."),
    click.option("--value", metavar="COLUMN", help="The column of figures, or the prefix of the year columns."),
    click.option("--group", metavar="COLUMN", help="The column of regions; a region can be given as LOCATION."),
    click.option("--name", metavar="COLUMN", help="The column of display names."),
    click.option(
        "--where",
        multiple=True,
        type=Parsed("condition", parse_condition),
        metavar="COLUMN=VALUE",
        help="Read only these rows; may be repeated.",
    ),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark, if the figures are ambiguous."),
    click.option(
        "--incomplete",
        type=click.Choice(["raise", "drop"]),
        default="raise",
        help="Stop at a location with a gap, or leave it out and report it.",
    ),
)


def take_data(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with the options of a file, passed to it as ``own`` (None without ``--data``)."""

    @functools.wraps(command)
    def gathered(*arguments: Any, **options: Any) -> Any:
        given = {field.name: options.pop(field.name) for field in fields(OwnData)}
        context = click.get_current_context()
        changed = [name for name in given if is_given(context, name)]
        if given["path"] is None and changed:
            raise click.UsageError(f"--{changed[0]} needs a file: add --data")
        if given["path"] is not None and is_given(context, "revision"):
            raise click.UsageError("--data and --revision: expected only one of them")
        return command(*arguments, own=OwnData(**given) if given["path"] is not None else None, **options)

    for option in reversed(OPTIONS):
        gathered = option(gathered)
    return gathered


def is_given(context: click.Context, name: str) -> bool:
    """Whether the user set an option, rather than leaving its default."""
    return context.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT)


def open_panel(own: OwnData | None, revision: str) -> Panel | UnevenPanel:
    """Return the panel of a file or a revision; locations left out of a file are listed on standard error."""
    if own is None:
        return load_panel(revision)
    reading = own.read()
    for row in reading.dropped.head(MOST_NAMED).itertuples():
        click.echo(f"left out: {row.code!r} (row {row.row}) {row.reason}", err=True)
    if len(reading.dropped) > MOST_NAMED:
        click.echo(f"left out: {len(reading.dropped) - MOST_NAMED:,} more of {reading.series:,} locations", err=True)
    return reading.panel


def part_groups(
    panel: Panel | UnevenPanel, locations: Sequence[str]
) -> tuple[list[str] | None, dict[str, list[Any]] | None]:
    """Return the requested locations that are not regions, and the members of those that are.

    Raises
    ------
    InputError
        If a region is repeated.
    """
    regions = panel.locations["region"]
    known = set(regions.dropna())
    asked = [name for name in locations if name in known and not panel.index.has(name)]
    groups = {name: regions.index[regions == name].tolist() for name in asked}
    alone = [name for name in locations if name not in groups]
    if len(alone) + len(groups) < len(locations):
        raise InputError(f"{', '.join(locations)}: expected each region once")
    return (alone if alone or groups else None), groups or None

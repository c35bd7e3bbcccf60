"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

import popforecast as pf
from popforecast.models import DEFAULT_MODEL
from popforecast.wpp.editions import DEFAULT_REVISION

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

"""Commands that use the network: request a forecast from an app, fetch a UN file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import popforecast as pf
from popforecast.cli.options import folder_path, format_option, take_question
from popforecast.cli.printing import write_answer
from popforecast.forecasting.milestones import USUAL_LEVEL
from popforecast.wpp.editions import DEFAULT_REVISION

UNCHECKED = "note: no checksum of this file is known; it is whole by the zip's own, but its figures were not compared"


@click.command()
@click.argument("url")
@click.argument("locations", nargs=-1, metavar="[LOCATION]...")
@take_question
@format_option
def request(
    url: str,
    locations: Sequence[str],
    groups: Sequence[tuple[str, list[str]]],
    levels: Sequence[float],
    form: str,
    **asked: Any,
) -> None:
    """Request a forecast of LOCATIONs and groups from the app at URL.

    The table shows the 80% range unless --level is given.

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
    wanted = levels or ((USUAL_LEVEL,) if form == "table" else ())
    question = {**asked, "levels": wanted, "groups": dict(groups)}
    if form == "csv":
        click.echo(request_csv(url, locations, **question), nl=False)
        return
    answer = request_forecast(url, locations, **question)
    if form == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    click.echo(write_answer(answer))


@click.command()
@click.argument("revision", default=DEFAULT_REVISION)
@click.option("--folder", type=folder_path, help="Folder for the file. Default: the user's cache.")
@click.option("--url", help="URL of the file. Default: the UN's.")
def fetch(revision: str, folder: Path | None, url: str | None) -> None:
    """Download the UN's own file for a REVISION and check it against the embedded table.

    Older revisions, since wpp1992, are zips from the UN's archive, without a table to check them against.

    \b
    Example:
      popforecast fetch wpp2024
      popforecast fetch wpp2000
    """
    path = pf.fetch(revision, folder, url)
    click.echo(path)
    if revision not in pf.REVISIONS:
        click.echo(UNCHECKED, err=True)

"""The command that makes reports."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from popforecast.cli.options import folder_path


@click.command()
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
    from popforecast.reports.execution import skip_grammar

    skip_grammar()
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

"""The command for reports."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from popforecast.cli.options import folder_path

if TYPE_CHECKING:
    from popforecast.reports import Result


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--only", multiple=True, metavar="NAME", help="Same as NAME; may be repeated.")
@click.option(
    "-p",
    "parameters",
    multiple=True,
    nargs=2,
    metavar="NAME VALUE",
    help="Set a parameter of the notebook; may be repeated.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Number of notebooks to run at a time."
)
@click.option("--force", is_flag=True, help="Also run notebooks whose pages are up to date.")
@click.option("--dry-run", is_flag=True, help="List what would be run, and why, without running it.")
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=600,
    show_default=True,
    help="Time limit for each cell, in seconds.",
)
@click.option("--output", type=folder_path, default="reports", show_default=True, help="Folder for the pages.")
@click.option(
    "--each",
    type=click.Choice(["country", "aggregate"]),
    help="Make a page of the named notebook, such as country-profile, for each of them.",
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
    """Run notebooks and publish them with an index (default: all of them).

    A notebook runs if its page was not made in this checkout, or if anything it depends on has changed since.
    A page with changed parameters gets its own file name, such as 2-validate-ar.lags-2.html, and overwrites no other
    page. The index lists it too, except in a checkout's own reports/, where git ignores it.

    \b
    Example:
      popforecast report --jobs 2 --dry-run
      popforecast report 2-validate-ar -p lags 2 -p trend ct
      popforecast report country-profile --each country --jobs 2 --output site
    """
    from popforecast.reports import make_reports, make_series, plan_reports
    from popforecast.reports.kernels import skip_grammar

    start = time.monotonic()
    skip_grammar()
    # Like Ctrl-C: running notebooks are stopped, and finished pages are kept.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = [*names, *only]
    if each:
        if len(chosen) != 1:
            raise click.UsageError("--each needs exactly one report, such as country-profile")
        if dry_run:
            raise click.UsageError("--dry-run cannot be used with --each, which reports its own progress")
        pages = make_series(
            chosen[0], each, dict(parameters), output, jobs, progress=True, timeout=timeout, force=force
        )
        failed = [result for result in pages if not result.ok]
        for result in failed:
            click.echo(f"{result.title}: {result.error}", err=True)
        if failed:
            raise click.ClickException(f"{len(failed)} of {len(pages)} pages failed")
        folder = next(result.path.parent for result in pages if result.path)
        click.echo(f"{folder / 'index.html'}: {len(pages)} pages")
        return
    asked = chosen or None
    if dry_run:
        for step in plan_reports(asked, dict(parameters), output, force=force):
            click.echo(step)
        return
    results = make_reports(asked, dict(parameters), output, jobs, progress=True, timeout=timeout, force=force)
    for result in results:
        made = f"{result.path}{' (up to date)' if result.fresh else ''}"
        click.echo(f"{result.name}: {made if result.ok else result.error}", err=not result.ok)
    if failed := [result for result in results if not result.ok]:
        names = ", ".join(result.name for result in failed)
        raise click.ClickException(f"{len(failed)} of {len(results)} reports failed: {names}")
    click.echo(conclude(results, output / "index.html", time.monotonic() - start))


def conclude(results: Sequence[Result], index: Path, seconds: float) -> str:
    """Return the last line: number of reports run, time taken, and path of the index.

    Examples
    --------
    >>> from popforecast.reports import Result
    >>> page = Path("reports/a.html")
    >>> conclude([Result("a", "A", True, None, page)], Path("reports/index.html"), 4.23)
    'reports/index.html: 1 report run in 4.2 s'
    >>> conclude([Result("a", "A", True, None, page, fresh=True)], Path("reports/index.html"), 0.61)
    'reports/index.html: nothing to run, all pages are up to date (0.6 s)'
    """
    fresh = sum(result.fresh for result in results)
    run = len(results) - fresh
    if run:
        done = f"{run} report{'s' if run > 1 else ''} run{f', {fresh} up to date,' if fresh else ''} in {seconds:.1f} s"
    else:
        done = f"nothing to run, all pages are up to date ({seconds:.1f} s)"
    listed = sum(result.listed for result in results)
    if listed == len(results):
        return f"{index}: {done}"
    return f"{done}; {index} does not list pages with changed parameters"

"""Print the table: every subject, or those named."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

SUBJECTS = (
    "engine",
    "verb",
    "outlook",
    "chart",
    "imports",
    "loading",
    "backtest",
    "cohort",
    "memory",
    "web",
    "paint",
    "explorer",
    "reports",
    "scale",
    "kernels",
    "sums",
    "vintages",
    "peers",
)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--fresh", is_flag=True, help="peers: run them again, in an environment of their own.")
@click.option("--method", "methods", multiple=True, help="peers: with --fresh, this method alone; may be repeated.")
@click.option("--reported", is_flag=True, help="peers: show our newer models on the countries kept for the end.")
def main(names: Sequence[str], fresh: bool, methods: Sequence[str], reported: bool) -> None:
    """Measure the subjects named (default: all), one after the other, and print each figure as it comes."""
    for name in names:
        if name not in SUBJECTS:
            raise click.UsageError(f"no benchmark {name!r}: expected some of {', '.join(SUBJECTS)}")
    options = {"fresh": fresh, "methods": methods, "reported": reported}
    if any(options.values()) and tuple(names) != ("peers",):
        raise click.UsageError("--fresh, --method and --reported belong to peers: expected peers alone beside them")
    if methods and not fresh:
        raise click.UsageError("--method says which peers to run again: expected --fresh beside it")
    print(f"{'what':<46} {'measured':>10}   {'asked':<9} {'holds':<4}")
    for name in names or SUBJECTS:
        measure = import_module(f"tests.benchmarks.{name}").measure
        for figure in measure(**options) if name == "peers" else measure():
            print(figure, flush=True)


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks")

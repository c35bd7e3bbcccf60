"""The page of the benchmark: time and memory over the number of series."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.scale import Run


def make_page(runs: dict[int, Run], start: float, slope: float) -> str:
    """Return the page: two panels, and the numbers below."""
    sizes = sorted(runs)[1:]
    rows = "".join(
        f"<tr><td>{size:,}</td><td>{runs[size].seconds:.1f}</td><td>{runs[size].processor:.1f}</td>"
        f"<td>{runs[size].memory:.0f}</td></tr>"
        for size in sorted(runs)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Scale</title>'
        "<h1>ar1, Parquet to Parquet: time is linear, memory is flat</h1>"
        f"<p>Log-log slope of processor time {slope:.3f}, after {start:.1f} s of start-up.</p>"
        f"{draw([(size, runs[size].processor - start, runs[size].memory) for size in sizes])}"
        "<table><tr><th>series</th><th>seconds</th><th>of processor</th><th>MB</th></tr>"
        f"{rows}</table></html>\n"
    )


def draw(points: list[tuple[int, float, float]]) -> str:
    """Return the chart as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    time, memory = figure.subplots(1, 2)
    sizes, seconds, megabytes = zip(*points, strict=True)
    time.loglog(sizes, seconds, "o-")
    time.loglog(sizes, [seconds[-1] * size / sizes[-1] for size in sizes], "--", color="grey", label="linear")
    time.set(xlabel="series", ylabel="seconds of processor, start-up subtracted")
    time.legend()
    memory.semilogx(sizes, megabytes, "o-")
    memory.set(xlabel="series", ylabel="most memory, MB", ylim=(0, None))
    content = io.StringIO()
    figure.savefig(content, format="svg")
    return content.getvalue()[content.getvalue().index("<svg") :]

"""Paths of a drawing: points in pixels become the short text that an SVG element holds."""

from __future__ import annotations

from itertools import groupby, pairwise
from math import inf, isfinite

Points = list[tuple[float, float]]

# A point this close to the line between its neighbours, in pixels, is left out of a path.
UNSEEN = 0.2


def trace(points: Points) -> str:
    """Return the path through points, broken where one has no place."""
    runs = ([*run] for finite, run in groupby(points, key=lambda point: isfinite(point[1])) if finite)
    return "".join(write_path(thin(run)) for run in runs)


def thin(points: Points) -> Points:
    """Leave out points that lie, to the eye, on the straight line between those that are kept."""
    kept, i = points[:1], 0
    while i < len(points) - 1:
        (x, y), steepest_down, steepest_up, best = points[i], -inf, inf, i + 1
        for j in range(i + 1, len(points)):
            run = points[j][0] - x
            slope, slack = (points[j][1] - y) / run, UNSEEN / run
            if steepest_down <= slope <= steepest_up:
                best = j
            if slope - slack > steepest_down:
                steepest_down = slope - slack
            if slope + slack < steepest_up:
                steepest_up = slope + slack
            if steepest_down > steepest_up:
                break
        kept.append(points[best])
        i = best
    return kept


def write_path(points: Points) -> str:
    """Return a path in tenths of a pixel, each point relative to the one before; a point alone is a dot."""
    tenths = [(round(10 * x), round(10 * y)) for x, y in points]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(tenths)] or [(0, 0)]
    return f"M{_pair(*tenths[0])}l" + " ".join(_pair(*step) for step in steps).replace(" -", "-")


def _pair(x: int, y: int) -> str:
    return f"{x / 10:g} {y / 10:g}".replace(" -", "-")

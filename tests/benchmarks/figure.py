"""One figure of the table that ``make bench`` prints, and how times are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """What was measured, what is asked, and what it was measured beside."""

    name: str
    value: float
    unit: str
    asked: float
    beside: str = ""
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the figure is as asked."""
        return self.value >= self.asked if self.at_least else self.value <= self.asked

    def __str__(self) -> str:
        small = 0 < self.value < 0.005
        value = f"{self.value:.1e}" if small else f"{self.value:,.{0 if self.value >= 100 else 2}f} {self.unit}"
        asked = f"{'≥' if self.at_least else '≤'} {self.asked:g} {self.unit}"
        return f"{self.name:<46} {value:>10}   {asked:<9} {'yes' if self.holds else 'NO':<4} {self.beside}"


def time_once(run: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def time_median(run: Callable[[], object], times: int) -> float:
    """Return the median of the seconds that several calls take, after one to warm up."""
    run()
    return median(time_once(run) for _ in range(times))


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], asked: float) -> Figure:
    """Return how many times faster ours is than theirs."""
    fast, slow = time_median(ours, 50), time_median(theirs, 3)
    beside = f"{1e3 * fast:.2f} ms against {1e3 * slow:.0f} ms"
    return Figure(name, slow / fast, "x", asked, beside, at_least=True)

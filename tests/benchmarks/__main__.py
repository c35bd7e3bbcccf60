"""Print the table: every subject, or those named."""

from __future__ import annotations

import sys
from importlib import import_module

SUBJECTS = ("engine", "verb", "imports", "loading", "memory", "reports")


def main(names: list[str]) -> None:
    """Measure the subjects named, one after the other, and print each figure as it comes."""
    unknown = [name for name in names if name not in SUBJECTS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}: expected some of {', '.join(SUBJECTS)}")
    print(f"{'what':<46} {'measured':>10}   {'asked':<9} {'holds':<4}")
    for name in names or SUBJECTS:
        for figure in import_module(f"tests.benchmarks.{name}").measure():
            print(figure, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

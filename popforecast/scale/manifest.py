"""The manifest of a run: a JSON file in the output folder with its request and progress, written atomically."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from popforecast.errors import ScaleError
from popforecast.files import write_atomically

FORMAT = 1

# Readers of Parquet folders ignore names that start with an underscore.
NAME = "_manifest.json"


class Skipped(NamedTuple):
    """A skipped series or, if the code is None, a whole partition or file, and the reason."""

    partition: int | None
    location_code: Hashable
    reason: str


class Done(NamedTuple):
    """A finished partition: its number, and the numbers of series, series with a note, rows, and bytes written."""

    partition: int
    series: int
    noted: int
    rows: int
    bytes: int


@dataclass(frozen=True, repr=False)
class Manifest:
    """The request and the progress of a run.

    Attributes
    ----------
    output : Path
        Folder of the parts.
    request : dict
        Everything that determines the numbers: input, columns, model, period, levels, version.
    partitions : int
        Number of partitions.
    done : tuple of Done
        Finished partitions, in order.
    skipped : tuple of Skipped
        Skipped series, partitions and files, with reasons.
    """

    output: Path
    request: dict[str, Any]
    partitions: int
    done: tuple[Done, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def series(self) -> int:
        """Number of series forecast."""
        return sum(done.series for done in self.done)

    @property
    def noted(self) -> int:
        """Number of series with a note: an explosive root, capped growth, or too little data to fit or calibrate."""
        return sum(done.noted for done in self.done)

    @property
    def rows(self) -> int:
        """Number of rows written."""
        return sum(done.rows for done in self.done)

    @property
    def complete(self) -> bool:
        """Whether every partition is finished."""
        return len(self.done) == self.partitions

    def add(self, done: Done, skipped: tuple[Skipped, ...]) -> Manifest:
        """Return the manifest with one more partition finished."""
        return replace(
            self, done=tuple(sorted((*self.done, done))), skipped=tuple(sorted((*self.skipped, *skipped), key=_order))
        )

    def write(self) -> None:
        """Write the manifest atomically."""
        content = {
            "format": FORMAT,
            "request": self.request,
            "partitions": self.partitions,
            "complete": self.complete,
            "series": self.series,
            "noted": self.noted,
            "rows": self.rows,
            "done": [done._asdict() for done in self.done],
            "skipped": [skipped._asdict() for skipped in self.skipped],
        }
        write_atomically(self.output / NAME, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    def __repr__(self) -> str:
        return (
            f"<Manifest: {len(self.done)} of {self.partitions} partitions, {self.series:,} series, {self.rows:,} rows, "
            f"{len(self.skipped):,} skipped>"
        )


def resume(fresh: Manifest) -> Manifest:
    """Return the manifest of the run to continue: the one in the folder if it exists, otherwise the fresh one.

    Parts that differ from the manifest are made again.

    Raises
    ------
    ScaleError
        If the folder contains anything other than parts of this run.
    """
    folder = fresh.output
    if not folder.exists():
        return fresh
    if not folder.is_dir():
        raise ScaleError(f"{folder} is a file: expected the name of a folder for the parts")
    path = folder / NAME
    if not path.exists():
        if any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise ScaleError(f"{folder} contains files that are not parts of a run: expected a new or empty folder")
        return fresh
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        same = found["format"] == FORMAT and found["partitions"] == fresh.partitions
        differing = [key for key in fresh.request if found["request"].get(key) != fresh.request[key]]
        done = [Done(**each) for each in found["done"]]
        skipped = [Skipped(**each) for each in found["skipped"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScaleError(f"{path} is not the manifest of a run: remove {folder}, or choose another output") from error
    if differing or not same:
        raise ScaleError(
            f"{folder} has the parts of another run (different {', '.join(differing) or 'partitions'}): remove it, or "
            "choose another output"
        )
    parts = {each: part_path(folder, each.partition) for each in done}
    whole = {each.partition for each, part in parts.items() if part.is_file() and part.stat().st_size == each.bytes}
    return replace(
        fresh,
        done=tuple(each for each in done if each.partition in whole),
        skipped=tuple(each for each in skipped if each.partition is None or each.partition in whole),
    )


def part_path(folder: Path, number: int) -> Path:
    """Return the path of a partition's part.

    Examples
    --------
    >>> part_path(Path("out"), 3).name
    'part-00003.parquet'
    """
    return folder / f"part-{number:05}.parquet"


def _order(skipped: Skipped) -> tuple[int, str]:
    return (-1 if skipped.partition is None else skipped.partition, str(skipped.location_code))

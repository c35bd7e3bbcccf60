"""Real files, damaged at random: what is still read differs from the original no further than the damage reaches."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import popforecast as pf
from popforecast.errors import PopforecastError

ROOT = Path(__file__).parent.parent.parent
RAW = ROOT.parent / "shared" / "data" / "raw"

Figures = dict[str, dict[int, float]]


class Original(NamedTuple):
    """A whole file, how it is read, and what it holds."""

    name: str
    content: bytes
    columns: dict[str, str]
    figures: Figures


class Outcome(NamedTuple):
    """What became of one damaged copy."""

    read: int
    refused: int
    faults: list[str]


def list_originals() -> list[Original]:
    """Return the files to damage: the UN's own where they are at hand, and others written from the embedded tables."""
    panel = pf.load_panel("wpp2024").countries().take(np.arange(0, 236, 6))
    frame = panel.to_frame()
    wide = frame.pivot(index="location_code", columns="year", values="population")
    texts = {
        "long.csv": (frame.to_csv(index=False), {"id": "location_code", "time": "year", "value": "population"}),
        "wide.csv": (wide.to_csv(), {"id": "location_code"}),
        "semicolon.csv": (wide.map("{:,}".format).to_csv(sep=";"), {"id": "location_code"}),
        "bank.csv": ('"Data Source","Bank",\n\n' + wide.to_csv(quoting=1), {"id": "location_code"}),
    }
    contents = {name: (text.encode(), columns) for name, (text, columns) in texts.items()}
    raw = RAW / "WPP2019_POP_F01_1_TOTAL_POPULATION_BOTH_SEXES.csv"
    if raw.exists():
        contents["un.csv"] = (raw.read_bytes(), {"id": "Country code"})
    with tempfile.TemporaryDirectory() as folder:
        return [
            Original(name, content, columns, _read(Path(folder), name, content, columns))
            for name, (content, columns) in contents.items()
        ]


def damage(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one thing done to it that happens to files."""
    return chance.choice(DAMAGES)(content, chance)


def _flip(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _delete(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.choice([1, 1, 1, 5, 50]) :]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return (
        content[:at]
        + chance.choice([b",", b";", b'"', b"\n", b" ", b"0", b"\t", b".", b"\x00", b"\xe9"])
        + content[at:]
    )


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _repeat_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"".join(lines)


def _swap_cells(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    # A header in another order is another table, which nobody can tell from a whole one.
    at = chance.randrange(4, len(lines))
    lines[at] = b",".join(reversed(lines[at].rstrip(b"\r\n").split(b","))) + b"\n"
    return b"".join(lines)


def _overwrite(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes(chance.randrange(1, 200)) + content[at + 100 :]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _delete,
    _insert,
    _cut,
    _repeat_line,
    _swap_cells,
    _overwrite,
)


def attack(count: int, seed: int = 0) -> Outcome:
    """Read so many damaged copies; a fault is a traceback, or a panel that differs where nothing was damaged."""
    originals, read, refused, faults = list_originals(), 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            original = chance.choice(originals)
            content = damage(original.content, chance)
            try:
                figures = _read(Path(folder), original.name, content, original.columns)
            except PopforecastError as error:
                refused += 1
                faults += [f"{number}: {original.name} is not named: {error}"] * (original.name not in str(error))
            except Exception as error:
                faults.append(f"{number}: {original.name}: {type(error).__name__}: {error}")
            else:
                read += 1
                faults += [f"{number}: {original.name}: {fault}" for fault in compare(original, content, figures)]
    return Outcome(read, refused, faults)


def compare(original: Original, content: bytes, figures: Figures) -> Iterator[str]:
    """Yield every difference that the damage cannot explain: one in a location none of whose lines was touched."""
    whole, now = (set(text.splitlines()) for text in (original.content, content))
    touched = b"\n".join(whole ^ now).decode("latin-1")
    lost = set(original.figures) ^ set(figures)
    for code in sorted(lost | set(original.figures)):
        if original.figures.get(code) != figures.get(code) and code not in touched:
            yield f"{code} is another, and none of its lines was touched"


def _read(folder: Path, name: str, content: bytes, columns: dict[str, Any]) -> Figures:
    path = folder / name
    path.write_bytes(content)
    panel = pf.read_panel(path, **columns)
    parts = panel.panels if isinstance(panel, pf.UnevenPanel) else (panel,)
    return {
        str(code): dict(zip(part.years.tolist(), values, strict=True))
        for part in parts
        for code, values in zip(part.locations.index, part.values.tolist(), strict=True)
    }


def main(count: int = 10_000, seed: int = 0) -> int:
    """Print what damaged copies came to; the number of faults."""
    outcome = attack(count, seed)
    print(f"files: {outcome.read} read, {outcome.refused} refused, {len(outcome.faults)} faults")
    for fault in outcome.faults[:20]:
        print(f"files: {fault}")
    return len(outcome.faults)


if __name__ == "__main__":
    raise SystemExit(bool(main()))

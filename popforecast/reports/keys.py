"""What a report is made of, as checksums: they say whether its page is fresh, and if not, why.

Contents alone count, never times, paths or the machine: a page that was committed is fresh in every checkout, whatever
runs there. Any module but those of a surface makes every page stale: that is a run too many now and then, and never one
too few. The lock file stands for the libraries; where there is none, as in an installed wheel, their versions do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from popforecast.reports.notebooks import PACKAGE, Notebook
from popforecast.wpp.editions import DATA

LOCK_FILE = PACKAGE.parent / "requirements-dev.txt"

# What computes and draws a page; its footer names them.
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "papermill", "nbconvert")

# What asks for pages or files them, or shows something else: nothing that a page is made with imports any of it.
SURFACES = (
    *("__main__.py", "cli", "client.py", "embedding.py", "explorer", "question"),
    *(f"reports/{name}.py" for name in ("pipeline", "publication", "series", "site")),
)
TEMPLATES = PACKAGE / "templates" / "report"
TABLES = (".csv", ".json", ".npz", ".gz")


@dataclass(frozen=True)
class Key:
    """What a report is made of.

    Attributes
    ----------
    notebook, package, data, lock : str
        Checksums: of its cells; of the modules of the package, less its surfaces, and the templates of pages; of the
        tables, and the files that parameters name; of the libraries.
    parameters : dict
        All of them, also those that are as the notebook has them.
    """

    notebook: str
    package: str
    data: str
    lock: str
    parameters: Mapping[str, Any]

    @property
    def parts(self) -> dict[str, str]:
        """The checksums by name, as they are recorded."""
        return {name: part for name, part in asdict(self).items() if name != "parameters"}

    @property
    def checksum(self) -> str:
        """One checksum of it all."""
        return digest(_write(asdict(self)))

    def explain(self, parts: Mapping[str, str], parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what differs from what was recorded, one reason each.

        Examples
        --------
        >>> Key("n2", "p", "d", "l", {"lags": 2}).explain(Key("n", "p", "d", "l", {}).parts, {"lags": 1})
        ('notebook changed', 'parameter lags: 1 -> 2')
        """
        labels = {"lock": "lock file"}
        changed = [f"{labels.get(name, name)} changed" for name, part in self.parts.items() if parts.get(name) != part]
        names = dict.fromkeys([*self.parameters, *parameters])
        absent = object()
        for name in names:
            now, then = self.parameters.get(name, absent), parameters.get(name, absent)
            if now != then or type(now) is not type(then):
                shown = ["none" if value is absent else json.dumps(value, ensure_ascii=False) for value in (then, now)]
                changed.append(f"parameter {name}: {' -> '.join(shown)}")
        return tuple(changed)


def read_key(notebook: Notebook, parameters: Mapping[str, Any], package: str) -> Key:
    """Return what a report is made of now.

    Parameters
    ----------
    notebook : Notebook
    parameters : dict
        What differs from the defaults.
    package : str
        As :func:`read_package` returns it.
    """
    cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    # Outputs, which a notebook has when somebody ran it, make no difference to its page.
    source = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
    values = {**notebook.defaults, **parameters}
    tables = _read_checksums(path for path in DATA.rglob("*") if path.suffix in TABLES)
    named = [(path.name, digest(path.read_bytes())) for path in _find_named(values.values())]
    return Key(digest(_write(source)), package, digest(_write(tables + named)), digest(_read_lock()), values)


def read_package() -> str:
    """Return the checksum of what every page may be made with: the package without its surfaces, and the templates."""
    surfaces = [PACKAGE / name for name in SURFACES]
    # A hidden one is what an editor keeps, such as Jupyter's checkpoints.
    modules = (path for path in PACKAGE.rglob("[!.]*.py") if not any(map(path.is_relative_to, surfaces)))
    return digest(_write(_read_checksums([*modules, *filter(Path.is_file, TEMPLATES.iterdir())])))


def read_versions() -> dict[str, str]:
    """Return the version of each library that makes a page."""
    return {name: metadata.version(name) for name in LIBRARIES}


def digest(content: bytes) -> str:
    """Return the checksum of content."""
    return hashlib.sha256(content).hexdigest()


def _write(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


@cache
def _read_lock() -> bytes:
    return LOCK_FILE.read_bytes() if LOCK_FILE.exists() else _write(read_versions())


def _find_named(values: Iterable[Any]) -> Iterator[Path]:
    """Yield the files that parameters name."""
    for value in values:
        # A text that is too long for a file name names none, which Path says with an error.
        with suppress(OSError, ValueError):
            if isinstance(value, str) and value and Path(value).is_file():
                yield Path(value)


def _read_checksums(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Return files of the package by name, with their checksums."""
    return sorted((path.relative_to(PACKAGE).as_posix(), digest(path.read_bytes())) for path in paths)

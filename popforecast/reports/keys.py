"""Checksums of the inputs of a report, which show whether its page is fresh and, if not, why.

Only contents count, not times, paths or the machine, so a committed page is fresh in every checkout. A change to any
module except the interfaces makes all pages stale: some runs may be unnecessary, but none is missed. The lock file
represents the libraries; without one, as in an installed wheel, their versions do.
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

# Libraries that compute and draw a page; its footer lists them.
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib", "papermill", "nbconvert")

# Modules that request or store pages, or serve other interfaces: no code that makes a page imports them.
SURFACES = (
    *("__main__.py", "cli", "client.py", "embedding.py", "explorer", "question"),
    *(f"reports/{name}.py" for name in ("pipeline", "publication", "series", "site")),
)
TEMPLATES = PACKAGE / "templates" / "report"
TABLES = (".csv", ".json", ".npz", ".gz")


@dataclass(frozen=True)
class Key:
    """Checksums and parameters from which a report is made.

    Attributes
    ----------
    notebook, package, data, lock : str
        Checksums of its cells; of the package modules (without interfaces) and page templates; of the tables and the
        files named in parameters; and of the libraries.
    parameters : dict
        All parameters, including those with default values.
    """

    notebook: str
    package: str
    data: str
    lock: str
    parameters: Mapping[str, Any]

    @property
    def parts(self) -> dict[str, str]:
        """The checksums by name, as recorded."""
        return {name: part for name, part in asdict(self).items() if name != "parameters"}

    @property
    def checksum(self) -> str:
        """A single checksum of all inputs."""
        return digest(_write(asdict(self)))

    def explain(self, parts: Mapping[str, str], parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the differences from the recorded inputs, one reason each.

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
    """Return the current key of a report.

    Parameters
    ----------
    notebook : Notebook
    parameters : dict
        Parameters that differ from the defaults.
    package : str
        As :func:`read_package` returns it.
    """
    cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    # Saved outputs are ignored: they do not affect the page.
    source = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
    values = {**notebook.defaults, **parameters}
    tables = _read_checksums(path for path in DATA.rglob("*") if path.suffix in TABLES)
    named = [(path.name, digest(path.read_bytes())) for path in _find_named(values.values())]
    return Key(digest(_write(source)), package, digest(_write(tables + named)), digest(_read_lock()), values)


def read_package() -> str:
    """Return the checksum of the code that may affect any page: package (without interfaces) and templates."""
    surfaces = [PACKAGE / name for name in SURFACES]
    # Hidden files are skipped: editors create them, such as Jupyter's checkpoints.
    modules = (path for path in PACKAGE.rglob("[!.]*.py") if not any(map(path.is_relative_to, surfaces)))
    return digest(_write(_read_checksums([*modules, *filter(Path.is_file, TEMPLATES.iterdir())])))


def read_versions() -> dict[str, str]:
    """Return the versions of the libraries that make a page."""
    return {name: metadata.version(name) for name in LIBRARIES}


def digest(content: bytes) -> str:
    """Return the SHA-256 checksum of content."""
    return hashlib.sha256(content).hexdigest()


def _write(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


@cache
def _read_lock() -> bytes:
    return LOCK_FILE.read_bytes() if LOCK_FILE.exists() else _write(read_versions())


def _find_named(values: Iterable[Any]) -> Iterator[Path]:
    """Yield the files named in parameter values."""
    for value in values:
        # Path raises an error for text that is too long to be a file name.
        with suppress(OSError, ValueError):
            if isinstance(value, str) and value and Path(value).is_file():
                yield Path(value)


def _read_checksums(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Return files of the package by name, with their checksums."""
    return sorted((path.relative_to(PACKAGE).as_posix(), digest(path.read_bytes())) for path in paths)

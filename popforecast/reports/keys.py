"""What a report is made of, as checksums: they say whether its page is fresh, and if not, why.

Contents alone count, never times, paths or the machine: a page that was committed is fresh in every checkout, whatever
runs there. The lock file stands for the libraries; where there is none, as in an installed wheel, their versions do.
"""

from __future__ import annotations

import hashlib
import json
import re
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

# Every page is made by these, whatever its notebook imports.
MAKERS = ("popforecast.reports.execution", "popforecast.reports.pages")
TEMPLATES = PACKAGE / "templates" / "report"

# The tables that every module may load, and those that only one reads: named here, because all pages would rest on
# what this module imports.
TABLES = (".csv", ".json", ".npz", ".gz")
OWN_TABLES = {"popforecast.evaluation.peers": DATA / "peers"}

IMPORT = re.compile(
    r"^[ \t]*(?:import (popforecast[\w.]*)|from (popforecast[\w.]*) import (\([^)]*\)|.*))", re.MULTILINE
)


@dataclass(frozen=True)
class Key:
    """What a report is made of.

    Attributes
    ----------
    notebook, package, data, lock : str
        Checksums: of its cells; of the modules it runs on and the templates of its page; of the tables, and the files
        that parameters name; of the libraries.
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


@dataclass(frozen=True)
class Module:
    """A module of the package: its checksum, and which modules it may import."""

    checksum: str
    imports: tuple[str, ...]


def read_key(notebook: Notebook, parameters: Mapping[str, Any], modules: Mapping[str, Module]) -> Key:
    """Return what a report is made of now.

    Parameters
    ----------
    notebook : Notebook
    parameters : dict
        What differs from the defaults.
    modules : dict
        As :func:`read_modules` returns them.
    """
    cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    # Outputs, which a notebook has when somebody ran it, make no difference to its page.
    source = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
    code = "\n".join(text for kind, text, _ in source if kind == "code")
    reached = sorted(reach([*find_imports(code), *MAKERS], modules))
    values = {**notebook.defaults, **parameters}
    own = [OWN_TABLES[name] for name in reached if name in OWN_TABLES]
    package = [[name, modules[name].checksum] for name in reached]
    templates = sorted(path for path in TEMPLATES.iterdir() if path.is_file())
    tables = [*_find_tables([DATA, *own]), *_find_named(values.values())]
    return Key(
        digest(_write(source)),
        digest(_write([*package, *map(_read_checksum, templates)])),
        digest(_write([_read_checksum(path) for path in tables])),
        digest(_read_lock()),
        values,
    )


def read_modules() -> dict[str, Module]:
    """Return every module of the package by its name."""
    modules = {}
    for path in PACKAGE.rglob("*.py"):
        content = path.read_bytes()
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(digest(content), tuple(find_imports(content.decode())))
    return modules


def find_imports(code: str) -> Iterator[str]:
    """Yield the names that code may import from the package, wherever in the code; some may be no modules.

    Examples
    --------
    >>> sorted(find_imports("from popforecast.models import ar as model, growth"))
    ['popforecast.models', 'popforecast.models.ar', 'popforecast.models.growth']
    """
    for plain, base, names in IMPORT.findall(code):
        yield plain or base
        yield from (f"{base}.{name}" for name in re.findall(r"\w+", re.sub(r" as \w+", "", names)))


def reach(names: Iterable[str], modules: Mapping[str, Module]) -> set[str]:
    """Return the modules of these names, and all that they import, directly or not.

    Examples
    --------
    >>> modules = {"p": Module("", ("p.a",)), "p.a": Module("", ("p.b",)), "p.b": Module("", ()), "p.c": Module("", ())}
    >>> sorted(reach(["p.b"], modules))
    ['p', 'p.a', 'p.b']
    """
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        # Who imports a module runs the packages above it, too.
        waiting += filter(None, [name.rpartition(".")[0]])
        if name in modules:
            reached.add(name)
            waiting += modules[name].imports
    return reached


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


def _find_tables(folders: Iterable[Path]) -> list[Path]:
    paths = {path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.suffix in TABLES}
    return sorted(paths, key=lambda path: path.name)


def _find_named(values: Iterable[Any]) -> Iterator[Path]:
    """Yield the files that parameters name."""
    for value in values:
        # A text that is too long for a file name names none, which Path says with an error.
        with suppress(OSError, ValueError):
            if isinstance(value, str) and value and Path(value).is_file():
                yield Path(value)


def _read_checksum(path: Path) -> tuple[str, str]:
    return path.name, digest(path.read_bytes())

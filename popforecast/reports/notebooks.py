"""The notebooks that are reports: where they lie, which parameters they take, and how their pages are called.

A page is called as its notebook and, where parameters are changed, by them, too: ``2-validate-ar.lags-2``. So a run
with changed parameters has files of its own, in every folder, and the page of the notebook as it is stays.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from popforecast.errors import ReportError

PACKAGE = Path(__file__).parent.parent

# An installed wheel carries the notebooks inside the package; in a checkout they lie at its top.
FOLDERS = (PACKAGE / "notebooks", PACKAGE.parent / "notebooks")

# The parameter that differs from page to page of a series.
LOCATION = "location"

# A report takes parameters and publishes a finding; a notebook without both is for people to work in.
PARAMETERS, SUMMARY = "parameters", "summary"

# In a notebook's metadata: {"popforecast": {"after": ["1-prepare"], "writes": ["write_to"]}}, each of them optional.
METADATA = "popforecast"

# A value that is a file name as it is; any other is told from its like by a checksum.
LONGEST_WORD = 24
WORD = re.compile(rf"[A-Za-z0-9-][A-Za-z0-9_-]{{,{LONGEST_WORD - 1}}}|-?\d+\.\d+")

# Of the checksum of a value, and what a word must not end in, lest it be taken for one.
LETTERS = 8
MARKED = re.compile(rf".*-[0-9a-f]{{{LETTERS}}}")

# File systems take 255 bytes, of which an ending and a temporary name take some.
LONGEST = 120


@dataclass(frozen=True)
class Notebook:
    """A notebook that can be made into a report.

    Attributes
    ----------
    path : Path
    title : str
        Its first heading.
    defaults : dict
        The parameters it takes, with their defaults.
    after : tuple of str
        The reports it rests on: it is made after them, and not at all if one of them fails.
    writes : tuple of str
        The parameters that name where it writes something else than its page.
    """

    path: Path
    title: str
    defaults: Mapping[str, Any]
    after: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which the command line knows it."""
        return self.path.stem


def find_folder() -> Path:
    """Return where the notebooks lie that come with popforecast: those that are reports, and those to work in."""
    return next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[-1])


def find_notebooks(folder: Path | None = None) -> dict[str, Notebook]:
    """Return the reports by name: every notebook in the folder with cells tagged ``parameters`` and ``summary``.

    Raises
    ------
    ReportError
        If there is none, or one cannot be read.
    """
    folder = folder or find_folder()
    notebooks = [notebook for notebook in map(_read_notebook, sorted(folder.glob("*.ipynb"))) if notebook]
    if not notebooks:
        raise ReportError(f"no report in {folder}: expected notebooks with cells tagged {PARAMETERS} and {SUMMARY}")
    return {notebook.name: notebook for notebook in notebooks}


def choose_notebooks(notebooks: Mapping[str, Notebook], names: Sequence[str] | None) -> list[Notebook]:
    """Return the notebooks of these names, each once; all of them if None.

    Raises
    ------
    ReportError
        If a name is unknown.
    """
    for name in names or ():
        if name not in notebooks:
            raise ReportError(f"no report {name!r}{_suggest(name, notebooks)}: expected one of {', '.join(notebooks)}")
    return [notebooks[name] for name in dict.fromkeys(notebooks if names is None else names)]


def find_changes(notebook: Notebook, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given parameters that differ from the notebook's own, as values of the types that those have.

    Raises
    ------
    ReportError
        If the notebook does not take a parameter, or its text does not fit the default's type.

    Examples
    --------
    >>> validate = Notebook(Path("validate.ipynb"), "Validate", {"lags": 1, "trend": "c", "models": ["ar1"]})
    >>> find_changes(validate, {"lags": "2", "trend": "c", "models": "ar1,naive"})
    {'lags': 2, 'models': ['ar1', 'naive']}
    """
    changed = {}
    for name, value in given.items():
        if name not in notebook.defaults:
            raise ReportError(
                f"report {notebook.name} has no parameter {name!r}{_suggest(name, notebook.defaults)}: expected "
                f"{'one of ' + ', '.join(notebook.defaults) if notebook.defaults else 'none'}"
            )
        fitted = _fit(value, notebook.defaults[name], f"parameter {name} of report {notebook.name}")
        # Not by ==, to which 1 in a list is True.
        if json.dumps(fitted) != json.dumps(notebook.defaults[name]):
            changed[name] = fitted
    return changed


def name_page(notebook: Notebook, changed: Mapping[str, Any]) -> str:
    """Return what the page of a notebook is called, without an ending.

    Parameters
    ----------
    notebook : Notebook
    changed : dict
        The parameters that differ from the notebook's own.

    Examples
    --------
    >>> validate = Notebook(Path("validate.ipynb"), "Validate", {"lags": 1, "trend": "c", "data": ""})
    >>> name_page(validate, {})
    'validate'
    >>> name_page(validate, {"trend": "ct", "lags": 2})
    'validate.lags-2.trend-ct'
    >>> name_page(validate, {"data": "../data/my own.csv"})
    'validate.data-my-own-csv-70ab0b1c'
    """
    if not changed:
        return notebook.name
    # In the notebook's order, whichever way they were given.
    words = [f"{name}-{_name_value(changed[name])}" for name in notebook.defaults if name in changed]
    name = ".".join([notebook.name, *words])
    if len(name) > LONGEST:
        name = f"{notebook.name}.{len(words)}-parameters-{_mark(dict(changed))}"
    return name


def describe_changes(changed: Mapping[str, Any]) -> str:
    """Return changed parameters as people read them.

    Examples
    --------
    >>> describe_changes({"lags": 2, "locations": [900, "NGA"]})
    'lags 2, locations [900, NGA]'
    """
    return ", ".join(f"{name} {write_value(value) or '(empty)'}" for name, value in changed.items())


def write_value(value: Any) -> str:
    """Write a parameter's value as the command line takes it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _read_notebook(path: Path) -> Notebook | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = content["cells"]
        tagged = {tag: "".join(cell["source"]) for cell in cells for tag in cell["metadata"].get("tags", ())}
        if not tagged.keys() >= {PARAMETERS, SUMMARY}:
            return None
        defaults = _read_defaults(tagged[PARAMETERS])
        order = content.get("metadata", {}).get(METADATA, {})
        after, writes = (tuple(order.get(name, ())) for name in ("after", "writes"))
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise ReportError(
            f"{path.name} is not a notebook whose parameters can be read ({error}): expected JSON with cells, and in "
            f"the one tagged {PARAMETERS!r} only lines such as lags = 1"
        ) from error
    headings = [line[2:].strip() for line in prose.splitlines() if line.startswith("# ")]
    return Notebook(path, headings[0] if headings else path.stem, defaults, after, writes)


def _read_defaults(source: str) -> dict[str, Any]:
    defaults = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign):
            target = line.targets[0]
            if not isinstance(target, ast.Name):
                raise ValueError(f"{ast.unparse(target)} is not a name")
            defaults[target.id] = ast.literal_eval(line.value)
    return defaults


def _fit(value: Any, default: Any, what: str) -> Any:
    """Return a value, or the text of one, in the default's type."""
    if not isinstance(value, str):
        return _check_type(value, default, what, repr(value))
    if isinstance(default, str):
        return value
    if isinstance(default, list) and not value.lstrip().startswith("["):
        # ar1,naive is what the other commands take; as YAML it would be one word.
        value = f"[{value}]"
    return _check_type(_parse(value, what), default, what, repr(value))


def _parse(text: str, what: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReportError(
            f"{what}: {text!r} cannot be read; expected a value such as 2, true or [ar1, naive]"
        ) from error


def _check_type(value: Any, default: Any, what: str, got: str) -> Any:
    expected = type(default)
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected or (expected is float and not math.isfinite(value)):
        raise ReportError(f"{what}: {got} is no {_name_type(default)}; expected one such as {default!r}")
    if expected is list and default:
        kinds = {type(item) for item in default}
        for item in value:
            if type(item) not in kinds:
                raise ReportError(f"{what}: {item!r} in {got} does not fit; expected items such as {default!r} has")
    return value


def _name_type(value: Any) -> str:
    names = {bool: "true or false", int: "whole number", float: "number", list: "list", str: "text"}
    return names.get(type(value), type(value).__name__)


def _suggest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
    return f" (nearest: {', '.join(near)})" if near else ""


def _name_value(value: Any) -> str:
    text = write_value(value)
    if WORD.fullmatch(text) and not MARKED.fullmatch(text):
        return text
    # Of a path, its end says most.
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    readable = "-".join(re.findall(r"[A-Za-z0-9]+", last))[:LONGEST_WORD].rstrip("-")
    return "-".join(filter(None, [readable, _mark(value)]))


def _mark(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:LETTERS]

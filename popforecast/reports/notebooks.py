"""Report notebooks: their location, parameters and page names.

A page is named after its notebook and any changed parameters: ``2-validate-ar.lags-2``. A run with changed parameters
therefore has separate files and does not replace the default page.
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

# An installed wheel has the notebooks inside the package; a checkout has them at the top level.
FOLDERS = (PACKAGE / "notebooks", PACKAGE.parent / "notebooks")

# The parameter that differs between the pages of a series.
LOCATION = "location"

# Tags of the cells that make a notebook a report; notebooks without both are for interactive use.
PARAMETERS, SUMMARY = "parameters", "summary"

# Notebook metadata, all optional: {"popforecast": {"after": ["1-prepare"], "writes": ["write_to"]}}.
METADATA = "popforecast"

# Values that can be used in a file name unchanged; others are distinguished by a checksum.
LONGEST_WORD = 24
WORD = re.compile(rf"[A-Za-z0-9-][A-Za-z0-9_-]{{,{LONGEST_WORD - 1}}}|-?\d+\.\d+")

# Letters shown of a checksum; values that end like a checksum get one too, to avoid ambiguity.
LETTERS = 8
MARKED = re.compile(rf".*-[0-9a-f]{{{LETTERS}}}")

# File systems allow 255 bytes, including the extension and a temporary suffix.
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
        Parameters with their default values.
    after : tuple of str
        Reports it depends on: they are made first, and it is not made if one of them fails.
    writes : tuple of str
        Parameters that name paths to which it writes files other than its page.
    """

    path: Path
    title: str
    defaults: Mapping[str, Any]
    after: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the report on the command line."""
        return self.path.stem


def find_folder() -> Path:
    """Return the folder of the notebooks included with popforecast: reports and interactive notebooks."""
    return next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[-1])


def find_notebooks(folder: Path | None = None) -> dict[str, Notebook]:
    """Return the reports by name: every notebook in the folder with cells tagged ``parameters`` and ``summary``.

    Raises
    ------
    ReportError
        If there are no reports, or one cannot be read.
    """
    folder = folder or find_folder()
    notebooks = [notebook for notebook in map(_read_notebook, sorted(folder.glob("*.ipynb"))) if notebook]
    if not notebooks:
        raise ReportError(f"no report in {folder}: expected notebooks with cells tagged {PARAMETERS} and {SUMMARY}")
    return {notebook.name: notebook for notebook in notebooks}


def choose_notebooks(notebooks: Mapping[str, Notebook], names: Sequence[str] | None) -> list[Notebook]:
    """Return the named notebooks without repeats, or all of them if names is None.

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
    """Return the given parameters that differ from the defaults, converted to the types of the defaults.

    Raises
    ------
    ReportError
        If a parameter is unknown, or its text cannot be converted to the type of the default.

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
        # Compared as JSON, because [1] == [True] in Python.
        if json.dumps(fitted) != json.dumps(notebook.defaults[name]):
            changed[name] = fitted
    return changed


def name_page(notebook: Notebook, changed: Mapping[str, Any]) -> str:
    """Return the file name of a page, without its extension.

    Parameters
    ----------
    notebook : Notebook
    changed : dict
        Parameters that differ from the defaults.

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
    # In the order of the notebook, so that the name does not depend on the order given.
    words = [f"{name}-{_name_value(changed[name])}" for name in notebook.defaults if name in changed]
    name = ".".join([notebook.name, *words])
    if len(name) > LONGEST:
        name = f"{notebook.name}.{len(words)}-parameters-{_mark(dict(changed))}"
    return name


def describe_changes(changed: Mapping[str, Any]) -> str:
    """Return changed parameters as readable text.

    Examples
    --------
    >>> describe_changes({"lags": 2, "locations": [900, "NGA"]})
    'lags 2, locations [900, NGA]'
    """
    return ", ".join(f"{name} {write_value(value) or '(empty)'}" for name, value in changed.items())


def write_value(value: Any) -> str:
    """Return a parameter value as written on the command line."""
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
    """Return a value, or the value of a text, in the type of the default."""
    if not isinstance(value, str):
        return _check_type(value, default, what, repr(value))
    if isinstance(default, str):
        return value
    if isinstance(default, list) and not value.lstrip().startswith("["):
        # Other commands accept ar1,naive, which YAML would read as one word.
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
        raise ReportError(f"{what}: {got} is not {_name_type(default)}; expected a value such as {default!r}")
    if expected is list and default:
        kinds = {type(item) for item in default}
        for item in value:
            if type(item) not in kinds:
                raise ReportError(f"{what}: {item!r} in {got} does not fit; expected items like those of {default!r}")
    return value


def _name_type(value: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", list: "a list", str: "text"}
    return names.get(type(value), type(value).__name__)


def _suggest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
    return f" (nearest: {', '.join(near)})" if near else ""


def _name_value(value: Any) -> str:
    text = write_value(value)
    if WORD.fullmatch(text) and not MARKED.fullmatch(text):
        return text
    # The last part of a path is the most informative.
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    readable = "-".join(re.findall(r"[A-Za-z0-9]+", last))[:LONGEST_WORD].rstrip("-")
    return "-".join(filter(None, [readable, _mark(value)]))


def _mark(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:LETTERS]

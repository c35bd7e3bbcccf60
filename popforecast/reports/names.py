"""How a page is called: as its notebook, and where parameters are changed, by them, too: ``2-validate-ar.lags-2``.

So a run with changed parameters has files of its own, in every folder, and the page of the notebook as it is stays.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from popforecast.reports.notebooks import Notebook

# A value that is a file name as it is; any other is told from its like by a checksum.
LONGEST_WORD = 24
WORD = re.compile(rf"[A-Za-z0-9-][A-Za-z0-9_-]{{,{LONGEST_WORD - 1}}}|-?\d+\.\d+")

# Of the checksum of a value, and what a word must not end in, lest it be taken for one.
LETTERS = 8
MARKED = re.compile(rf".*-[0-9a-f]{{{LETTERS}}}")

# File systems take 255 bytes, of which an ending and a temporary name take some.
LONGEST = 120


def name_page(notebook: Notebook, changed: Mapping[str, Any]) -> str:
    """Return what the page of a notebook is called, without an ending.

    Parameters
    ----------
    notebook : Notebook
    changed : dict
        The parameters that differ from the notebook's own.

    Examples
    --------
    >>> from pathlib import Path
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

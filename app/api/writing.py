"""How answers are written: JSON and CSV, whole persons, nothing that a parser would refuse."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

# Beyond these a JSON reader in another language loses digits anyway, and a figure stays as it is.
WHOLE_BELOW = 2**63


def write_json(answer: dict[str, Any], rows: dict[str, pd.DataFrame] | None = None) -> str:
    """Write an answer as JSON, tables first; what is missing in one, or infinite, is null.

    Parameters
    ----------
    answer : dict
        Plain values.
    rows : dict of str to DataFrame, optional
        Tables, each under its name: a list with an object for each row.

    Examples
    --------
    >>> print(write_json({"unit": "persons"}, {"rows": pd.DataFrame({"year": [2030], "population": [None]})}).strip())
    {"rows":[{"year":2030,"population":null}],"unit":"persons"}
    """
    members = [f"{json.dumps(name)}:{_write_rows(frame)}" for name, frame in (rows or {}).items()]
    members += [f"{json.dumps(name)}:{_dump(value)}" for name, value in answer.items()]
    return "{" + ",".join(members) + "}\n"


def write_csv(rows: pd.DataFrame, **constants: Any) -> str:
    """Write a table as CSV, with where it comes from as further columns, the same in every row.

    Examples
    --------
    >>> print(write_csv(pd.DataFrame({"year": [2030]}), revision="wpp2024").strip())
    year,revision
    2030,wpp2024
    """
    return rows.assign(**constants).to_csv(index=False, lineterminator="\n")


def count_whole(persons: float) -> float | None:
    """Return persons as a whole number; None for what no number is.

    Examples
    --------
    >>> count_whole(8_745_733_214.4), count_whole(float("inf")), count_whole(1e300)
    (8745733214, None, 1e+300)
    """
    if not math.isfinite(persons):
        return None
    return round(persons) if abs(persons) < WHOLE_BELOW else persons


def _write_rows(frame: pd.DataFrame) -> str:
    # Pandas writes whole numbers ten times as fast as json does; what it would round, json writes.
    if not any(pd.api.types.is_float_dtype(kind) for kind in frame.dtypes):
        return frame.to_json(orient="records", force_ascii=False)
    finite = frame.replace([math.inf, -math.inf], math.nan).astype(object)
    return _dump(finite.where(finite.notna(), None).to_dict("records"))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

"""Writing of responses: JSON and CSV, with whole persons and no values that parsers reject."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

# Larger figures are not rounded to integers: JSON parsers in other languages lose their digits anyway.
WHOLE_BELOW = 2**63


@dataclass(frozen=True)
class Twins:
    r"""An answer that can be written as JSON or CSV.

    Attributes
    ----------
    facts : dict
        Plain values: members of the JSON, after its tables.
    tables : dict of str to DataFrame or list
        Members of the JSON: a list with one object per row; missing and infinite values are null.
    to_csv : callable
        Returns the CSV.

    Examples
    --------
    >>> rows = pd.DataFrame({"year": [2030], "population": [None]})
    >>> twins = Twins({"unit": "persons"}, {"rows": rows}, lambda: write_csv(rows, revision="wpp2024"))
    >>> twins.to_json(), twins.to_csv()
    ('{"rows":[{"year":2030,"population":null}],"unit":"persons"}\n', 'year,population,revision\n2030,,wpp2024\n')
    """

    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame | list[dict[str, Any]]]
    to_csv: Callable[[], str]

    def to_json(self) -> str:
        """Return the answer as JSON."""
        members = [f"{json.dumps(name)}:{_write_rows(rows)}" for name, rows in self.tables.items()]
        members += [f"{json.dumps(name)}:{_dump(value)}" for name, value in self.facts.items()]
        return "{" + ",".join(members) + "}\n"


def write_csv(rows: pd.DataFrame, **columns: Any) -> str:
    """Return a table as CSV with further columns, such as its source."""
    return rows.assign(**columns).to_csv(index=False, lineterminator="\n")


def count_whole(persons: float) -> float | None:
    """Return persons as a whole number; None if they are not finite.

    Examples
    --------
    >>> count_whole(8_745_733_214.4), count_whole(float("inf")), count_whole(1e300)
    (8745733214, None, 1e+300)
    """
    if not math.isfinite(persons):
        return None
    return round(persons) if abs(persons) < WHOLE_BELOW else persons


def _write_rows(frame: pd.DataFrame | list[dict[str, Any]]) -> str:
    if isinstance(frame, list):
        return _dump(frame)
    # Pandas is ten times as fast as json, but rounds floats.
    if not any(pd.api.types.is_float_dtype(kind) for kind in frame.dtypes):
        return frame.to_json(orient="records", force_ascii=False)
    finite = frame.replace([math.inf, -math.inf], math.nan).astype(object)
    return _dump(finite.where(finite.notna(), None).to_dict("records"))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

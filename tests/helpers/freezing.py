"""Whether a result can be changed in place, by what people try: also after it was copied, or sent to a process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from popforecast.models import Model


def check_frozen(result: Any) -> None:
    """Check that every attempt to change a result in place raises, or changes nothing."""
    for made in (result, copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert type(made) is type(result)
        _check_each(made)


def _check_each(result: Any) -> None:
    properties = [name for kind in type(result).__mro__ for name, it in vars(kind).items() if isinstance(it, property)]
    # What begins with an underscore is nobody's to edit.
    for name in (*(field.name for field in fields(result)), *(name for name in properties if name[0] != "_")):
        with pytest.raises(AttributeError):
            setattr(result, name, None)
        held = getattr(result, name)
        if isinstance(held, pd.DataFrame):
            _edit(held)
            assert not held.equals(getattr(result, name)), name
        elif not isinstance(held, list) or held is getattr(result, name):
            # A list that is made anew for each reader is the reader's own.
            _check_value(held, name)


def _check_value(value: Any, name: str) -> None:
    if isinstance(value, np.ndarray):
        assert not value.flags.writeable, name
    elif isinstance(value, Mapping):
        with pytest.raises(TypeError):
            value["more"] = None
        for key, each in value.items():
            _check_value(each, f"{name}, {key}")
    elif isinstance(value, tuple):
        for each in value:
            _check_value(each, name)
    elif is_dataclass(value) and not isinstance(value, Model):
        _check_each(value)
    else:
        assert not isinstance(value, list | set | pd.DataFrame | pd.Series), f"{name} can be changed"


def _edit(table: pd.DataFrame) -> None:
    table["added"] = 0
    if len(table):
        table.iloc[0, 0] = None
    del table[table.columns[1]]

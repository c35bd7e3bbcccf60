"""Results that nobody can change in place: read-only arrays, mappings that are only views, and copies of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Table:
    """What stands for a table in a result: each reader gets a copy, so that editing it changes no result.

    Such copies share their cells until one of them is changed, so they cost little.

    Parameters
    ----------
    name : str
        Of the field.
    optional : bool
        Whether it may be left out; then it is passed on as None.
    """

    def __init__(self, name: str, optional: bool) -> None:
        self._name = name
        self._optional = optional

    def __get__(self, result: object | None, owner: type) -> pd.DataFrame | None:
        if result is not None:
            table: pd.DataFrame = result.__dict__[self._name]
            return table.copy(deep=False)
        # A dataclass asks the class what a field is if it is left out.
        if not self._optional:
            raise AttributeError(self._name)
        return None

    def __set__(self, result: object, table: pd.DataFrame | None) -> None:
        result.__dict__[self._name] = None if table is None else pd.DataFrame(table)


@dataclass(frozen=True, eq=False, repr=False)
class Frozen:
    """Base of results: their arrays and mappings are read-only, and stay so when they are copied or pickled.

    Parameters
    ----------
    tables : iterable of str
        Of a class that derives from it, the fields that hold tables: whoever reads one gets a copy.

    Examples
    --------
    >>> from popforecast.models import Prediction
    >>> path = Prediction(np.ones((1, 2)), {80: np.zeros((1, 2))}, {80: np.full((1, 2), 2.0)})
    >>> path.lower[80] = path.population
    Traceback (most recent call last):
    TypeError: 'mappingproxy' object does not support item assignment
    """

    def __init_subclass__(cls, tables: Iterable[str] = ()) -> None:
        super().__init_subclass__()
        for name in tables:
            setattr(cls, name, Table(name, optional=name in vars(cls)))

    def __post_init__(self) -> None:
        held = self.__dict__
        for name, value in held.items():
            held[name] = protect(value)

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew from its fields: neither the flags of arrays nor views of mappings outlive a pickle.
        return type(self), tuple(release(self.__dict__[field.name]) for field in fields(self))


def freeze(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only, as those of every result are."""
    for array in arrays:
        array.flags.writeable = False


def protect(value: Any) -> Any:
    """Return a value of a result so that it cannot be changed in place: its arrays and mappings, and those in them.

    Examples
    --------
    >>> protect({"parameters": {"lags": 2}})["parameters"]["lags"] = 3
    Traceback (most recent call last):
    TypeError: 'mappingproxy' object does not support item assignment
    """
    if isinstance(value, np.ndarray):
        freeze(value)
    elif isinstance(value, Mapping):
        return MappingProxyType({key: protect(each) for key, each in value.items()})
    return value


def release(value: Any) -> Any:
    """Return a value with plain dicts in place of its read-only mappings, which neither JSON nor pickle takes.

    Examples
    --------
    >>> release(protect({"parameters": {"lags": 2}}))
    {'parameters': {'lags': 2}}
    """
    return {key: release(each) for key, each in value.items()} if isinstance(value, Mapping) else value

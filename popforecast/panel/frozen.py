"""Immutable results: read-only arrays and mappings, and copies of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Table:
    """Descriptor for a table in a result: reading it returns a copy, so that editing the copy leaves the result intact.

    Copies are cheap: they share their cells until one is changed.

    Parameters
    ----------
    name : str
        Name of the field.
    optional : bool
        Whether it may be omitted; it is then None.
    """

    def __init__(self, name: str, optional: bool) -> None:
        self._name = name
        self._optional = optional

    def __get__(self, result: object | None, owner: type) -> pd.DataFrame | None:
        if result is not None:
            table: pd.DataFrame = result.__dict__[self._name]
            return table.copy(deep=False)
        # A dataclass reads the default of a field from the class.
        if not self._optional:
            raise AttributeError(self._name)
        return None

    def __set__(self, result: object, table: pd.DataFrame | None) -> None:
        result.__dict__[self._name] = None if table is None else pd.DataFrame(table)


@dataclass(frozen=True, eq=False, repr=False)
class Frozen:
    """Base class of results: arrays and mappings are read-only, also after copying and unpickling.

    A subclass names its fields that hold tables: ``class Result(Frozen, tables=("errors",))``. Reading one of them
    returns a copy.

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
        # Rebuilt from its fields, because pickling drops array flags and rejects mapping proxies.
        return type(self), tuple(release(self.__dict__[field.name]) for field in fields(self))


def freeze(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.flags.writeable = False


def protect(value: Any) -> Any:
    """Return a value whose arrays and mappings, including nested ones, are read-only.

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
    """Return a value with its read-only mappings replaced by dicts, which JSON and pickle accept.

    Examples
    --------
    >>> release(protect({"parameters": {"lags": 2}}))
    {'parameters': {'lags': 2}}
    """
    return {key: release(each) for key, each in value.items()} if isinstance(value, Mapping) else value

"""Components of population change: population by age and sex, mortality, fertility and migration."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.errors import PanelError, YearError
from popforecast.panel.cubes import check_between, collect_cube, collect_whole
from popforecast.panel.frozen import Frozen, freeze

Array = NDArray[np.float64]
Years = NDArray[np.int64]

# First ages of the groups: of population, of death rates (infants separately), and of fertility.
AGES = tuple(range(0, 101, 5))
MORTALITY_AGES = (0, 1, *AGES[1:])
FERTILE_AGES = AGES[3:10]
SEXES = ("M", "F")

# Years in an age group, and in a period.
SPAN = 5

# Limits beyond any value on record.
MOST_DEATHS, MOST_OLD_DEATHS, MOST_CHILDREN, FEWEST_BOYS, MOST_BOYS = 3.0, 10.0, 15.0, 0.8, 1.4

ANNUAL = ("births", "deaths", "net_migration", "tfr")


@dataclass(frozen=True, eq=False, repr=False)
class Components(Frozen):
    """Past population and rates of n places by age, sex and five-year period, from one revision.

    The order of sexes is men, women. Death rates, and fertility by age, may be unknown (NaN) in early periods.

    Attributes
    ----------
    codes : tuple
        Codes of the places.
    years : ndarray, shape (a,)
        Every fifth year, at mid-year.
    ages : ndarray, shape (n, 2, 21, a)
        Persons at ages 0-4, 5-9, ..., 95-99, 100 and over.
    periods : ndarray, shape (p,)
        First years of five-year periods, from mid-year to mid-year.
    mortality : ndarray, shape (n, 2, 22, p)
        Deaths per person-year at 0, 1-4, 5-9, ..., 95-99, 100 and over.
    fertility : ndarray, shape (n, p)
        Children per woman (total fertility).
    sex_ratio : ndarray, shape (n, p)
        Boys per girl at birth.
    fertility_by_age : ndarray, shape (n, 7, p)
        Percent of total fertility at 15-19, 20-24, ..., 45-49.
    calendar : ndarray, shape (c,)
        Calendar years; empty if births and deaths by year are not known.
    births, deaths, net_migration : ndarray, shape (n, c)
        Persons per calendar year. The last net migration is NaN if half of its year lies after the origin.
    tfr : ndarray, shape (n, c)
        Children per woman, by calendar year.
    edition : str or None
        The edition of World Population Prospects they were loaded from.

    Raises
    ------
    PanelError
        If a figure is missing or out of range; the error names the place and year.
    """

    codes: tuple[Hashable, ...]
    years: Years
    ages: Array
    periods: Years
    mortality: Array
    fertility: Array
    sex_ratio: Array
    fertility_by_age: Array
    calendar: Years
    births: Array
    deaths: Array
    net_migration: Array
    tfr: Array
    edition: str | None = None

    def __post_init__(self) -> None:
        n, a, p, c = len(self.codes), len(self.years), len(self.periods), len(self.calendar)
        shapes = {
            "ages": (n, 2, len(AGES), a),
            "mortality": (n, 2, len(MORTALITY_AGES), p),
            "fertility": (n, p),
            "sex_ratio": (n, p),
            "fertility_by_age": (n, len(FERTILE_AGES), p),
            **dict.fromkeys(ANNUAL, (n, c)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise PanelError(f"{name} has shape {getattr(self, name).shape}: expected {shape}")
        for name, starts, step in (("years", self.years, SPAN), ("periods", self.periods, SPAN)):
            if not len(starts) or (np.diff(starts) != step).any() or starts[0] != self.years[0]:
                raise PanelError(
                    f"{name} {starts.tolist()}: expected every fifth year from {self.years[:1].tolist()} on"
                )
        if (np.diff(self.calendar) != 1).any() or (c and self.calendar[0] != self.years[0]):
            raise PanelError(f"calendar years {self.calendar.tolist()}: expected every year from {self.years[0]} on")
        self._check_figures()
        super().__post_init__()

    def _check_figures(self) -> None:
        codes = self.codes
        check_between(self.ages, codes, self.years, "a population", 0, np.inf)
        # Few people are 100 and over, so editions state extreme rates for them.
        for groups, most in ((self.mortality[:, :, :-1], MOST_DEATHS), (self.mortality[:, :, -1:], MOST_OLD_DEATHS)):
            check_between(groups, codes, self.periods, "a death rate", 0, most, first_may_lack=True)
        check_between(self.fertility, codes, self.periods, "children per woman", 0, MOST_CHILDREN)
        check_between(self.sex_ratio, codes, self.periods, "boys per girl", FEWEST_BOYS, MOST_BOYS, first_may_lack=True)
        shares = self.fertility_by_age
        check_between(shares, codes, self.periods, "a percentage of fertility", 0, 100, first_may_lack=True)
        sums = shares.sum(axis=1)
        check_between(sums, codes, self.periods, "percentages of fertility by age that sum to", 99, 101, True)
        for name in ("births", "deaths"):
            check_between(getattr(self, name), codes, self.calendar, f"{name} a year", 0, np.inf)
        check_between(self.tfr, codes, self.calendar, "children per woman", 0, MOST_CHILDREN)
        known = self.net_migration[:, :-1]
        check_between(known, codes, self.calendar, "net migration a year", -np.inf, np.inf)

    @classmethod
    def from_frames(
        cls,
        ages: pd.DataFrame,
        mortality: pd.DataFrame,
        fertility: pd.DataFrame,
        fertility_by_age: pd.DataFrame,
        annual: pd.DataFrame | None = None,
        edition: str | None = None,
    ) -> Components:
        """Build components from long tables in any row order, with persons in thousands, as the UN publishes them.

        Parameters
        ----------
        ages : DataFrame
            location_code, year, sex (M, F), age (0, 5, ..., 100), population_thousands.
        mortality : DataFrame
            location_code, period_start, sex, age (0, 1, 5, ..., 100), mx. Whole tables of early periods may be absent.
        fertility : DataFrame
            location_code, period_start, tfr, sex_ratio_at_birth (empty where not known).
        fertility_by_age : DataFrame
            location_code, period_start, age (15, 20, ..., 45), percent. Early periods may be absent.
        annual : DataFrame, optional
            location_code, year, births_thousands, deaths_thousands, net_migration_thousands, tfr.
        edition : str, optional
            The edition of World Population Prospects, for components loaded from one.

        Raises
        ------
        PanelError
            If a column is absent, a row is repeated or missing, or a figure is out of range; the error names the place.
        """
        counted = collect_whole(ages, ["location_code", "sex", "age", "year"], "population_thousands", "ages")
        codes, years = counted.labels[0], np.array(counted.labels[3], dtype=np.int64)
        persons = counted.select(codes, SEXES, AGES, years)
        starts = [year for year in years.tolist() if year in set(fertility["period_start"])]
        rates = collect_cube(mortality, ["location_code", "sex", "age", "period_start"], "mx", "mortality")
        by_age = collect_cube(fertility_by_age, ["location_code", "age", "period_start"], "percent", "fertility_by_age")
        keys = ["location_code", "period_start"]
        total = collect_whole(fertility[[*keys, "tfr"]], keys, "tfr", "fertility")
        ratio = collect_cube(fertility, keys, "sex_ratio_at_birth", "fertility")
        calendar: list[int] = [] if annual is None else sorted(set(annual["year"].tolist()))
        yearly = [np.zeros((len(codes), 0))] * len(ANNUAL)
        if annual is not None:
            columns = ["births_thousands", "deaths_thousands", "net_migration_thousands", "tfr"]
            tables = (collect_whole(annual, ["location_code", "year"], column, "annual") for column in columns)
            yearly = [table.select(codes, calendar) for table in tables]
        births, deaths, net_migration, tfr = yearly
        return cls(
            codes,
            years,
            1000 * persons,
            np.array(starts, dtype=np.int64),
            rates.select(codes, SEXES, MORTALITY_AGES, starts),
            total.select(codes, starts),
            ratio.select(codes, starts),
            by_age.select(codes, FERTILE_AGES, starts),
            np.array(calendar, dtype=np.int64),
            1000 * births,
            1000 * deaths,
            1000 * net_migration,
            tfr,
            edition,
        )

    def select(self, codes: Iterable[Hashable]) -> Components | None:
        """Return the components of the places that have them, in the given order; None if no place has."""
        own = {code: row for row, code in enumerate(self.codes)}
        rows = [own[code] for code in codes if code in own]
        if rows == list(range(len(self.codes))):
            return self
        taken = {name: getattr(self, name)[rows] for name in PLACED}
        return self._derive(codes=tuple(self.codes[row] for row in rows), **taken) if rows else None

    def cut(self, codes: Iterable[Hashable], year: int) -> Components | None:
        """Return the components of some places that were known in a year; None if there are none.

        Examples
        --------
        >>> import popforecast as pf
        >>> pf.load_components("wpp2024").cut([392, 900], 1990)
        <Components: 1 places, ages 1950 to 1990 by 5, by year to 1990>
        """
        own = self.select(codes) if self.periods[0] + SPAN <= year else None
        return own and own.until(year)

    def list_known(self) -> list[Hashable]:
        """Return the codes of the places with complete rates for the last period."""
        lacking = [np.isnan(getattr(self, name)[..., -1]).reshape(len(self), -1).any(axis=1) for name in PERIODICAL]
        return [code for code, lacks in zip(self.codes, np.any(lacking, axis=0), strict=True) if not lacks]

    def until(self, year: int) -> Components:
        """Return the components up to a year: ages, complete periods and calendar years.

        Net migration in the year itself is not known, because half of it comes after mid-year.

        Raises
        ------
        YearError
            If nothing was known by then.
        """
        if self.periods[0] + SPAN > year:
            raise YearError(f"no period of components had ended by {year}: the first begins in {self.periods[0]}")
        a, p, c = (
            int((starts + span <= year).sum())
            for starts, span in ((self.years, 0), (self.periods, SPAN), (self.calendar, 0))
        )
        if (a, p, c) == (len(self.years), len(self.periods), len(self.calendar)):
            return self
        migrants = self.net_migration[:, :c].copy()
        if c < len(self.calendar):
            migrants[:, -1:] = np.nan
        cut = {name: getattr(self, name)[..., :c] for name in ("calendar", "births", "deaths", "tfr")}
        cut |= {name: getattr(self, name)[..., :p] for name in (*PERIODICAL, "periods")}
        return self._derive(years=self.years[:a], ages=self.ages[..., :a], net_migration=migrants, **cut)

    def replace(self, **parts: Array) -> Components:
        """Return components with some figures replaced, without checking again."""
        return self._derive(**parts)

    def _derive(self, **parts: Any) -> Components:
        """Return components made of parts of these, without checking again."""
        derived = object.__new__(Components)
        held = {field.name: getattr(self, field.name) for field in fields(self)} | parts
        freeze(*(part for part in held.values() if isinstance(part, np.ndarray)))
        derived.__dict__.update(held)
        return derived

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of all figures; the same on any machine."""
        digest = hashlib.sha256("\x1f".join(map(str, self.codes)).encode())
        for name in ("years", "periods", "calendar", *PLACED):
            digest.update(getattr(self, name).astype("<f8").tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        yearly = f", by year to {self.calendar[-1]}" if len(self.calendar) else ""
        return f"<Components: {len(self)} places, ages {self.years[0]} to {self.years[-1]} by {SPAN}{yearly}>"


PERIODICAL = ("mortality", "fertility", "sex_ratio", "fertility_by_age")
PLACED = ("ages", *PERIODICAL, *ANNUAL)

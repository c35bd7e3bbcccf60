"""Questions for population by age, and for births, deaths and net migration."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from popforecast.errors import InputError
from popforecast.forecasting.result import Forecast
from popforecast.models import Cohort
from popforecast.panel.components import AGES, SEXES
from popforecast.question.reading import Faults
from popforecast.question.table import Asked, Question
from popforecast.question.texts import Group
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION

# Rows of one location in one year, and the maximum: about as many as all locations have in all years without ages.
GROUPS, MOST_ROWS = len(SEXES) * len(AGES), 50_000


@dataclass(frozen=True)
class AgesQuestion(Asked):
    """A question for population by sex and age, from the model ``cohort``.

    Attributes
    ----------
    locations, groups, start, end, revision
        As in :class:`popforecast.question.Question`. Before the origin, ages exist for every fifth year.

    Examples
    --------
    >>> question = AgesQuestion.read({"location": ["KOR"], "from": ["2050"], "to": ["2050"]})
    >>> fc = question.answer()
    >>> bool(fc.ages()["population"].sum() == round(fc.population[0, 0]))
    True
    >>> AgesQuestion.read({"location": ["all"]})
    Traceback (most recent call last):
    popforecast.question.reading.QuestionError: 297 locations in 11 years have 137,214 rows by sex and age: expected ...
    """

    locations: tuple[int, ...]
    groups: tuple[Group, ...] = field(default=(), kw_only=True)
    start: int
    end: int
    revision: str = DEFAULT_REVISION

    @property
    def question(self) -> Question:
        """The question for the totals."""
        return Question(
            self.locations, self.start, self.end, Cohort().name, self.revision, groups=self.groups, levels=(80.0,)
        )

    def answer(self) -> Forecast:
        """Return the forecast that has the ages."""
        return self.question.answer()

    @classmethod
    def _complete(cls, values: dict[str, Any], faults: Faults) -> None:
        Question._complete(values, faults)
        if faults:
            return
        asked = cls(**{field: values[field] for field in cls.rows()})
        if faults.attempt("to", asked._check_size) is None:
            return
        fc = asked.answer()
        assert fc.structure is not None
        faults.attempt("from", asked._check_years, fc)
        names: dict[Hashable, str] = fc.locations["name"].to_dict()
        for code, name in names.items():
            faults.attempt("group" if code in dict(asked.groups) else "location", fc.structure.find, code, name)

    def _check_size(self) -> int:
        places, years = len(self.locations) + len(self.groups), self.end - self.start + 1
        rows = places * years * GROUPS
        if rows > MOST_ROWS:
            raise InputError(
                f"{places} locations in {years} years have {rows:,} rows by sex and age: expected at most "
                f"{MOST_ROWS:,}, so request fewer years or locations"
            )
        return rows

    def _check_years(self, fc: Forecast) -> None:
        panel = get_session(self.revision).panel
        assert panel.components is not None
        if self.end < panel.origin and not set(fc.years.tolist()) & set(panel.components.years.tolist()):
            raise InputError(
                f"no ages are published from {self.start} to {self.end}: expected {panel.components.years[0]} or every "
                f"fifth year after it, or {panel.origin} or later"
            )


@dataclass(frozen=True)
class ComponentsQuestion(AgesQuestion):
    """A question for births, deaths and net migration in each year of a forecast by the model ``cohort``.

    Attributes
    ----------
    locations, groups, start, end, revision
        As in :class:`AgesQuestion`; years up to the origin are left out.
    """

    def _check_size(self) -> int:
        return (len(self.locations) + len(self.groups)) * (self.end - self.start + 1)

    def _check_years(self, fc: Forecast) -> None:
        """Accept all years: those up to the origin are left out."""

"""What-if scenarios: their rows of the table of parameters, and the outlook that answers a question with some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from popforecast.errors import InputError, quote
from popforecast.models import BY_AGE, Cohort
from popforecast.models.cohort.scenarios import FERTILITY, MIGRATION, MORTALITY, Scenario
from popforecast.question.reading import Given, Parameter, Reader

if TYPE_CHECKING:
    from popforecast.forecasting.outlook import Outlook
    from popforecast.session import Session

Value = str | float


def read_scenario(name: str) -> Reader:
    """Return a reader of a what-if value: a word or a number, for the model that knows ages."""

    def read(texts: list[str], given: Given) -> Value:
        text = texts[0].strip()
        value: Value = float(text) if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,3})?", text, re.ASCII) else text
        Scenario(**{name: value})  # type: ignore[arg-type]
        if given.model != BY_AGE:
            raise InputError(f"{name} {quote(text)} needs the model {BY_AGE}: {given.model} forecasts totals only")
        return value

    return read


def _describe(name: str, examples: tuple[str, ...], description: str) -> Parameter:
    return Parameter(
        name,
        read_scenario(name),
        f"a scenario such as {', '.join(examples)}",
        f"What if: {description} Without ranges, and by {BY_AGE} only.",
        {"type": "string", "minLength": 1, "maxLength": 20, "examples": list(examples)},
        examples[0],
        needs=("model",),
        write=lambda value: value if isinstance(value, str) else f"{value:g}",
    )


SCENARIOS = {
    "fertility": _describe(
        "fertility",
        (*FERTILITY, "2.1"),
        "children per woman from now on: those of the last year (constant), as many as replace their parents "
        "(replacement), half a child fewer in the end (low), or a number.",
    ),
    "migration": _describe(
        "migration",
        (*MIGRATION, "-1.5"),
        "net migration at the rate of the last five years (constant), none (zero), or net migrants per 1,000 "
        "people a year.",
    ),
    "mortality": _describe("mortality", MORTALITY, "death rates stay as they are (constant)."),
}


class Supposed:
    """What-if values of a question."""

    if TYPE_CHECKING:
        model: str
        levels: tuple[float, ...]
        fertility: Value | None
        migration: Value | None
        mortality: str | None

    @property
    def scenario(self) -> dict[str, Value]:
        """The values that were given, by name."""
        given = {name: getattr(self, name) for name in SCENARIOS}
        return {name: value for name, value in given.items() if value is not None}


def suppose(question: Supposed, session: Session) -> tuple[Outlook, tuple[float, ...]]:
    """Return the outlook that answers a question, and the levels of its intervals."""
    if question.scenario:
        return session.outlook(Cohort(**question.scenario)), ()  # type: ignore[arg-type]
    return session.outlook(question.model, question.levels), question.levels

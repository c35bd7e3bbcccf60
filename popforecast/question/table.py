"""The table of parameters, and the question for a forecast.

Each parameter is a row of :data:`PARAMETERS`, with the name of its field as the key, and a field of every question that
accepts it. The web query, the OpenAPI document, the form, the client, the command line and the explorer all use this
table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

import popforecast.models as models
from popforecast.charts.lines import SCALES
from popforecast.evaluation.record import HORIZONS
from popforecast.forecasting import DEFAULT_LEVELS
from popforecast.forecasting.milestones import USUAL_LEVEL
from popforecast.forecasting.result import Forecast
from popforecast.models import DEFAULT_MODEL, MODELS
from popforecast.panel.years import DEFAULT_STEPS, FIRST_YEAR, LAST_YEAR, check_years, last_year
from popforecast.question.places import (
    EVERY,
    GROUP_EXPECTED,
    LONGEST_GROUP_NAME,
    LONGEST_NAME,
    MOST_GROUPS,
    MOST_LOCATIONS,
    find_places,
    write_group,
)
from popforecast.question.reading import (
    Arguments,
    Faults,
    Given,
    Parameter,
    Schema,
    Texts,
    find_unknown,
    read_values,
    write_arguments,
)
from popforecast.question.scenarios import SCENARIOS, Supposed, suppose
from popforecast.question.texts import Group, choose_among, read_groups, read_level, read_levels, read_year_of
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, VINTAGES, get_revision

MOST_LEVELS = 9

LEVEL: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100, "multipleOf": 0.1}
LEVEL_EXPECTED = "a percentage between 0 and 100, such as 80 or 95"
MODELS_EXPECTED = f"one of {', '.join(MODELS)}"


def _describe_year(name: str, example: int, description: str) -> Parameter:
    schema = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
    return Parameter(
        name, read_year_of(name), f"a year, such as {example}", description, schema, example, needs=("revision",)
    )


PARAMETERS = {
    "locations": Parameter(
        "location",
        lambda texts, given: find_places(texts, given.revision),
        "a code, ISO3 code, name or alias, such as World, NGA or 356",
        f"A code, ISO3 code, name or alias; can be repeated. `{EVERY}` on its own selects every location.",
        {
            "anyOf": [
                {"$ref": "#/components/schemas/LocationCode"},
                {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": r"\S"},
            ]
        },
        ["NGA", "World"],
        MOST_LOCATIONS,
        (),
        needs=("revision",),
    ),
    "groups": Parameter(
        "group",
        read_groups,
        GROUP_EXPECTED,
        f"Your own group: a name of at most {LONGEST_GROUP_NAME} characters that spreadsheets cannot read as a "
        "formula, a colon, and members separated by commas (codes, ISO3 codes or names). The forecast is the sum of "
        "its members.",
        {"type": "string", "pattern": rf"^(?!\s*[=+@-])[^:]{{1,{LONGEST_GROUP_NAME}}}:[^:]+$"},
        ["South Asia:356,586,50"],
        MOST_GROUPS,
        (),
        needs=("revision", "model"),
        write=lambda group: write_group(*group),
    ),
    "start": _describe_year("from", 2030, "First year. Default: the first after the last estimate."),
    "end": _describe_year("to", 2035, "Last year, not before the first. Default: ten years later."),
    "model": Parameter(
        "model",
        lambda texts, _: models.get(texts[0]).name,
        MODELS_EXPECTED,
        "The forecasting model.",
        {"type": "string", "enum": list(MODELS), "default": DEFAULT_MODEL},
        DEFAULT_MODEL,
        default=DEFAULT_MODEL,
    ),
    "revision": Parameter(
        "revision",
        lambda texts, _: get_revision(texts[0]).name,
        f"one of {', '.join(REVISIONS)}",
        "The edition of World Population Prospects.",
        {"type": "string", "enum": list(REVISIONS), "default": DEFAULT_REVISION},
        DEFAULT_REVISION,
        default=DEFAULT_REVISION,
    ),
    "levels": Parameter(
        "level",
        read_levels,
        LEVEL_EXPECTED,
        "Coverage of an interval in percent, with at most one decimal; can be repeated. "
        f"Default: {' and '.join(map(str, DEFAULT_LEVELS))}.",
        LEVEL,
        list(DEFAULT_LEVELS),
        MOST_LEVELS,
        DEFAULT_LEVELS,
        write="{:g}".format,
    ),
    **SCENARIOS,
    "horizons": Parameter(
        "horizon",
        choose_among("horizon", HORIZONS),
        "a number of years, such as 10",
        "Years after the origin; can be repeated. Default: all.",
        {"type": "integer", "enum": list(HORIZONS)},
        [10],
        len(HORIZONS),
        (),
    ),
    "vintages": Parameter(
        "vintage",
        choose_among("vintage", tuple(VINTAGES)),
        "an edition, such as wpp2012",
        "The edition forecast from; can be repeated. Default: all.",
        {"type": "string", "enum": list(VINTAGES)},
        ["wpp2012"],
        len(VINTAGES),
        (),
    ),
    "models": Parameter(
        "model",
        choose_among("model", tuple(MODELS)),
        MODELS_EXPECTED,
        "A model; can be repeated. Default: all.",
        {"type": "string", "enum": list(MODELS)},
        [DEFAULT_MODEL],
        len(MODELS),
        (),
    ),
    "level": Parameter(
        "level",
        lambda texts, _: read_level(texts[0]),
        LEVEL_EXPECTED,
        "Coverage of the intervals of years, in percent.",
        {**LEVEL, "default": USUAL_LEVEL},
        USUAL_LEVEL,
        default=USUAL_LEVEL,
        write="{:g}".format,
    ),
    "scale": Parameter(
        "scale",
        lambda texts, given: choose_among("scale", SCALES)(texts, given)[0],
        "absolute, log or indexed",
        "How the chart is drawn.",
        {"type": "string", "enum": list(SCALES)},
        SCALES[0],
        default=SCALES[0],
    ),
}


class Asked:
    """Base class of questions: frozen dataclasses whose fields are rows of the table, in the order of documentation."""

    @property
    def revision(self) -> str | None:
        """The revision of the figures in the answer; None if it has no figures."""
        return None

    @classmethod
    def rows(cls) -> dict[str, Parameter]:
        """Return the parameters of the question, by field."""
        return {field.name: PARAMETERS[field.name] for field in fields(cls)}  # type: ignore[arg-type]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters in URLs."""
        return tuple(row.name for row in cls.rows().values())

    @property
    def arguments(self) -> Arguments:
        """The URL arguments of this question, in canonical form."""
        return write_arguments(self.rows(), vars(self))

    @classmethod
    def read(cls, texts: Texts) -> Self:
        """Return the question that the arguments describe.

        Raises
        ------
        QuestionError
            If any argument is invalid; the error has one sentence for each.
        """
        rows, names = cls.rows(), cls.names()
        faults = find_unknown(texts, names)
        values = read_values(rows, texts, Given(DEFAULT_REVISION, DEFAULT_MODEL), faults)
        if "groups" in rows and not (texts.get("location") or texts.get("group")):
            expected = PARAMETERS["locations"].expected
            faults["location"] = f"No location was chosen: expected at least one, as {expected}, or a group."
        if values["revision"]:
            cls._complete(values, faults)
        faults.refuse(names)
        return cls(**{field: values[field] for field in rows})

    @classmethod
    def _complete(cls, values: dict[str, Any], faults: Faults) -> None:
        """Set values that depend on several parameters."""


@dataclass(frozen=True)
class Question(Supposed, Asked):
    """A question for a forecast; :meth:`read` checks that its locations, model and revision exist.

    Attributes
    ----------
    locations : tuple of int
        Codes, in the given order.
    groups : tuple of (str, tuple of int)
        User-defined groups: names, and the codes of their members. They come after the locations.
    start, end : int
        First and last year.
    model, revision : str
    levels : tuple of float
    fertility, migration, mortality : str or float, optional
        What-if values.

    Examples
    --------
    >>> Question.read({"location": ["Nigeria"], "from": ["2030"], "to": ["2035"]}).locations
    (566,)
    >>> Question((900,), 2030, 2035, levels=(80,)).arguments[0]
    ('location', '900')
    >>> Question.read({"location": ["Wurld"], "from": ["2030"]})
    Traceback (most recent call last):
    popforecast.question.reading.QuestionError: No location 'Wurld' in wpp2024; nearest: World. Expected ...
    """

    locations: tuple[int, ...]
    groups: tuple[Group, ...] = field(default=(), kw_only=True)
    start: int
    end: int
    model: str = DEFAULT_MODEL
    revision: str = DEFAULT_REVISION
    levels: tuple[float, ...] = DEFAULT_LEVELS
    fertility: str | float | None = None
    migration: str | float | None = None
    mortality: str | None = None

    def answer(self) -> Forecast:
        """Return the forecast."""
        (outlook, levels), groups = suppose(self, get_session(self.revision)), dict(self.groups)
        # Groups are found by name; naming them also keeps a question for groups alone from returning all locations.
        return outlook.forecast([*self.locations, *groups], self.start, self.end, levels, groups or None)

    @classmethod
    def _complete(cls, values: dict[str, Any], faults: Faults) -> None:
        panel = get_session(values["revision"]).panel
        start, end, last = values["start"], values["end"], last_year(panel)
        if start and end and start > end:
            faults.attempt("from", check_years, panel, start, end)
        values["start"] = first = start or min(panel.origin + panel.step, end or last)
        values["end"] = end or min(max(first, panel.origin) + DEFAULT_STEPS * panel.step, last)


@dataclass(frozen=True)
class View(Question):
    """The view of a page: a question and the scale of its chart."""

    scale: str = SCALES[0]

    @property
    def question(self) -> Question:
        """The question without the scale."""
        return Question(**{field: getattr(self, field) for field in Question.rows()})

    @property
    def arguments(self) -> Arguments:
        """The URL arguments of this view, in canonical form; the default scale is omitted.

        Examples
        --------
        >>> View((900,), 2030, 2035, scale="log").arguments[-1]
        ('scale', 'log')
        """
        return [pair for pair in super().arguments if pair != ("scale", SCALES[0])]

"""What the API answers, as types: Pydantic makes the schemas of the OpenAPI document from them, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import popforecast as pf
from popforecast.wpp.editions import VINTAGES

Persons = Annotated[int | float | None, Field(description="Persons, at 1 July; null for more than a computer counts.")]
Percent = Annotated[float, Field(ge=0, description="In percent.")]
Coverage = Annotated[float, Field(ge=0, le=100, description="How many outcomes the interval held, in percent.")]
Held = Annotated[bool | None, Field(description="Whether the interval held the outcome; null where there was none.")]
HeldThen = Annotated[
    bool | None,
    Field(
        description="Whether the outcome lay in our interval as it could have been stated at the time: it allows for "
        "past errors and for the revisions published by then; null where there was none."
    ),
]
HeldSince = Annotated[
    bool | None,
    Field(
        description="Whether the outcome lay in our interval that allows for how the UN has since revised the base "
        "figures of other countries, which nobody could know at the time; null where there was none."
    ),
]
Year = Annotated[int | None, Field(description="Null is a year after `last`.")]
Code = Annotated[int | str, Field(description="The M49 number; a group of one's own goes by its name.")]
if TYPE_CHECKING:
    # Which names there are is known at run time.
    ModelName = str
    RevisionName = str
    VintageName = str
else:
    ModelName = Literal[tuple(pf.models.MODELS)]
    RevisionName = Literal[tuple(pf.REVISIONS)]
    VintageName = Literal[tuple(VINTAGES)]

BOUNDS = {
    "type": ["integer", "number", "null"],
    "description": "Bounds of an interval in persons, such as lower_80; null in the past.",
}


def _add_bounds(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {r"^(lower|upper)_[0-9]+(\.[0-9])?$": BOUNDS}


class Answer(BaseModel):
    """Members may be added within v1; none is taken away or changes its meaning."""

    model_config = ConfigDict(extra="allow")


class Row(BaseModel):
    """A row of a table; further columns may come within v1."""

    model_config = ConfigDict(extra="allow")


class ForecastRow(Row):
    """A location in a year."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_add_bounds)

    location_code: Code
    location: str
    year: int
    population: Persons
    variant: Literal["estimates", "forecast"]


class Note(Row):
    """What readers of a location's forecast must know."""

    location_code: Code
    location: str
    text: str


class Remainder(Row):
    """Persons of a sum whom none of its countries holds: the Holy See in wpp2024, and rounding."""

    location_code: Code
    location: str
    year: int
    persons: Annotated[int | float | None, Field(description="Below zero where the countries add up to more.")]


class Group(Row):
    """A group of one's own, and the codes of its members."""

    name: str
    members: list[int]


class Source(Row):
    """Where figures come from."""

    revision: RevisionName
    source: Annotated[str, Field(description="The revision and the interim updates of it that the figures hold.")]
    checksum: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the figures.")]
    version: Annotated[str, Field(description="Of popforecast.")]


class Provenance(Source):
    """Where a forecast comes from: enough to make it again."""

    origin: Annotated[int, Field(description="The last year that the model saw.")]
    model: ModelName
    parameters: dict[str, Any]
    intervals: Annotated[
        Literal["real-time", "final", "analytic"],
        Field(description="What they allow for: revisions by the UN, too; past errors alone; random errors alone."),
    ]


class Forecasts(Answer):
    """Population of locations and groups, year by year."""

    forecasts: list[ForecastRow]
    remainder: list[Remainder]
    notes: list[Note]
    provenance: Provenance
    citation: str
    unit: Literal["persons"]
    groups: list[Group]


class Location(Row):
    """A country, region or group of the UN's table."""

    code: int
    name: str
    type: str
    iso3: str | None
    parent: int | None
    region: str | None


class Locations(Answer):
    """The locations of a revision."""

    locations: list[Location]
    revision: RevisionName


class Milestone(Row):
    """Something that happens to a population in a year."""

    location_code: Code
    location: str
    kind: Literal["peak", "passing", "falling", "doubling", "halving", "below-zero"]
    persons: Annotated[int | float | None, Field(description="The population that is reached.")]
    year: Annotated[int | None, Field(description="When; null where it does not happen up to `last`.")]
    earliest: Year
    latest: Year
    level: Annotated[float | None, Field(description="Of the interval, in percent.")]
    last: Annotated[int, Field(description="The last year that was looked at.")]
    sentence: Annotated[str, Field(description="The same for people.")]


class Milestones(Answer):
    """When populations peak, pass a round figure and double."""

    milestones: list[Milestone]
    notes: list[Note]
    provenance: Provenance
    citation: str
    unit: Literal["persons"]
    groups: list[Group]


class Score(Row):
    """How good a model has been for a location, so many years after its origin."""

    location_code: int
    location: str
    model: ModelName
    horizon: Annotated[int, Field(ge=1, description="Years after the origin.")]
    n: Annotated[int, Field(ge=1, description="Outcomes.")]
    mape: Percent
    median_ape: Percent
    coverage_80: Coverage
    coverage_95: Coverage


class Scores(Answer):
    """A backtest on final data: every year from 1988 as origin."""

    scores: list[Score]
    data: Literal["final"]
    unit: Literal["percent"]
    provenance: Source
    citation: str


class Comparison(Row):
    """Our error and the UN's, for a location, an edition and a year."""

    location_code: int
    location: str
    vintage: VintageName
    origin: int
    year: int
    outcome: int
    population: Annotated[int, Field(description="What we would have said.")]
    ape: Percent
    published_held_80: HeldThen
    published_held_95: HeldThen
    held_80: HeldSince
    held_95: HeldSince
    un_population: Annotated[int, Field(description="The UN's medium variant.")]
    un_ape: Percent
    un_held_80: Held
    un_held_95: Held


class Comparisons(Answer):
    """Forecasts from what was known then, against what is known now."""

    comparisons: list[Comparison]
    intervals: Annotated[dict[str, str], Field(description="What our intervals allow for, by the columns they are in.")]
    model: ModelName
    data: Literal["real-time"]
    unit: str
    provenance: Source
    citation: str


class Model(Row):
    """A model."""

    name: ModelName
    calibrated: Annotated[bool, Field(description="Whether intervals come from past errors, and groups have a sum.")]
    parameters: dict[str, Any]


class Models(Answer):
    """The models."""

    default: ModelName
    models: list[Model]


class Fault(Row):
    """What is wrong with one parameter."""

    parameter: str
    detail: str


class Problem(Answer):
    """An error (RFC 9457): it names the value that is wrong, and what would be valid."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


ANSWERS: dict[str, type[Answer]] = {
    "forecast": Forecasts,
    "locations": Locations,
    "milestones": Milestones,
    "backtest": Scores,
    "vintages": Comparisons,
    "models": Models,
}


def write_schemas() -> dict[str, Any]:
    """Return the schemas of all answers, by name."""
    from pydantic.json_schema import JsonSchemaMode, models_json_schema

    answers: list[type[BaseModel]] = [*ANSWERS.values(), Problem]
    types: list[tuple[type[BaseModel], JsonSchemaMode]] = [(answer, "serialization") for answer in answers]
    _, schemas = models_json_schema(types, ref_template="#/components/schemas/{model}")
    return schemas["$defs"]

"""Response types, from which Pydantic generates the schemas of the OpenAPI document; they are not used elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import popforecast as pf
from popforecast.wpp.editions import VINTAGES

Persons = Annotated[int | float | None, Field(description="Persons at 1 July; null if too large to represent.")]
Percent = Annotated[float, Field(ge=0, description="In percent.")]
Coverage = Annotated[float, Field(ge=0, le=100, description="Share of outcomes inside the interval, in percent.")]
Held = Annotated[
    bool | None, Field(description="Whether the interval contained the outcome; null if there was no interval.")
]
HeldThen = Annotated[
    bool | None,
    Field(
        description="Whether our interval contained the outcome, using only what was known at the time: past errors "
        "and the revisions published by then; null if there was no interval."
    ),
]
HeldSince = Annotated[
    bool | None,
    Field(
        description="Whether our interval contained the outcome after allowing for how the UN has since revised the "
        "base figures of other countries, which could not be known at the time; null if there was no interval."
    ),
]
Year = Annotated[int | None, Field(description="Null means a year after `last`.")]
Code = Annotated[int | str, Field(description="The M49 code; for your own groups, the name.")]
if TYPE_CHECKING:
    # The literals are built at run time, which a type checker cannot follow.
    ModelName = str
    RevisionName = str
    VintageName = str
else:
    ModelName = Literal[tuple(pf.models.MODELS)]
    RevisionName = Literal[tuple(pf.REVISIONS)]
    VintageName = Literal[tuple(VINTAGES)]

BOUNDS = {
    "type": ["integer", "number", "null"],
    "description": "Bounds of an interval in persons, such as lower_80; null for past years.",
}


def _add_bounds(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {r"^(lower|upper)_[0-9]+(\.[0-9])?$": BOUNDS}


class Answer(BaseModel):
    """Members may be added within v1; none is removed or changes its meaning."""

    model_config = ConfigDict(extra="allow")


class Row(BaseModel):
    """A row of a table; columns may be added within v1."""

    model_config = ConfigDict(extra="allow")


class ForecastRow(Row):
    """The population of a location in one year."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_add_bounds)

    location_code: Code
    location: str
    year: int
    population: Persons
    variant: Literal["estimates", "forecast"]


class Note(Row):
    """Important information on a location's forecast."""

    location_code: Code
    location: str
    text: str


class Remainder(Row):
    """The difference between an aggregate and the sum of its countries: the Holy See in wpp2024, and rounding."""

    location_code: Code
    location: str
    year: int
    persons: Annotated[int | float | None, Field(description="Negative if the countries add up to more.")]


class Group(Row):
    """Your own group, and the codes of its members."""

    name: str
    members: list[int]


class Source(Row):
    """The source of the data."""

    revision: RevisionName
    source: Annotated[str, Field(description="The revision and any interim updates applied to it.")]
    checksum: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the data.")]
    version: Annotated[str, Field(description="Version of popforecast.")]


class Provenance(Source):
    """The source of a forecast: enough to reproduce it."""

    origin: Annotated[int, Field(description="The last year of data used by the model.")]
    model: ModelName
    parameters: dict[str, Any]
    intervals: Annotated[
        Literal["real-time", "final", "analytic"],
        Field(description="What they allow for: past errors and UN revisions; past errors only; random error only."),
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
    """A country, region or group in the UN's data."""

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
    """An event in the course of a population, with its year."""

    location_code: Code
    location: str
    kind: Literal["peak", "passing", "falling", "doubling", "halving", "below-zero"]
    persons: Annotated[int | float | None, Field(description="The population reached.")]
    year: Annotated[int | None, Field(description="The year; null if it does not happen by `last`.")]
    earliest: Year
    latest: Year
    level: Annotated[float | None, Field(description="Coverage of the interval, in percent.")]
    last: Annotated[int, Field(description="The last year of the forecast.")]
    sentence: Annotated[str, Field(description="The milestone in words.")]


class Milestones(Answer):
    """When populations peak, pass a round number, double or halve."""

    milestones: list[Milestone]
    notes: list[Note]
    provenance: Provenance
    citation: str
    unit: Literal["persons"]
    groups: list[Group]


class Score(Row):
    """The accuracy of a model for a location at one horizon."""

    location_code: int
    location: str
    model: ModelName
    horizon: Annotated[int, Field(ge=1, description="Years after the origin.")]
    n: Annotated[int, Field(ge=1, description="Number of outcomes.")]
    mape: Percent
    median_ape: Percent
    coverage_80: Coverage
    coverage_95: Coverage


class Scores(Answer):
    """A backtest on final data, with every year since 1988 as an origin."""

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
    population: Annotated[int, Field(description="Our forecast.")]
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
    """Forecasts from the data available at the time, compared with the latest data."""

    comparisons: list[Comparison]
    intervals: Annotated[dict[str, str], Field(description="What our intervals allow for, by column.")]
    model: ModelName
    data: Literal["real-time"]
    unit: str
    provenance: Source
    citation: str


class Model(Row):
    """A model."""

    name: ModelName
    calibrated: Annotated[bool, Field(description="Whether intervals come from past errors and groups are available.")]
    parameters: dict[str, Any]


class Models(Answer):
    """The models."""

    default: ModelName
    models: list[Model]


class Fault(Row):
    """The error in one parameter."""

    parameter: str
    detail: str


class Problem(Answer):
    """An error (RFC 9457), with the invalid value and what is expected."""

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
    """Return the schemas of all responses, by name."""
    from pydantic.json_schema import JsonSchemaMode, models_json_schema

    answers: list[type[BaseModel]] = [*ANSWERS.values(), Problem]
    types: list[tuple[type[BaseModel], JsonSchemaMode]] = [(answer, "serialization") for answer in answers]
    _, schemas = models_json_schema(types, ref_template="#/components/schemas/{model}")
    return schemas["$defs"]

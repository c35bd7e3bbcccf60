"""Response types, from which Pydantic generates the schemas of the OpenAPI document; they are not used elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.parts import (
    Answer,
    Code,
    Coverage,
    Group,
    Held,
    HeldSince,
    HeldThen,
    ModelName,
    Note,
    Percent,
    Persons,
    RevisionName,
    Row,
    Source,
    VintageName,
    Year,
)

BOUNDS = {
    "type": ["integer", "number", "null"],
    "description": "Bounds of an interval in persons, such as lower_80; null for past years.",
}


def _add_bounds(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {r"^(lower|upper)_[0-9]+(\.[0-9])?$": BOUNDS}


class ForecastRow(Row):
    """The population of a location in one year."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_add_bounds)

    location_code: Code
    location: str
    year: int
    population: Persons
    variant: Literal["estimates", "forecast"]


class Remainder(Row):
    """The difference between an aggregate and the sum of its countries: the Holy See in wpp2024, and rounding."""

    location_code: Code
    location: str
    year: int
    persons: Annotated[int | float | None, Field(description="Negative if the countries add up to more.")]


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


class AgeRow(Row):
    """The population of one sex and age group at a location in one year."""

    location_code: Code
    location: str
    year: int
    sex: Literal["M", "F"]
    age: Annotated[int, Field(ge=0, le=100, multiple_of=5, description="Lowest of five ages; 100 means 100 and over.")]
    population: Annotated[int, Field(ge=0, description="Persons at 1 July. They add up to the forecast.")]


class StructureSource(Source):
    """The source of ages, births, deaths and migration."""

    origin: Annotated[int, Field(description="The last year of data used by the model.")]
    model: ModelName
    parameters: dict[str, Any]


class AgesAnswer(Answer):
    """Population of locations and groups by sex and age, without intervals."""

    ages: list[AgeRow]
    notes: list[Note]
    provenance: StructureSource
    citation: str
    unit: Literal["persons"]
    groups: list[Group]


class ComponentsRow(Row):
    """Births, deaths and net migration at a location in the twelve months to 1 July of the year."""

    location_code: Code
    location: str
    year: int
    births: Annotated[int, Field(ge=0)]
    deaths: Annotated[int, Field(ge=0)]
    net_migration: Annotated[
        int, Field(description="Immigrants minus emigrants: the rest of the change in population.")
    ]


class ComponentsAnswer(Answer):
    """Births, deaths and net migration of locations and groups, without intervals."""

    components: list[ComponentsRow]
    notes: list[Note]
    provenance: StructureSource
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
    errors: list[Fault] = []  # noqa: RUF012 (Pydantic copies it)


ANSWERS: dict[str, type[Answer]] = {
    "forecast": Forecasts,
    "ages": AgesAnswer,
    "components": ComponentsAnswer,
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

"""Types that several responses share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

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


class Answer(BaseModel):
    """Members may be added within v1; none is removed or changes its meaning."""

    model_config = ConfigDict(extra="allow")


class Row(BaseModel):
    """A row of a table; columns may be added within v1."""

    model_config = ConfigDict(extra="allow")


class Note(Row):
    """Important information on a location's forecast."""

    location_code: Code
    location: str
    text: str


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

"""What each parameter may hold, as the OpenAPI document and the docs page say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import popforecast as pf
from app.api.http import RELEASE, name_release
from app.query.places import EVERY, LONGEST_GROUP_NAME, LONGEST_NAME, MOST_GROUPS, MOST_LOCATIONS
from app.query.query import MOST_LEVELS
from popforecast.evaluation.record import HORIZONS
from popforecast.forecasting import DEFAULT_LEVELS, DEFAULT_MODEL
from popforecast.forecasting.milestones import USUAL_LEVEL
from popforecast.panel.years import last_year
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION, VINTAGES

Schema = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Attributes
    ----------
    name, description : str
        What it is called, and what it is for.
    schema : dict
        JSON Schema of its value, or of each of its values.
    example : object
        A value, or a list of values.
    most : int
        How often it may stand.
    """

    name: str
    description: str
    schema: Schema
    example: Any
    most: int = 1

    @property
    def whole(self) -> Schema:
        """The schema of all its values together."""
        if self.most == 1:
            return self.schema
        return {"type": "array", "items": self.schema, "minItems": 1, "maxItems": self.most}

    def describe(self) -> Schema:
        """Return the parameter as OpenAPI has it in an address."""
        repeated = {"style": "form", "explode": True} if self.most > 1 else {}
        return {
            "name": self.name,
            "in": "query",
            "description": self.description,
            **repeated,
            "schema": self.whole,
            "example": self.example,
        }


def list_parameters() -> dict[str, Parameter]:
    """Return every parameter by the name of its component; three resources take their own kind of one."""
    panels = [get_session(revision).panel for revision in pf.REVISIONS]
    years = {
        "type": "integer",
        "minimum": int(min(panel.years[0] for panel in panels)),
        "maximum": max(last_year(panel) for panel in panels),
    }
    model = {"type": "string", "enum": list(pf.models.MODELS)}
    level = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100, "multipleOf": 0.1}
    found = [
        Parameter(
            "location",
            f"A code, ISO3 code, name or alias; repeated for several; `{EVERY}` alone for every location.",
            {"anyOf": [{"$ref": "#/components/schemas/LocationCode"}, _text(LONGEST_NAME)]},
            ["NGA", "World"],
            MOST_LOCATIONS,
        ),
        Parameter(
            "group",
            f"A group of your own: a name of at most {LONGEST_GROUP_NAME} characters that spreadsheets take for no "
            "formula, a colon, and members parted by commas: codes, ISO3 codes or names. It is forecast as the sum of "
            "its countries.",
            {"type": "string", "pattern": rf"^(?!\s*[=+@-])[^:]{{1,{LONGEST_GROUP_NAME}}}:[^:]+$"},
            ["South Asia:356,586,50"],
            MOST_GROUPS,
        ),
        Parameter("from", "First year. Default: the first after the origin.", years, 2030),
        Parameter("to", "Last year, not before the first. Default: ten years on.", years, 2035),
        Parameter("model", "The model.", {**model, "default": DEFAULT_MODEL}, DEFAULT_MODEL),
        Parameter(
            "revision",
            "The edition of World Population Prospects.",
            {"type": "string", "enum": list(pf.REVISIONS), "default": DEFAULT_REVISION},
            DEFAULT_REVISION,
        ),
        Parameter(
            "level",
            f"Coverage of an interval in percent, with at most one decimal; repeated for several. "
            f"Default: {' and '.join(map(str, DEFAULT_LEVELS))}.",
            level,
            list(DEFAULT_LEVELS),
            MOST_LEVELS,
        ),
        Parameter(
            "horizon",
            "Years after the origin; repeated for several. Default: all.",
            {"type": "integer", "enum": list(HORIZONS)},
            [10],
            len(HORIZONS),
        ),
        Parameter(
            "vintage",
            "What was known then; repeated for several. Default: all.",
            {"type": "string", "enum": list(VINTAGES)},
            ["wpp2012"],
            len(VINTAGES),
        ),
        Parameter(
            "release",
            "Answer only if this release does: its answers never change, and may be kept for a year. The `cite-as` "
            "link of every answer holds it.",
            {"type": "string", "pattern": f"^{RELEASE.pattern}$"},
            name_release(DEFAULT_REVISION),
        ),
    ]
    own = {
        "models": Parameter("model", "A model; repeated for several. Default: all.", model, [DEFAULT_MODEL], 6),
        "one-level": Parameter(
            "level", "Coverage of the intervals of years, in percent.", {**level, "default": USUAL_LEVEL}, USUAL_LEVEL
        ),
    }
    return {parameter.name: parameter for parameter in found} | own


def list_codes() -> Schema:
    """Return the schema of the codes and ISO3 codes that every revision has."""
    common = [get_session(revision).panel.locations for revision in pf.REVISIONS]
    codes = [str(code) for code in common[0].index if all(code in table.index for table in common)]
    iso3 = [text for text in common[0]["iso3"].dropna() if all(text in set(table["iso3"]) for table in common)]
    return {"type": "string", "enum": codes + iso3}


def _text(longest: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"}

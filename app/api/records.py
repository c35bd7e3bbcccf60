"""How good forecasts have been, and when something will happen: the questions beside the forecast itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import popforecast as pf
from app.api.writing import count_whole, write_csv, write_json
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.forecasting.milestones import USUAL_LEVEL, find_milestones
from popforecast.forecasting.result import join_notes
from popforecast.panel.years import last_year
from popforecast.question import Asked, Group, Question
from popforecast.session import get_session, get_vintage_record
from popforecast.text import VINTAGE_INTERVALS
from popforecast.wpp.editions import DEFAULT_REVISION, cite

if TYPE_CHECKING:
    import pandas as pd

# What our intervals allow for, by the columns that say whether they contained the outcome.
INTERVALS = {"published_held": VINTAGE_INTERVALS["published"], "held": VINTAGE_INTERVALS["real-time"]}


@dataclass(frozen=True)
class TrackRecord(Asked):
    """The question how good models have been at past origins, on final data; nothing chosen is everything.

    Attributes
    ----------
    locations : tuple of int
        Codes.
    models : tuple of str
        Names.
    horizons : tuple of int
        Years after the origin.
    revision : str
        Name.
    """

    locations: tuple[int, ...] = ()
    models: tuple[str, ...] = ()
    horizons: tuple[int, ...] = ()
    revision: str = DEFAULT_REVISION

    def find(self) -> pd.DataFrame:
        """Return the scores, one row for each location, model and horizon."""
        scores = _choose(get_session(self.revision).record, location_code=self.locations, model=self.models)
        return _name(_choose(scores, horizon=self.horizons), self.revision)


@dataclass(frozen=True)
class VintageRecord(Asked):
    """The question how far we and the UN were off, on what was known then; nothing chosen is everything.

    Attributes
    ----------
    locations : tuple of int
        Codes.
    vintages : tuple of str
        Names of the editions that were known then.
    """

    locations: tuple[int, ...] = ()
    vintages: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """The revision whose figures are taken for the truth."""
        return DEFAULT_REVISION

    def find(self) -> pd.DataFrame:
        """Return the misses, one row for each location, vintage and year."""
        return _name(_choose(get_vintage_record(), location_code=self.locations, vintage=self.vintages), self.revision)


@dataclass(frozen=True)
class When(Asked):
    """The question when populations peak, pass a round figure and double.

    Attributes
    ----------
    locations, groups, model, revision
        As of a :class:`popforecast.question.Question`.
    level : float
        Of the intervals of years, in percent.
    """

    locations: tuple[int, ...]
    groups: tuple[Group, ...] = ()
    model: str = DEFAULT_MODEL
    revision: str = DEFAULT_REVISION
    level: float = USUAL_LEVEL

    @property
    def question(self) -> Question:
        """The forecast that answers it: up to the last year there is."""
        panel = get_session(self.revision).panel
        years = panel.origin + panel.step, last_year(panel)
        return Question(self.locations, *years, self.model, self.revision, (self.level,), groups=self.groups)


def write_track_record(question: TrackRecord) -> str:
    """Write scores as JSON."""
    members = {"data": "final", "unit": "percent", **_describe(question.revision)}
    return write_json(members, {"scores": question.find()})


def write_track_record_csv(question: TrackRecord) -> str:
    """Write scores as CSV."""
    return write_csv(question.find(), data="final", **_flatten(question.revision))


def write_vintage_record(question: VintageRecord) -> str:
    """Write misses as JSON."""
    members = {"model": DEFAULT_MODEL, "data": "real-time", "unit": "persons; ape in percent", "intervals": INTERVALS}
    return write_json(members | _describe(question.revision), {"comparisons": question.find()})


def write_vintage_record_csv(question: VintageRecord) -> str:
    """Write misses as CSV."""
    return write_csv(question.find(), model=DEFAULT_MODEL, data="real-time", **_flatten(question.revision))


def find_years(question: When) -> tuple[pf.Forecast, list[dict[str, Any]]]:
    """Return the forecast that was looked at, and what happens in it."""
    fc = question.question.answer()
    names = fc.locations["name"].to_dict()
    found = [
        {"location_code": milestone.location_code, "location": names[milestone.location_code], **asdict(milestone)}
        | {"persons": count_whole(milestone.persons)}
        for milestone in find_milestones(fc)
    ]
    return fc, found


def write_when(question: When) -> str:
    """Write milestones as JSON."""
    fc, found = find_years(question)
    groups = [{"name": name, "members": list(codes)} for name, codes in question.groups]
    return write_json({"milestones": found, "groups": groups} | fc.describe())


def write_when_csv(question: When) -> str:
    """Write milestones as CSV."""
    import pandas as pd

    fc, found = find_years(question)
    kinds = dict.fromkeys(("year", "earliest", "latest", "last"), "Int64")
    provenance = fc.provenance
    constants = {name: provenance[name] for name in ("revision", "checksum", "origin", "model", "intervals", "version")}
    rows = pd.DataFrame(found).astype(kinds)
    notes = rows["location_code"].map(join_notes(fc.notes))
    return write_csv(rows, **constants, citation=fc.citation, source=provenance["source"], note=notes)


def _choose(frame: pd.DataFrame, **chosen: tuple[object, ...]) -> pd.DataFrame:
    for column, values in chosen.items():
        if values:
            frame = frame[frame[column].isin(values)]
    return frame


def _name(frame: pd.DataFrame, revision: str) -> pd.DataFrame:
    names = frame["location_code"].map(get_session(revision).panel.locations["name"])
    frame = frame.reset_index(drop=True)
    frame.insert(1, "location", names.to_numpy())
    return frame


def _describe(revision: str) -> dict[str, Any]:
    panel = get_session(revision).panel
    provenance = {
        "revision": revision,
        "source": panel.title,
        "checksum": panel.checksum,
        "version": pf.__version__,
    }
    return {"provenance": provenance, "citation": cite(panel)}


def _flatten(revision: str) -> dict[str, Any]:
    described = _describe(revision)
    source = described["provenance"].pop("source")
    # Later columns come after earlier ones, for whoever counts them.
    return {**described["provenance"], "citation": described["citation"], "source": source}

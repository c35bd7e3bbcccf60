"""Questions and answers of the API on past accuracy and milestones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import popforecast as pf
from app.api.writing import Twins, count_whole, write_csv
from popforecast.forecasting import DEFAULT_MODEL, result
from popforecast.forecasting.milestones import USUAL_LEVEL, find_milestones
from popforecast.panel.years import last_year
from popforecast.question import AgesQuestion, Asked, Group, Question
from popforecast.session import get_session, get_vintage_record
from popforecast.text import VINTAGE_INTERVALS
from popforecast.wpp.editions import DEFAULT_REVISION, cite

if TYPE_CHECKING:
    import pandas as pd

# What our intervals allow for, by column of the comparison.
INTERVALS = {"published_held": VINTAGE_INTERVALS["published"], "held": VINTAGE_INTERVALS["real-time"]}


@dataclass(frozen=True)
class TrackRecord(Asked):
    """A question about the accuracy of models at past origins, on final data; empty selections mean all.

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


@dataclass(frozen=True)
class VintageRecord(Asked):
    """A question about our errors and the UN's, using the data available at the time; empty selections mean all.

    Attributes
    ----------
    locations : tuple of int
        Codes.
    vintages : tuple of str
        Names of the editions forecast from.
    """

    locations: tuple[int, ...] = ()
    vintages: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """The revision whose estimates serve as outcomes."""
        return DEFAULT_REVISION


@dataclass(frozen=True)
class When(Asked):
    """A question about the years in which populations peak, pass a round number, double or halve.

    Attributes
    ----------
    locations, groups, model, revision
        As in :class:`popforecast.question.Question`.
    level : float
        Coverage of the intervals of years, in percent.
    """

    locations: tuple[int, ...]
    groups: tuple[Group, ...] = ()
    model: str = DEFAULT_MODEL
    revision: str = DEFAULT_REVISION
    level: float = USUAL_LEVEL

    @property
    def question(self) -> Question:
        """The question for the underlying forecast, up to the last year that can be forecast."""
        panel = get_session(self.revision).panel
        years = panel.origin + panel.step, last_year(panel)
        return Question(self.locations, *years, self.model, self.revision, (self.level,), groups=self.groups)


def find_scores(question: TrackRecord) -> Twins:
    """Return past accuracy, with one row per location, model and horizon."""
    scores = _choose(get_session(question.revision).record, location_code=question.locations, model=question.models)
    rows, source = _name(_choose(scores, horizon=question.horizons), question.revision), _describe(question.revision)
    facts = {"data": "final", "unit": "percent", **source}
    return Twins(facts, {"scores": rows}, partial(write_csv, rows, data="final", **_flatten(**source)))


def find_comparisons(question: VintageRecord) -> Twins:
    """Return our errors and the UN's, with one row per location, vintage and year."""
    chosen = _choose(get_vintage_record(), location_code=question.locations, vintage=question.vintages)
    rows, source = _name(chosen, question.revision), _describe(question.revision)
    columns = {"model": DEFAULT_MODEL, "data": "real-time"}
    facts = columns | {"unit": "persons; ape in percent", "intervals": INTERVALS} | source
    return Twins(facts, {"comparisons": rows}, partial(write_csv, rows, **columns, **_flatten(**source)))


def find_years(question: When) -> Twins:
    """Return milestones, with one row per event."""
    fc = question.question.answer()
    names = fc.locations["name"].to_dict()
    found = [
        {"location_code": milestone.location_code, "location": names[milestone.location_code], **asdict(milestone)}
        | {"persons": count_whole(milestone.persons)}
        for milestone in find_milestones(fc)
    ]
    return Twins(list_groups(question) | fc.describe(), {"milestones": found}, partial(_write_years, found, fc))


def list_groups(question: Question | AgesQuestion | When) -> dict[str, Any]:
    """Return the groups of a question as a member of its response."""
    return {"groups": [{"name": name, "members": list(codes)} for name, codes in question.groups]}


def _write_years(found: list[dict[str, Any]], fc: pf.Forecast) -> str:
    import pandas as pd

    rows = pd.DataFrame(found).astype(dict.fromkeys(("year", "earliest", "latest", "last"), "Int64"))
    return result.write_csv(rows, fc.provenance, fc.citation, fc.notes)


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


def _flatten(provenance: dict[str, Any], citation: str | None) -> dict[str, Any]:
    columns = dict(provenance)
    source = columns.pop("source")
    # Columns added later come last, for clients that read columns by position.
    return columns | {"citation": citation, "source": source}

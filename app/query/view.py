"""What a page shows: a query, and how its chart is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from app.query.arguments import ArgumentError, Arguments, Faults, QueryError, quote, take_one
from app.query.query import Query, read_query
from popforecast.charts.lines import SCALES


@dataclass(frozen=True)
class View:
    """A query, and the scale of its chart."""

    query: Query
    scale: str = SCALES[0]

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that ask for exactly this.

        Examples
        --------
        >>> View(Query((900,), 2030, 2035), "log").arguments[-1]
        ('scale', 'log')
        """
        return [*self.query.arguments, *([("scale", self.scale)] if self.scale != SCALES[0] else [])]


def read_view(arguments: Arguments) -> View:
    """Return the query that the arguments make, and the scale of its chart.

    Raises
    ------
    QueryError
        If any argument is wrong; the error has a sentence for each that is.
    """
    query = arguments.copy()
    query.poplist("scale")
    faults = Faults()
    scale = faults.attempt("scale", _read_scale, arguments)
    try:
        view = View(read_query(query), scale)
    except QueryError as error:
        raise QueryError(error.faults | faults) from error
    faults.refuse()
    return view


def _read_scale(arguments: Arguments) -> str:
    scale = take_one(arguments, "scale") or SCALES[0]
    if scale not in SCALES:
        raise ArgumentError(f"scale {quote(scale)}: expected one of {', '.join(SCALES)}")
    return scale

"""The pages: the form, the forecast, and the chart for embedding in other pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

import popforecast as pf
from app.api.http import link_to
from app.pages.ages import describe_ages
from app.pages.evidence import (
    FIRST_ORIGIN,
    MOST_IN_WORDS,
    MOST_TOLD,
    answer_in_words,
    compare_with_un,
    describe_intervals,
    describe_milestones,
    describe_record,
    explain_un,
    explain_untested,
    has_real_time_record,
    look_far,
    name_unrecorded,
)
from app.pages.form import choose, describe_form, describe_settings, drop_blanks, guess
from app.pages.published import has_report
from app.pages.table import say_remainders, tabulate
from app.query.bodies import read_arguments
from app.query.query import Arguments, QueryError, read
from app.server.caching import FOR_A_MINUTE
from popforecast.charts.forecast import Chart, caption_forecast, chart_forecast
from popforecast.charts.strokes import Kind
from popforecast.charts.svg import draw_chart
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.panel.groups import GROUP
from popforecast.question import Question, View
from popforecast.session import get_session
from popforecast.wpp.editions import DEFAULT_REVISION, get_revision

# With more notes than this, the list is collapsed.
MOST_NOTES = 6

# The reports that explain how accuracy is measured, with results for all countries.
METHODS = (
    ("4-vintages.html", "comparison with the UN, using the data available at the time"),
    ("3-backtest.html", "every model, tested on today’s data"),
)

# The series of country profiles, with one page per location where published.
PROFILES = "country-profile"

SCALE_TITLES = {"absolute": "Linear", "log": "Log", "indexed": "Indexed"}

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def show_form() -> ResponseReturnValue:
    """Return the form, filled in from the URL."""
    arguments = read_arguments()
    check_form(arguments)
    return _publish(render_template("index.html", **describe_form(guess(arguments))))


@blueprint.route("/forecast", methods=["GET", "POST"])
def show_forecast() -> ResponseReturnValue:
    """Return the forecast page; requests by POST or with empty fields are redirected to the URL of the query."""
    arguments = read_arguments()
    asked = drop_blanks(arguments)
    view = read(View, asked)
    if request.method == "POST" or len(asked) < len(arguments):
        # Codes are short, so even a URL with all locations is well below the limits of servers.
        return redirect(link_to("pages.show_forecast", view.arguments), 303)
    fc = view.answer()
    return _publish(render_template("forecast.html", **describe_view(view, fc), **describe_settings(choose(view))))


@blueprint.get("/embed")
def show_chart() -> ResponseReturnValue:
    """Return the chart alone, for a frame in another page."""
    view = read(View, request.args)
    fc = view.answer()
    return _publish(render_template("embed.html", **describe_chart(view, fc)))


@blueprint.get("/forecast.svg")
def send_svg() -> ResponseReturnValue:
    """Return the chart as SVG, with a source line."""
    view = read(View, request.args)
    fc = view.answer()
    return _send_figure(view, prepare_chart(view, fc).svg(caption=caption_forecast(fc)), "image/svg+xml")


@blueprint.get("/forecast.png")
def send_png() -> ResponseReturnValue:
    """Return the chart as PNG, with a source line."""
    view = read(View, request.args)
    fc = view.answer()
    return _send_figure(view, prepare_chart(view, fc).png(caption=caption_forecast(fc)), "image/png")


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Return an error page; for an invalid query, the form as filled in, with the errors at the top."""
    response = error.get_response()
    if isinstance(error, QueryError):
        form = describe_form(guess(_arguments_at_hand()), error.faults)
        page = render_template("index.html", alert=True, **form)
    else:
        page = render_template("error.html", error=error)
    response.set_data(page)
    response.mimetype = "text/html"
    return response


def check_form(arguments: Arguments) -> None:
    """Check the arguments that fill in the form, which need not include a location yet.

    Raises
    ------
    QueryError
        If any argument is invalid.
    """
    try:
        read(View, drop_blanks(arguments))
    except QueryError as error:
        faults = dict(error.faults)
        if not {"location", "group"} & arguments.keys():
            faults.pop("location", None)
        if faults:
            raise QueryError(faults) from error


def describe_view(view: View, fc: pf.Forecast) -> dict[str, Any]:
    """Return the variables of the forecast page's template, except those of the form."""
    far = look_far(view.question)
    return describe_chart(view, fc) | {
        "table": tabulate(fc),
        "names": fc.locations["name"],
        "remainder": say_remainders(fc),
        "revision": get_revision(view.revision),
        "answer": answer_in_words(fc),
        "difference": explain_un(fc),
        "intervals": describe_intervals(fc),
        "most_notes": MOST_NOTES,
        "milestones": describe_milestones(far),
        "ages": describe_ages(view, fc, far),
        "record": describe_record(fc),
        "real_time": compare_with_un(fc),
        "is_recorded": has_real_time_record(fc),
        "unrecorded": name_unrecorded(fc),
        "untested": explain_untested(fc),
        "most_told": MOST_TOLD,
        "most_in_words": MOST_IN_WORDS,
        "first_origin": FIRST_ORIGIN,
        "methods": [(name, title) for name, title in METHODS if has_report(name)],
        "profiles": list_profiles(fc),
        "default_model": DEFAULT_MODEL,
        "latest": get_revision(DEFAULT_REVISION),
        "form_url": link_to("pages.show_form", view.arguments),
        "json_url": link_to("api.send_forecast", view.question.arguments),
        "csv_url": link_to("api.send_forecast_csv", view.question.arguments),
        "svg_url": link_to("pages.send_svg", view.arguments),
        "png_url": link_to("pages.send_png", view.arguments),
        "picture_url": _absolute("pages.send_png", view),
        "embed_url": _absolute("pages.show_chart", view),
        "hidden": [pair for pair in view.question.arguments if pair[0] in ("location", "group")],
    }


def list_profiles(fc: pf.Forecast) -> list[tuple[str, str]]:
    """Return the published profiles of these locations, with the locations' names."""
    # Groups have no profile, and their names are user input, which must not become part of a path.
    told = fc.locations[fc.locations["type"] != GROUP].head(MOST_TOLD)
    pages = [f"{PROFILES}/{code if pd.isna(iso3) else iso3}.html" for code, iso3 in told["iso3"].items()]
    return [(page, name) for page, name in zip(pages, told["name"], strict=True) if has_report(page)]


def describe_chart(view: View, fc: pf.Forecast) -> dict[str, Any]:
    """Return the template variables of the chart."""
    chart = prepare_chart(view, fc)
    return {
        "fc": fc,
        "title": describe_query(view, fc),
        "scale": view.scale,
        "labels": [line.label for line in chart.lines],
        "has_fans": chart.shows_fans,
        "has_medium": any(kind is Kind.REFERENCE for line in chart.lines for kind, _, _ in chart.list_courses(line)),
        "drawing": Markup(draw_chart(chart)),
        "scales": {
            name: (title, link_to(str(request.endpoint), replace(view, scale=name).arguments))
            for name, title in SCALE_TITLES.items()
        },
        "citation": caption_forecast(fc),
        "path": link_to("pages.show_forecast", view.arguments),
        "page_url": _absolute("pages.show_forecast", view),
    }


def prepare_chart(view: View, fc: pf.Forecast) -> Chart:
    """Return the chart of a view, with the UN's medium variant if the revision has one."""
    return chart_forecast(fc, scale=view.scale, medium=get_session(view.revision).medium)


def describe_query(question: Question, fc: pf.Forecast) -> str:
    """Return a heading that identifies the query."""
    names = fc.locations["name"].tolist()
    locations = ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"
    return f"{locations}, {question.start}" + (f"–{question.end}" if question.end != question.start else "")


def _send_figure(view: View, content: str | bytes, mimetype: str) -> Response:
    suffix = "svg" if "svg" in mimetype else "png"
    name = f"popforecast-{view.revision}-{view.model}-{view.start}-{view.end}.{suffix}"
    response = _publish(content, mimetype)
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _publish(content: str | bytes, mimetype: str = "text/html") -> Response:
    """Return a response that is the same for all clients, with an ETag and permission to cache it."""
    response = Response(content, mimetype=mimetype)
    response.headers["Cache-Control"] = FOR_A_MINUTE
    response.headers["Vary"] = "Accept-Encoding"
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response


def _absolute(endpoint: str, view: View) -> str:
    return request.url_root.rstrip("/") + link_to(endpoint, view.arguments)


def _arguments_at_hand() -> Arguments:
    try:
        return read_arguments()
    except HTTPException:
        return request.args

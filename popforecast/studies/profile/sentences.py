"""Text of a profile; each sentence is computed from its figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from popforecast.evaluation.record import FIRST_ORIGIN, UNRECORDED
from popforecast.forecasting import REAL_TIME
from popforecast.forecasting.drivers import explain_difference
from popforecast.forecasting.milestones import find_milestones
from popforecast.models import DEFAULT_MODEL
from popforecast.models.panel_ar import KNOTS, PanelAR
from popforecast.studies.profile.figures import (
    LEVEL,
    MIDDLE,
    RECENT,
    Profile,
    find_record,
    find_vintages,
    grow_yearly,
    hold_medium,
    measure_growth,
)
from popforecast.studies.profile.scenarios import Scenario, compare
from popforecast.text import (
    INTERVALS,
    VINTAGE_INTERVALS,
    VINTAGE_NAMES,
    join_words,
    round_in_words,
    say_population,
    write_sentence,
)
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, get_edition
from popforecast.wpp.outdated import note_outdated

# In percent: negligible annual growth, differences whose first year is reported, and negligible changes of a forecast.
STILL, PARTINGS, SLIGHT = 0.05, (1, 5, 10), 0.5

# The horizons reported from the track record.
NEAR, FAR = 5, 20


def tell_forecast(profile: Profile) -> str:
    """Describe the current population, our forecast and the UN medium variant.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> tell_forecast(make_profile("World", "wpp2019", "ar1"))[:70]
    'WORLD: 7.795 billion people in 2020; the forecast of ar1 is 10.83 bill'
    """
    origin, last = profile.panel.origin, int(profile.years[-1])
    year = MIDDLE if MIDDLE in profile.years else last
    median = profile.at(profile.median, year)
    bounds = [profile.at(side[LEVEL][0], year) for side in (profile.forecast.lower, profile.forecast.upper)]
    rounding = round_in_words(median, *bounds)
    said = (
        f"{profile.name}: {say_population(profile.history[-1])} people in {origin}; "
        f"{_name_forecast(profile)} is {rounding.say(median)} in {year} ({LEVEL}%: {rounding.say_range(*bounds)}"
        f"{'' if profile.forecast.model.calibrated else f'; {_say_held(profile)}'})."
    )
    if profile.medium is not None:
        said += f" The UN's medium variant is {rounding.say(profile.at(profile.medium, year))}."
    return " ".join([said, *_tell_outdated(profile)])


def tell_intervals(profile: Profile) -> str:
    """Explain the line and the fan of the chart, and what the intervals allow for.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> tell_intervals(make_profile("World", "wpp2019", "ar1"))[:62]
    'The line is the forecast of ar1. The fan shows its 80% and 95%'
    """
    levels = join_words([f"{level:g}%" for level in profile.forecast.levels])
    model = profile.forecast.model
    # Notes on replaced estimates are already in the finding.
    outdated = {text for _, text in note_outdated(profile.outlook.panel, profile.outlook.membership)}
    notes = "".join(f" Note: {note.text}." for note in profile.forecast.notes if note.text not in outdated)
    if not model.calibrated:
        return (
            f"The line is the forecast of {model.name}. The fan shows its {levels} intervals from the model's formula, "
            f"which allow for random error only: {_say_held(profile)}.{notes}"
        )
    revised = " and for UN revisions of its figures" if profile.forecast.provenance["intervals"] == REAL_TIME else ""
    return (
        f"The line is the median forecast of {model.name}: the outcome is as likely to be above it as below. The fan "
        f"shows its {levels} intervals, which allow for the model's past errors{revised}.{notes}"
    )


def list_cautions(profile: Profile) -> str:
    """Return the limitations of a profile, as a Markdown list."""
    latest = get_edition(max(REVISIONS))
    old = profile.panel.revision != latest.name
    return "\n".join(
        [
            "- The model uses past figures only. It cannot foresee what has never shown up in them.",
            f"- The latest estimates are partly projections since the last census, and "
            f"{f'were revised in {latest.title}' if old else 'will be revised'}.",
            "- A scenario shows what the model would forecast from a different past. It is not a forecast.",
        ]
    )


def tell_growth(profile: Profile) -> str:
    """Describe recent and earlier growth, and growth in our forecast and the UN variant."""
    panel, origin = profile.panel, profile.panel.origin
    past, ahead = panel.years, np.concatenate([[origin], profile.years])
    recent = measure_growth(past, profile.history, origin - RECENT, origin)
    before = measure_growth(past, profile.history, origin - 3 * RECENT, origin - RECENT)
    # Rounded, so that ties do not depend on the processor: the first of equal years is named.
    yearly = grow_yearly(profile.history, panel.step).round(9)
    fastest, slowest = int(yearly.argmax()), int(yearly.argmin())
    path = np.append(profile.history[-1], profile.median)
    # A plain autoregression may fall below zero, where growth is undefined.
    ours = _sign(measure_growth(ahead, path, origin, MIDDLE)) if profile.at(profile.median, MIDDLE) > 0 else None
    joined = f" {_say_joined(profile)}" if isinstance(profile.forecast.model, PanelAR) else ""
    said = [
        f"From {origin - RECENT} to {origin} the population {_say_grown(recent)}; in the ten years before that, it "
        f"{_say_grown(before)}. Since {past[0]}, growth was highest in {past[1 + fastest]}, at "
        f"{_sign(yearly[fastest])}, and lowest in {past[1 + slowest]}, at {_sign(yearly[slowest])}.",
        f"Up to {MIDDLE}, our forecast "
        f"{f'implies growth of {ours} a year' if ours else 'falls below zero, which is impossible'}",
    ]
    if profile.medium is None:
        return f"{said[0]} {said[1]}.{joined}"
    theirs = measure_growth(ahead, np.append(profile.history[-1], profile.medium), origin, MIDDLE)
    return f"{said[0]} {said[1]}; the UN's implies {_sign(theirs)}.{joined}"


def tell_record(profile: Profile) -> str:
    """Describe the backtest errors and coverage of forecasts made this way, or explain why there are none."""
    model = profile.forecast.model.name
    if why := UNRECORDED.get((str(profile.panel.revision), model)):
        return why
    record = find_record(profile).query("model == @model")
    near, far = (record.set_index("horizon").loc[horizon] for horizon in (NEAR, FAR))
    held = round(near["n"] * near["coverage_80"] / 100)
    known = "today's figures"
    if profile.panel.revision != DEFAULT_REVISION:
        known = f"the figures of the {get_edition(str(profile.panel.revision)).edition} edition"
    return (
        f"Made each year since {FIRST_ORIGIN}, {model} forecasts would have been off by {near['mape']:.1f}% on average "
        f"after {NEAR} years and by {far['mape']:.1f}% after {FAR}; after {NEAR} years, the {LEVEL}% interval "
        f"contained {held} of {near['n']:.0f} outcomes. The test uses final data ({known}), which flatters every model."
    )


def tell_vintages(profile: Profile) -> str:
    """Describe the real-time errors of the default model and the UN, or explain why they are unavailable."""
    record = find_vintages(profile)
    if record.empty:
        return (
            f"There is no real-time comparison for {profile.name}: the 2010 and 2012 editions have no figures for it "
            "under the same definition."
        )
    last = record.sort_values(["vintage", "year"], kind="stable").iloc[-1]
    ours, theirs = last["ape"], last["un_ape"]
    nearer = "as close" if round(ours, 1) == round(theirs, 1) else "closer" if ours < theirs else "further off"
    edition = get_edition(last["vintage"]).edition
    other = "" if profile.forecast.model.name == DEFAULT_MODEL else f" Our errors here are those of {DEFAULT_MODEL}."
    if profile.panel.revision != DEFAULT_REVISION:
        other = f" The outcomes are those of {get_edition(DEFAULT_REVISION).title}.{other}"
    return (
        f"In real time, our forecast for {last['year']} from the {edition} edition would have been off by {ours:.1f}%; "
        f"the UN's medium variant was off by {theirs:.1f}%, so ours was {nearer}.{other}{_explain_intervals(record)}"
    )


def tell_difference(profile: Profile) -> str:
    """Describe when our forecast and the UN variant diverge, by how much, and when it leaves our interval."""
    if profile.difference is None or profile.medium is None:
        return f"The UN's medium variant is not embedded for {profile.panel.revision}, so no comparison is possible."
    years, apart = profile.years, np.abs(profile.difference)
    last = int(years[-1])
    first = [(limit, int(years[(apart >= limit).argmax()])) for limit in PARTINGS if (apart >= limit).any()]
    if not first:
        parting = f"Our forecast and the UN's stay within {PARTINGS[0]}% of each other up to {last}."
    else:
        each = join_words([f"by {limit}% in {year}" for limit, year in first])
        places = " and ".join(f"{_say_apart(profile.at(profile.difference, at))} in {at}" for at in (MIDDLE, last))
        parting = f"Our forecast and the UN's first differ {each}. Ours is {places}."
    outside = ~hold_medium(profile)
    where = f"lies outside our {LEVEL}% interval {_say_outside(years, outside)}"
    held = where if outside.any() else f"stays within our {LEVEL}% interval up to {last}"
    why = explain_difference(profile.forecast, 0, MIDDLE, profile.at(profile.medium, MIDDLE))
    return f"{parting} The UN variant {held}. {why}".strip()


def list_milestones(profile: Profile) -> str:
    """Return the years in which the population peaks, passes a round number, doubles or halves, as a Markdown list."""
    listed = "\n".join(f"- {milestone.sentence}" for milestone in find_milestones(profile.forecast))
    if profile.forecast.model.calibrated:
        return listed
    return f"{listed}\n\nThe bounds are those of the model's own formula: {_say_held(profile)}."


def tell_scenarios(profile: Profile, scenarios: tuple[Scenario, ...]) -> str:
    """Describe each scenario and its effect, largest first, as a Markdown list."""
    ordered = sorted(scenarios, key=lambda scenario: -abs(_move(profile, scenario)))
    return "\n".join(
        f"- If {scenario.meaning}, the forecast for {MIDDLE} would be {_say_moved(profile, scenario)}."
        for scenario in ordered
    )


def describe_source(profile: Profile) -> str:
    """Describe the data, model and intervals used."""
    panel, provenance = profile.panel, profile.forecast.provenance
    return (
        f"{panel.title}, {panel.years[0]} to {panel.origin}, checksum {panel.checksum[:12]}; {provenance['model']}: "
        f"{INTERVALS[provenance['intervals']]}"
    )


def _say_held(profile: Profile) -> str:
    """Describe the coverage of the model's intervals at past origins."""
    record = find_record(profile)
    far = record[record["model"] == profile.forecast.model.name].set_index("horizon").loc[FAR]
    share = f"coverage_{LEVEL}"
    return (
        f"at past origins its {LEVEL}% intervals contained {round(far['n'] * far[share] / 100)} of {far['n']:.0f} "
        f"outcomes {FAR} years ahead"
    )


def _say_joined(profile: Profile) -> str:
    return (
        f"{profile.forecast.model.name} forecasts {join_words([str(knot) for knot in KNOTS])} years ahead directly and "
        "interpolates between them: kinks at these horizons are artefacts of the model."
    )


def _name_forecast(profile: Profile) -> str:
    model = profile.forecast.model.name
    return "our forecast" if model == DEFAULT_MODEL else f"the forecast of {model}"


def _explain_intervals(record: pd.DataFrame) -> str:
    """Explain the kinds of interval in the table of real-time errors, if any."""
    if record["held_95"].isna().all():
        return " Our intervals are evaluated for countries only."
    return "".join(f" *{VINTAGE_NAMES[kind].capitalize()}*: {meaning}." for kind, meaning in VINTAGE_INTERVALS.items())


def _tell_outdated(profile: Profile) -> Iterator[str]:
    """Yield a sentence on estimates that the UN has since replaced."""
    whole = profile.outlook
    for code, text in note_outdated(whole.panel, whole.membership):
        if code == profile.code:
            yield write_sentence(text)


def _say_grown(growth: float) -> str:
    if abs(growth) < STILL:
        return f"hardly changed ({_sign(growth)} a year)"
    return f"{'grew' if growth > 0 else 'shrank'} by {abs(growth):.1f}% a year"


def _say_outside(years: NDArray[np.int64], outside: NDArray[np.bool_]) -> str:
    """Describe when the UN variant first leaves our interval, and whether it leaves it again."""
    start = int(outside.argmax())
    if outside[start:].all():
        return f"from {years[start]} on"
    end = start + int(outside[start:].argmin())
    first = f"in {years[start]}" if end == start + 1 else f"from {years[start]} to {years[end - 1]}"
    return first + (", and again later" if outside[end:].any() else "")


def _say_apart(percent: float) -> str:
    if np.isnan(percent):
        return "below zero"
    if abs(percent) < STILL:
        return "level with the UN's"
    return f"{abs(percent):.1f}% {'above' if percent > 0 else 'below'} the UN's"


def _move(profile: Profile, scenario: Scenario) -> float:
    """Return the difference of a scenario from our forecast, in persons."""
    return profile.at(scenario.population, MIDDLE) - profile.at(profile.median, MIDDLE)


def _say_moved(profile: Profile, scenario: Scenario) -> str:
    percent, persons = compare(profile, scenario, MIDDLE), _move(profile, scenario)
    if np.isnan(percent):
        return f"{say_population(abs(persons))} people {'higher' if persons > 0 else 'lower'}"
    if abs(percent) < SLIGHT:
        return f"hardly different ({_sign(percent)})"
    return f"{abs(percent):.1f}% {'higher' if percent > 0 else 'lower'}"


def _sign(percent: float) -> str:
    return f"{percent:z.1f}%".replace("-", "−")

"""A profile in words: each sentence is made of the figures, and says no more than they do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from popforecast.display import INTERVALS, say_population
from popforecast.forecasting import DEFAULT_MODEL
from popforecast.milestones import find_milestones
from popforecast.outdated import note_outdated
from popforecast.profiles.profile import (
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
from popforecast.profiles.scenarios import Scenario, compare
from popforecast.record import FIRST_ORIGIN
from popforecast.sources import get_edition

# Growth per year, in percent, that nobody would call growth.
STILL = 0.05

# Differences, in percent, whose first year is told; and what counts as none.
PARTINGS = (1, 5, 10)

# A change of the forecast, in percent, below which a scenario changes nothing to speak of.
SLIGHT = 0.5

# A number and its percent sign belong on one line.
PERCENT = "\u00a0%"


def tell_forecast(profile: Profile) -> str:
    """Say how many people there are, how many there will be by our forecast, and what the UN says.

    Examples
    --------
    >>> from popforecast.profiles import make_profile
    >>> tell_forecast(make_profile("World", "wpp2019", "ar1"))[:77]
    'WORLD: 7.795 billion people in 2020 and, by our forecast, 10.83 billion in 20'
    """
    origin, last = profile.panel.origin, int(profile.years[-1])
    year = MIDDLE if MIDDLE in profile.years else last
    lower, upper = (side[LEVEL][0] for side in (profile.forecast.lower, profile.forecast.upper))
    said = (
        f"{profile.name}: {say_population(profile.history[-1])} people in {origin} and, by our forecast, "
        f"{say_population(profile.at(profile.median, year))} in {year} ({LEVEL} %: "
        f"{say_population(profile.at(lower, year))} to {say_population(profile.at(upper, year))})."
    )
    if profile.medium is not None:
        said += f" The UN's medium variant says {say_population(profile.at(profile.medium, year))}."
    return " ".join([said, *_tell_outdated(profile)])


def tell_growth(profile: Profile) -> str:
    """Say how the population has grown of late, before that, and how it will, by us and by the UN."""
    panel, origin = profile.panel, profile.panel.origin
    past, ahead = panel.years, np.concatenate([[origin], profile.years])
    recent = measure_growth(past, profile.history, origin - RECENT, origin)
    before = measure_growth(past, profile.history, origin - 3 * RECENT, origin - RECENT)
    yearly = grow_yearly(profile.history, panel.step)
    fastest, slowest = int(yearly.argmax()), int(yearly.argmin())
    ours = measure_growth(ahead, np.append(profile.history[-1], profile.median), origin, MIDDLE)
    said = [
        f"Since {origin - RECENT} the population {_say_grown(recent)}; in the ten years before, it "
        f"{_say_grown(before)}. Of the years since {past[0]}, growth was highest in {past[1 + fastest]}, at "
        f"{_sign(yearly[fastest])}, and lowest in {past[1 + slowest]}, at {_sign(yearly[slowest])}.",
        f"To {MIDDLE} we expect {_sign(ours)} a year",
    ]
    if profile.medium is None:
        return f"{said[0]} {said[1]}."
    theirs = measure_growth(ahead, np.append(profile.history[-1], profile.medium), origin, MIDDLE)
    return f"{said[0]} {said[1]}, the UN {_sign(theirs)}."


def tell_record(profile: Profile) -> str:
    """Say how far off forecasts made this way would have been, and how many outcomes the intervals held."""
    model = profile.forecast.model.name
    record = find_record(profile).query("model == @model")
    near, far = (record.set_index("horizon").loc[horizon] for horizon in (5, 20))
    held = round(near["n"] * near["coverage_80"] / 100)
    return (
        f"Had {model} been asked every year since {FIRST_ORIGIN}, it would have missed by {near['mape']:.1f}{PERCENT} "
        f"on average after 5 years and by {far['mape']:.1f}{PERCENT} after 20; after 5 years its 80{PERCENT} intervals "
        f"held {held} of {near['n']:.0f} outcomes. This is final data: the figures are as they are known today, which "
        "flatters every model."
    )


def tell_vintages(profile: Profile) -> str:
    """Say how the default model and the UN fared from what was known in 2010, or why nothing can be said."""
    record = find_vintages(profile)
    if record.empty:
        return (
            f"In real time nothing can be said of {profile.name}: the editions of 2010 and 2012 do not have it, or "
            "define it otherwise."
        )
    last = record.sort_values(["vintage", "year"]).iloc[-1]
    ours, theirs = last["ape"], last["un_ape"]
    nearer = "as near" if round(ours, 1) == round(theirs, 1) else "nearer" if ours < theirs else "further off"
    edition = get_edition(last["vintage"]).edition
    other = "" if profile.forecast.model.name == DEFAULT_MODEL else f" The figures are those of {DEFAULT_MODEL}."
    return (
        f"In real time, from the {edition} edition, we would have missed the population of {last['year']} by "
        f"{ours:.1f}{PERCENT} and the UN's medium variant by {theirs:.1f}{PERCENT}: we were "
        f"{nearer}.{other}"
    )


def tell_difference(profile: Profile) -> str:
    """Say when our forecast and the UN's part, how far, and when the UN's leaves our interval."""
    if profile.difference is None:
        missing = f"The UN's medium variant is not embedded for {profile.panel.revision}"
        return f"{missing}, so there is nothing to compare with."
    years, apart = profile.years, np.abs(profile.difference)
    last = int(years[-1])
    first = [(limit, int(years[(apart >= limit).argmax()])) for limit in PARTINGS if (apart >= limit).any()]
    if not first:
        parting = f"Ours and the UN's stay within {PARTINGS[0]}{PERCENT} of each other to {last}."
    else:
        each = ", ".join(f"{limit}{PERCENT} in {year}" for limit, year in first)
        places = " and ".join(
            f"{_say_apart(profile.at(profile.difference, year))} in {year}" for year in (MIDDLE, last)
        )
        parting = f"Ours and the UN's first differ by {each}. Ours lies {places}."
    outside = ~hold_medium(profile)
    if not outside.any():
        return f"{parting} The UN's stays within our {LEVEL}{PERCENT} interval to {last}."
    leaves, back = int(years[outside.argmax()]), "" if outside[outside.argmax() :].all() else ", and comes back"
    return f"{parting} The UN's leaves our {LEVEL}{PERCENT} interval in {leaves}{back}."


def list_milestones(profile: Profile) -> str:
    """Return when the population peaks, passes a round figure, doubles or halves, as a list in Markdown."""
    return "\n".join(f"- {milestone.sentence}" for milestone in find_milestones(profile.forecast))


def tell_scenarios(profile: Profile, scenarios: tuple[Scenario, ...]) -> str:
    """Say what each scenario is and does, the strongest first, as a list in Markdown."""
    ordered = sorted(scenarios, key=lambda scenario: -abs(compare(profile, scenario, MIDDLE)))
    return "\n".join(
        f"- If {scenario.meaning}, the forecast for {MIDDLE} would be "
        f"{_say_changed(compare(profile, scenario, MIDDLE))}."
        for scenario in ordered
    )


def describe_source(profile: Profile) -> str:
    """Say which figures, model and intervals these are."""
    panel, provenance = profile.panel, profile.forecast.provenance
    return (
        f"{panel.source}, {panel.years[0]} to {panel.origin}, checksum {panel.checksum[:12]}; {provenance['model']}: "
        f"{INTERVALS[provenance['intervals']]}"
    )


def _tell_outdated(profile: Profile) -> Iterator[str]:
    """Yield a sentence on figures that the UN has replaced since."""
    whole = profile.outlook.whole
    for code, text in note_outdated(whole.panel, whole.membership):
        if code == profile.code:
            yield f"{text[0].upper()}{text[1:]}."


def _say_grown(growth: float) -> str:
    if abs(growth) < STILL:
        return f"hardly changed ({_sign(growth)} a year)"
    return f"{'grew' if growth > 0 else 'shrank'} by {abs(growth):.1f}{PERCENT} a year"


def _say_apart(percent: float) -> str:
    if abs(percent) < STILL:
        return "level with the UN's"
    return f"{abs(percent):.1f}{PERCENT} {'above' if percent > 0 else 'below'} the UN's"


def _say_changed(percent: float) -> str:
    if abs(percent) < SLIGHT:
        return f"hardly different ({_sign(percent)})"
    return f"{abs(percent):.1f}{PERCENT} {'higher' if percent > 0 else 'lower'}"


def _sign(percent: float) -> str:
    return f"{percent:z.1f}{PERCENT}".replace("-", "−")

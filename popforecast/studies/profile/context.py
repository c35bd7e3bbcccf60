"""Context of a profile: events that changed the population, which the model sees only through the figures."""

from __future__ import annotations

import re

from popforecast.studies.events import Event, list_events
from popforecast.studies.profile.figures import RECENT, Profile
from popforecast.studies.profile.sentences import tell_forecast
from popforecast.wpp.editions import load_members


def tell_events(profile: Profile) -> str:
    """Describe the known events that affected the population; empty if there are none.

    Recent events of the location itself are in :func:`tell_finding` and are not repeated. For aggregates, these are the
    events of member countries that are recent or later than the last estimate.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> tell_events(make_profile("France"))
    ''
    """
    origin = profile.panel.origin
    own = list_events(profile.panel.locations["iso3"].to_dict()[profile.code])
    past = [_say_dated(event) for event in own if event.last <= origin - RECENT]
    said = []
    if past:
        before = len(past) < len(own)
        said.append(
            f"{'Earlier events' if before else 'Events'} that changed the population: {'; '.join(past)}. The model "
            "sees that figures changed, but not why."
        )
    among = _list_among(profile)
    if among:
        said.append(
            f"Events in its countries: {'; '.join(among)}. The model sees figures up to {origin}, but not what changed "
            "them or whether it continues."
        )
    return " ".join(said)


def tell_finding(profile: Profile) -> str:
    """Describe the forecast and, after a recent event, what it does not take into account.

    Examples
    --------
    >>> from popforecast.studies.profile import make_profile
    >>> "Russia's invasion of 2022" in tell_finding(make_profile("Ukraine"))
    True
    """
    origin = profile.panel.origin
    own = list_events(profile.panel.locations["iso3"].to_dict()[profile.code])
    recent = [_tell_recent(event, origin) for event in own if event.last > origin - RECENT]
    return " ".join([tell_forecast(profile), *recent])


def _tell_recent(event: Event, origin: int) -> str:
    if event.year > origin:
        return f"Not in these figures, which end in {origin}: {event.what}. Forecasts from them do not allow for it."
    return (
        f"The latest figures reflect a known event ({event.what}). The model sees its effect up to {origin}, "
        "but not whether it continues or who will return."
    )


def _list_among(profile: Profile) -> list[str]:
    """Return the recent and later events in the countries of an aggregate, each with the country name."""
    places, origin = profile.panel.locations[["name", "iso3"]].to_dict(), profile.panel.origin
    return [
        f"{places['name'][code]} ({event.what}{', after these figures end' if event.year > origin else ''})"
        for code in load_members(str(profile.panel.revision)).get(profile.code, ())
        for event in list_events(places["iso3"][code])
        if event.last > origin - RECENT
    ]


def _say_dated(event: Event) -> str:
    """Return the description of an event, with its year unless already mentioned."""
    return event.what if re.search(r"\d{4}", event.what) else f"{event.what} (from {event.year})"

"""The locations and groups that a request names: found in a revision, or named with the nearest there are."""

from __future__ import annotations

import unicodedata

import popforecast as pf
from app.query.arguments import MOST_NAMED, ArgumentError, Arguments, quote, take_several
from popforecast.errors import UnknownLocationError
from popforecast.panel.groups import add_groups
from popforecast.session import get_session
from popforecast.text import FORMULA, capitalise

# Every location of a revision may be asked for at once, and no more than that makes sense.
MOST_LOCATIONS = 300
MOST_GROUPS = 10

# No name or alias is as long; what is longer was not meant as one.
LONGEST_NAME = 100
LONGEST_GROUP_NAME = 60

# Characters that turn the direction of the text around them, or do not show at all.
HIDDEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")

# Every location of the revision, in its order: no name, code or alias is this.
EVERY = "all"

Group = tuple[str, tuple[int, ...]]


def read_locations(arguments: Arguments, revision: str) -> tuple[int, ...]:
    """Return the codes of the locations asked for, in order; none where none are, every one for ``all``.

    Raises
    ------
    ArgumentError, RepeatedLocationError
        If one is unknown, empty or too long, or stands twice.
    """
    texts = take_several(arguments, "location", MOST_LOCATIONS)
    if [text.casefold() for text in texts] == [EVERY]:
        return list_every(revision)
    return _find(texts, revision)


def list_every(revision: str) -> tuple[int, ...]:
    """Return the code of every location of a revision."""
    return tuple(get_session(revision).panel.locations.index.tolist())


def write_locations(codes: tuple[int, ...], revision: str) -> list[tuple[str, str]]:
    """Return the arguments that :func:`read_locations` reads as these codes.

    Examples
    --------
    >>> write_locations((566, 356), "wpp2024"), write_locations(list_every("wpp2024"), "wpp2024")
    ([('location', '566'), ('location', '356')], [('location', 'all')])
    """
    return [("location", EVERY)] if codes == list_every(revision) else [("location", str(code)) for code in codes]


def read_groups(arguments: Arguments, revision: str, model: str) -> tuple[Group, ...]:
    """Return the groups asked for: each a name and the codes of its members.

    Raises
    ------
    PopforecastError
        If a group is not one, or the model forecasts none.

    Examples
    --------
    >>> from werkzeug.datastructures import MultiDict
    >>> read_groups(MultiDict({"group": "South Asia's giants:India,PAK,50"}), "wpp2024", "panel-ar")
    (("South Asia's giants", (356, 586, 50)),)
    """
    groups: dict[str, tuple[int, ...]] = {}
    for text in take_several(arguments, "group", MOST_GROUPS):
        name, members = _read_group(text, revision)
        if name.casefold() in map(str.casefold, groups):
            raise ArgumentError(f"group {quote(name)} was given twice: expected each name once")
        groups[name] = members
    if not groups:
        return ()
    if not pf.models.get(model).calibrated:
        able = [name for name, known in pf.models.MODELS.items() if known.calibrated]
        raise ArgumentError(
            f"model {model} forecasts each series on its own, so group {quote(next(iter(groups)))} has no sum: "
            f"expected one of the models {', '.join(able)}"
        )
    # What remains to be checked, such as a country counted twice, takes the memberships that the module knows.
    session = get_session(revision)
    add_groups(session.panel, session.membership, groups)
    return tuple(groups.items())


def write_group(group: Group) -> str:
    """Return the text that :func:`read_groups` reads as this group.

    Examples
    --------
    >>> write_group(("My markets", (356, 50)))
    'My markets:356,50'
    """
    name, members = group
    return f"{name}:{','.join(map(str, members))}"


def _read_group(text: str, revision: str) -> Group:
    name, colon, rest = (part.strip() for part in text.partition(":"))
    if not colon:
        raise ArgumentError(
            f"group {quote(text)} has no colon: expected a name, a colon and members, such as My markets:NGA,356,Brazil"
        )
    if not name:
        raise ArgumentError(f"group {quote(text)} has no name: expected one before the colon")
    if len(name) > LONGEST_GROUP_NAME:
        raise ArgumentError(
            f"group {quote(name)} has a name of {len(name):,} characters: expected at most {LONGEST_GROUP_NAME}"
        )
    hidden = any(unicodedata.category(character) in ("Cc", "Cs") or character in HIDDEN for character in name)
    if hidden or not any(character.isprintable() for character in name):
        raise ArgumentError(f"group {quote(name)} has a name with characters that do not show: expected visible text")
    if FORMULA.search(name):
        raise ArgumentError(
            f"group {quote(name)} has a name that spreadsheets take for a formula: expected none that begins with "
            "=, +, - or @"
        )
    if not rest:
        raise ArgumentError(f"group {quote(name)} has no member: expected codes, ISO3 codes or names after the colon")
    members = [member.strip() for member in rest.split(",")]
    if "" in members:
        raise ArgumentError(f"group {quote(name)} has an empty member: expected one between any two commas")
    if len(members) > MOST_LOCATIONS:
        raise ArgumentError(
            f"group {quote(name)} has {len(members):,} members: expected at most {MOST_LOCATIONS}, each once"
        )
    try:
        return name, _find(members, revision)
    except pf.PopforecastError as error:
        raise ArgumentError(f"in group {quote(name)}: {error}") from error


def _find(texts: list[str], revision: str) -> tuple[int, ...]:
    for text in texts:
        if len(text) > LONGEST_NAME:
            raise ArgumentError(
                f"location {quote(text)} is {len(text)} characters long: expected at most {LONGEST_NAME}"
            )
    try:
        return tuple(get_session(revision).panel.index.find_all(texts))
    except UnknownLocationError as error:
        raise ArgumentError(_describe_missing(error.unknown, revision)) from error


def _describe_missing(unknown: dict[str, tuple[str, ...]], revision: str) -> str:
    sentences = [_describe_miss(text, nearest, revision) for text, nearest in list(unknown.items())[:MOST_NAMED]]
    if len(unknown) > MOST_NAMED:
        sentences.append(f"{len(unknown) - MOST_NAMED} more are unknown, too")
    return ". ".join(capitalise(sentence) for sentence in sentences) + (
        ". Expected a code, ISO3 code, name or alias of that revision"
    )


def _describe_miss(text: str, nearest: tuple[str, ...], revision: str) -> str:
    miss = f"no location {quote(text)} in {revision}"
    for other in pf.REVISIONS:
        try:
            index = get_session(other).panel.index
            name = index.names[index.find(text)]
        except UnknownLocationError:
            continue
        miss = f"location {quote(text)} is {name} in {other}, and is not in {revision}"
        nearest = nearest or get_session(revision).panel.index.suggest(name)
        break
    return miss + (f"; nearest: {', '.join(nearest)}" if nearest else "")

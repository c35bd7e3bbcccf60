"""Locations and groups as users write them, resolved to codes of a revision; errors suggest the nearest names."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from popforecast.errors import InputError, PopforecastError, UnknownLocationError, quote
from popforecast.session import get_session
from popforecast.text import FORMULA, capitalise
from popforecast.wpp.editions import REVISIONS

# Just above the number of locations in a revision, so that all can be requested at once.
MOST_LOCATIONS = 300
MOST_GROUPS = 10

# Maximum number of unknown locations listed in an error.
MOST_NAMED = 5

# Maximum length of a location's name; all names and aliases are shorter.
LONGEST_NAME = 100
LONGEST_GROUP_NAME = 60

# Invisible characters, and those that change the direction of the surrounding text.
HIDDEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")

# Selects all locations of the revision, in its order. It is not a name, code or alias of any location.
EVERY = "all"

GROUP_EXPECTED = "a name, a colon and members, such as My markets:NGA,356,Brazil"


class Every(tuple[Any, ...]):
    """The codes of all locations of a revision, written as one word in URLs."""


def find_places(texts: Sequence[str], revision: str) -> tuple[int, ...]:
    """Return the codes of locations in the given order; all codes for ``all``.

    Parameters
    ----------
    texts : sequence of str
        Codes, ISO3 codes, names or aliases.
    revision : str

    Raises
    ------
    InputError
        If one is unknown, too long or repeated.

    Examples
    --------
    >>> find_places(["Ivory Coast", "566"], "wpp2024"), len(find_places(["all"], "wpp2024"))
    ((384, 566), 297)
    """
    every = Every(get_session(revision).panel.locations.index.tolist())
    if [text.casefold() for text in texts] == [EVERY]:
        return every
    found = _find(texts, revision)
    return every if found == every else found


def find_group(text: str, revision: str) -> tuple[str, tuple[int, ...]]:
    """Return the name of a group and the codes of its members, from text as written by :func:`write_group`.

    Raises
    ------
    InputError
        If the text is not a valid group, or a member is unknown.

    Examples
    --------
    >>> find_group("South Asia's giants: India, PAK, 50", "wpp2024")
    ("South Asia's giants", (356, 586, 50))
    """
    name, members = split_group(text)
    _check_name(name)
    if len(members) > MOST_LOCATIONS:
        raise InputError(
            f"group {quote(name)} has {len(members):,} members: expected at most {MOST_LOCATIONS}, each once"
        )
    try:
        return name, _find(members, revision)
    except PopforecastError as error:
        raise InputError(f"in group {quote(name)}: {error}") from error


def split_group(text: str) -> tuple[str, list[str]]:
    """Return the name of a group and its members as written.

    Raises
    ------
    InputError
        If the colon or the name is missing, or a member is empty.

    Examples
    --------
    >>> split_group("My markets: NGA, 356")
    ('My markets', ['NGA', '356'])
    """
    name, colon, rest = (part.strip() for part in text.partition(":"))
    if not colon:
        raise InputError(f"group {quote(text)} has no colon: expected {GROUP_EXPECTED}")
    if not name:
        raise InputError(f"group {quote(text)} has no name: expected one before the colon")
    members = [member.strip() for member in rest.split(",")]
    if members == [""]:
        raise InputError(f"group {quote(name)} has no member: expected codes, ISO3 codes or names after the colon")
    if "" in members:
        raise InputError(f"group {quote(name)} has an empty member: expected one between any two commas")
    return name, members


def write_group(name: str, members: Sequence[object]) -> str:
    """Return a group as text that :func:`find_group` reads.

    Raises
    ------
    InputError
        If the name contains a colon or a member contains a comma.

    Examples
    --------
    >>> write_group("My markets", (356, "NGA"))
    'My markets:356,NGA'
    """
    texts = [str(member) for member in members]
    if ":" in name:
        raise InputError(f"group {name!r} has a colon in its name: expected a name without one")
    split = [text for text in texts if "," in text]
    if split:
        raise InputError(f"group {name!r} has the member {split[0]!r} with a comma: expected its code or ISO3 code")
    return f"{name}:{','.join(texts)}"


def _check_name(name: str) -> None:
    if len(name) > LONGEST_GROUP_NAME:
        raise InputError(
            f"group {quote(name)} has a name of {len(name):,} characters: expected at most {LONGEST_GROUP_NAME}"
        )
    hidden = any(unicodedata.category(character) in ("Cc", "Cs") or character in HIDDEN for character in name)
    if hidden or not any(character.isprintable() for character in name):
        raise InputError(f"group {quote(name)} has a name with invisible characters: expected visible text")
    if FORMULA.search(name):
        raise InputError(
            f"group {quote(name)} has a name that spreadsheets read as a formula: expected one that does not begin "
            "with =, +, - or @"
        )


def _find(texts: Sequence[str], revision: str) -> tuple[int, ...]:
    for text in texts:
        if len(text) > LONGEST_NAME:
            raise InputError(f"location {quote(text)} is {len(text)} characters long: expected at most {LONGEST_NAME}")
    try:
        found: list[Any] = get_session(revision).panel.index.find_all(texts)
        return tuple(found)
    except UnknownLocationError as error:
        raise InputError(_describe_missing(error.unknown, revision)) from error


def _describe_missing(unknown: dict[str, tuple[str, ...]], revision: str) -> str:
    sentences = [_describe_miss(text, nearest, revision) for text, nearest in list(unknown.items())[:MOST_NAMED]]
    if len(unknown) > MOST_NAMED:
        sentences.append(f"{len(unknown) - MOST_NAMED} more are unknown, too")
    return ". ".join(capitalise(sentence) for sentence in sentences) + (
        ". Expected a code, ISO3 code, name or alias of that revision"
    )


def _describe_miss(text: str, nearest: tuple[str, ...], revision: str) -> str:
    miss = f"no location {quote(text)} in {revision}"
    for other in REVISIONS:
        index = get_session(other).panel.index
        if index.has(text):
            name = index.names[index.find(text)]
            miss = f"location {quote(text)} is {name} in {other}, and is not in {revision}"
            nearest = nearest or get_session(revision).panel.index.suggest(name)
            break
    return miss + (f"; nearest: {', '.join(nearest)}" if nearest else "")

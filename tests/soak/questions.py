"""Questions as people and programs ask them, right and wrong, drawn at random from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlencode

import popforecast as pf

PAGES = ("/forecast", "/api/v1/forecast", "/api/v1/forecast.csv")
LISTS = ("/", "/api/v1/locations", "/api/v1/locations.csv", "/api/v1/models", "/healthz", "/readyz", "/version")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

# Of a bad value an error shows so much at least.
SHOWN = 20

Arguments = list[tuple[str, str]]


@dataclass(frozen=True)
class Question:
    """A request, and what is wrong with it.

    Attributes
    ----------
    path, method, body, headers
        The request.
    wrong : str or None
        The text that an error must show; None for a question that must be answered.
    is_noise
        Whether nobody knows if it must be answered.
    """

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    wrong: str | None = None
    is_noise: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path[:300]}" + (f" {self.body[:200]!r}" if self.body else "")


def draw_question(chance: random.Random) -> Question:
    """Return a question: four of ten are wrong, a tenth asks for something other than a forecast."""
    if chance.random() < 0.1:
        return Question(chance.choice(LISTS))
    arguments, wrong = draw_arguments(chance), None
    if chance.random() < 0.45:
        arguments, wrong = chance.choice(FAULTS)(chance, arguments)
    chance.shuffle(arguments)
    return put(chance, arguments, wrong)


def draw_arguments(chance: random.Random) -> Arguments:
    """Return the arguments of a question that has an answer."""
    revision = chance.choice(list(pf.REVISIONS))
    texts = chance.sample(list_texts(revision), chance.choice((1, 1, 2, 3, 5, 20)))
    first = chance.randint(1950, 2090)
    arguments = [("location", text) for text in texts]
    arguments += [("from", str(first)), ("to", str(chance.randint(first, min(first + 40, 2100))))]
    arguments += [("revision", revision), ("model", chance.choice(list(pf.models.MODELS)))]
    return arguments + [("level", str(level)) for level in chance.sample((50, 80, 90, 95, 99), chance.randint(0, 3))]


@lru_cache
def list_texts(revision: str) -> list[str]:
    """Return one text for each location of a revision: its code or its ISO3 code."""
    locations = pf.load_panel(revision).locations
    return [iso3 or str(code) for code, iso3 in locations["iso3"].items()]


def put(chance: random.Random, arguments: Arguments, wrong: str | None) -> Question:
    """Return the request that carries the arguments: in its address, a form, or JSON."""
    path = chance.choice(PAGES)
    if path.endswith(".csv") or chance.random() < 0.7:
        return Question(f"{path}?{urlencode(arguments)}", wrong=wrong)
    if path == "/forecast" or chance.random() < 0.5:
        return Question(path, "POST", urlencode(arguments).encode(), {"Content-Type": FORM}, wrong)
    members: dict[str, list[str]] = {}
    for name, value in arguments:
        members.setdefault(name, []).append(value)
    return Question(path, "POST", json.dumps(members).encode(), {"Content-Type": JSON}, wrong)


Fault = Callable[[random.Random, Arguments], tuple[Arguments, str]]


def _replace(name: str, *values: str) -> Fault:
    def spoil(chance: random.Random, arguments: Arguments) -> tuple[Arguments, str]:
        value = chance.choice(values)
        return [*((other, text) for other, text in arguments if other != name), (name, value)], value

    return spoil


def _add(name: str, value: str, shown: str) -> Fault:
    return lambda chance, arguments: ([*arguments, (name, value)], shown)


def _leave_out(name: str) -> Fault:
    return lambda chance, arguments: ([pair for pair in arguments if pair[0] != name], name)


def _draw_name(chance: random.Random, arguments: Arguments) -> tuple[Arguments, str]:
    alphabet = "abcxyzÅßдж中文٣ \t'\"<>&%;:,\0\u202e\u200b\ud7ff😀"
    value = "".join(chance.choices(alphabet, k=chance.choice((2, 5, 30, 99, 500)))).strip() or "zz"
    return [*arguments, ("location", f"q{value}")], f"q{value}"


FAULTS: tuple[Fault, ...] = (
    _replace("location", "Wurld", "NIGERIA2", "-1", "9" * 40, "../../etc/passwd", "<script>alert(1)</script>"),
    _replace("location", "NULL\0", "\u202egnirts", "a\r\nSet-Cookie: x=1", "1e3", "356.0", "%s%n", "{{7*7}}"),
    _replace("from", "abc", "20.5", "1e3", "-2030", "２０３０", "99999999999999999999", "0x7ee", "2030 2031"),
    _replace("to", "1700", "2101", "3000", "inf", "nan", "''"),
    _replace("model", "arima", "AR1", "panel_ar", "../ar1"),
    _replace("revision", "wpp1999", "wpp2012", "WPP", "wpp2024.csv"),
    _replace("level", "0", "100", "-5", "80.55", "abc", "1e1", "101"),
    _add("from", "2031", "from"),
    _add("model", "ar1", "model"),
    _add("colour", "red", "colour"),
    _add("location", "", "location"),
    _add("level", "", "level"),
    _leave_out("location"),
    _draw_name,
    _draw_name,
)

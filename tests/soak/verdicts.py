"""What is wrong with an answer, if anything."""

from __future__ import annotations

import gzip
import html
import json
import re

import brotli

from .questions import SHOWN, Question


def judge(question: Question, status: int, kind: str, body: bytes) -> str | None:
    """Return what is wrong with the answer to a question, or None."""
    text = body.decode("utf-8", "replace")
    if status >= 500:
        return f"{status}: {text[:300]}"
    if "Traceback" in text:
        return f"{status} with a traceback"
    said = read_text(kind, text)
    if question.is_noise:
        return judge_noise(question, status, kind, said)
    if question.wrong is None:
        return None if status in (200, 303) else f"{status} for a question that has an answer: {said[:300]}"
    if not 400 <= status < 500:
        return f"{status} for a question with {question.wrong!r} in it"
    return (
        None if shows(said, question.wrong) else f"{status} that does not show {question.wrong[:SHOWN]!r}: {said[:300]}"
    )


def judge_noise(question: Question, status: int, kind: str, said: str) -> str | None:
    """Return what is wrong with the answer to a request that may or may not make sense."""
    if status < 400 or question.method == "HEAD":
        return None
    if len(said) < 20:
        return f"{status} that says nothing: {said!r}"
    # A wrong query names the parameter, or what of it is wrong.
    if (
        status == 400
        and kind.startswith("application/problem+json")
        and not re.search(r"'|body|parameter|empty|chosen|^(From|To|Level) -?[0-9]", said)
    ):
        return f"400 that names nothing: {said[:300]}"
    return None


def unpack(body: bytes, encoding: str | None) -> bytes:
    """Return a body as it was before it was compressed."""
    packed = {"gzip": gzip.decompress, "br": brotli.decompress}.get(encoding or "")
    return packed(body) if packed and body else body


def read_text(kind: str, text: str) -> str:
    """Return what an answer says, as a person reads it."""
    if text and kind.startswith("application/problem+json"):
        return str(json.loads(text)["detail"])
    return html.unescape(text)


def shows(text: str, value: str) -> bool:
    """Return whether a text shows the beginning of a value, as it is or with what cannot be seen spelt out.

    Examples
    --------
    >>> shows("No location 'a\\\\x00b'", "a\\0b"), shows("No location", "Wurld")
    (True, False)
    """
    beginning = value.strip()[:SHOWN]
    seen = text.lower().replace("\\'", "'")
    return any(form.lower().replace("\\'", "'") in seen for form in (beginning, repr(beginning)[1:-1]))

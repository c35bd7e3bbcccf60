"""Many connections at once, each asking one question after the other."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .questions import Question, draw_question
from .server import Server
from .verdicts import judge, unpack

# More faults than these say nothing new.
MOST_FAULTS = 20


@dataclass
class Report:
    """What came of a run.

    Attributes
    ----------
    statuses : Counter
        How often each status was answered.
    faults : list of str
        What was wrong, with the question.
    broken : int
        Connections that ended without an answer.
    seconds : list of float
        How long each answer took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    broken: int = 0
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def asked(self) -> int:
        """How many questions were answered."""
        return self.statuses.total()

    def note(self, question: Question, status: int, fault: str | None, seconds: float) -> None:
        """Take down an answer."""
        with self.lock:
            self.statuses[status] += 1
            self.seconds.append(seconds)
            if fault and len(self.faults) < MOST_FAULTS:
                self.faults.append(f"{question}: {fault}")

    def __str__(self) -> str:
        found = ", ".join(f"{count:,} x {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.asked:,} answers ({found}), {self.broken} broken connections, {len(self.faults)} faults"


def storm(
    server: Server,
    seconds: float,
    connections: int = 50,
    seed: int = 0,
    most: int | None = None,
    draw: Callable[[random.Random], Question] = draw_question,
) -> Report:
    """Ask from many connections until the time, or the number of questions, is up."""
    report, deadline = Report(), time.monotonic() + seconds
    left = iter(range(most)) if most else None

    def ask_on(number: int) -> None:
        chance = random.Random(f"{seed}-{number}")
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            while time.monotonic() < deadline and (left is None or _take(left, report)):
                question = draw(chance)
                connection = _ask(connection, question, report)
        finally:
            connection.close()

    with ThreadPoolExecutor(connections) as pool:
        for future in [pool.submit(ask_on, number) for number in range(connections)]:
            future.result()
    return report


def _take(left: object, report: Report) -> bool:
    with report.lock:
        return next(left, None) is not None  # type: ignore[call-overload]


def _ask(connection: http.client.HTTPConnection, question: Question, report: Report) -> http.client.HTTPConnection:
    started = time.perf_counter()
    try:
        connection.request(question.method, question.path, question.body, question.headers)
        response = connection.getresponse()
        body = unpack(response.read(), response.headers.get("Content-Encoding"))
    except (OSError, http.client.HTTPException):
        with report.lock:
            report.broken += 1
        connection.close()
        return http.client.HTTPConnection(connection.host, connection.port, timeout=30)
    fault = judge(question, response.status, response.headers.get("Content-Type", ""), body)
    report.note(question, response.status, fault, time.perf_counter() - started)
    return connection

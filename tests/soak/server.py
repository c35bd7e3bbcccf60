"""The Procfile's own web process on a free loopback port: started, watched, and always brought to an end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[2]
DYNO = Path(__file__).parent / "dyno"

# Many run beside each other on a test machine.
PATIENCE = 60


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running server: the process that workers hang on, its port, its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", body: bytes | str | None = None, **headers: str) -> Answer:
        """Ask once, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def find_workers(self) -> list[psutil.Process]:
        """Return the worker processes."""
        return psutil.Process(self.process.pid).children()

    def measure_memory(self) -> float:
        """Return the megabytes that server and workers hold together (proportional set size)."""
        family = [psutil.Process(self.process.pid), *self.find_workers()]
        return sum(member.memory_full_info().pss for member in family) / 1e6

    def read_log(self) -> str:
        """Return everything it has logged."""
        return self.log.read_text()


def find_web_command() -> str:
    """Return the command of the Procfile's web process."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("web:"))


def find_free_port() -> int:
    """Return a loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(
    log: Path, environ: Mapping[str, str] | None = None, prefix: str = "", command: str | None = None
) -> Iterator[Server]:
    """Serve until the block ends.

    Parameters
    ----------
    log : Path
        File that takes all it prints.
    environ : mapping, optional
        Variables beside those of this process.
    prefix : str
        Words before the command, such as ``taskset -c 0``.
    command : str, optional
        Default: the Procfile's web process.
    """
    port = find_free_port()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "PYTHONPATH": str(DYNO), "PORT": str(port), "POPFORECAST_HOST": "127.0.0.1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {prefix} {command or find_web_command()}"],
            cwd=ROOT,
            env={**os.environ, **own, **(environ or {})},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Server(process, port, log)
    try:
        wait_for(server)
        yield server
    finally:
        end(server)


def wait_for(server: Server) -> None:
    """Wait until it answers.

    Raises
    ------
    RuntimeError
        If it ends before, or takes too long; the error holds its log.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.ask("/healthz")
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the Procfile's web process does not answer:\n{server.read_log()}")


def end(server: Server) -> None:
    """End it and all its workers, gently at first. An interrupt would not do: shells let their children ignore it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.process.pid, number)
            server.process.wait(25)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue

"""Slow clients next to normal ones: who is still answered, and how soon, by gunicorn's own threads and by ours."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from .server import Server, serve

NORMAL, PATIENCE, PAUSE = 6, 10.0, 0.1
QUERY = "/api/v1/forecast?location=NGA&from=2030&to=2031"
LARGE = "/api/v1/forecast?location=all&from=1950&to=2100"

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST /api/v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SENT = {
    "heads": HEAD,
    "bodies": BODY + b"Content-Length: 9000\r\n\r\n",
    "readers": f"GET {LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
}


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="How long each run lasts.")
@click.option("--slow", "numbers", default=(30, 60), multiple=True, show_default=True, help="Slow clients.")
@click.option(
    "--kind", "kinds", default=(*SENT, "all"), multiple=True, show_default=True, help="What they are slow at."
)
@click.option("--workers", default=2, show_default=True, help="Worker processes, of 40 threads each.")
def main(seconds: float, numbers: tuple[int, ...], kinds: tuple[str, ...], workers: int) -> None:
    """Print, for each worker, kind and number of slow clients, what the normal ones were answered."""
    click.echo(f"{NORMAL} normal clients ask with {PATIENCE:g} s of patience, a new connection each time")
    click.echo(f"{'worker':<8} {'slow clients':<14} {'answered':>8} {'not':>5} {'median':>9} {'slowest':>9}")
    for kind, number in [("heads", 0), *((kind, number) for kind in kinds for number in numbers)]:
        for worker in ("plain", "patient"):
            with run(worker, workers) as server:
                taken, failed = press(server, kind, number, seconds)
            middle, last = taken[len(taken) // 2] if taken else 0, taken[-1] if taken else 0
            click.echo(
                f"{worker:<8} {f'{number} {kind}' if number else 'none':<14} {len(taken):>8} {failed:>5} "
                f"{1e3 * middle:>6.0f} ms {1e3 * last:>6.0f} ms"
            )


@contextmanager
def run(worker: str, workers: int) -> Iterator[Server]:
    """Serve as the Procfile does, with our worker or with gunicorn's own and the same settings."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "gunicorn.conf.py"
        plain = "worker_class = 'gthread'\n" if worker == "plain" else ""
        config.write_text(f"exec(open('app/gunicorn.conf.py').read())\n{plain}")
        command = f"gunicorn --config {config} 'app:create_app()'"
        environ = {"RATELIMIT_ENABLED": "0", "WEB_CONCURRENCY": str(workers)}
        with serve(Path(folder) / "log.txt", environ, command=command) as server:
            yield server


def press(server: Server, kind: str, number: int, seconds: float) -> tuple[list[float], int]:
    """Return the seconds that each answer to a normal client took, and how many requests had none."""
    over = threading.Event()
    kinds = list(SENT) if kind == "all" else [kind]
    with ThreadPoolExecutor(number + NORMAL) as pool:
        for i in range(number):
            pool.submit(dawdle, server, kinds[i % len(kinds)], over)
        # All slow ones are there before anybody else comes.
        time.sleep(2)
        deadline = time.monotonic() + seconds
        asked = [pool.submit(ask_on, server, deadline) for _ in range(NORMAL)]
        found = [future.result() for future in asked]
        over.set()
    return sorted(seconds for some, _ in found for seconds in some), sum(failed for _, failed in found)


def ask_on(server: Server, deadline: float) -> tuple[list[float], int]:
    """Ask until the time is up; return the seconds of each answer, and how often there was none."""
    taken, failed = [], 0
    while time.monotonic() < deadline:
        started = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
                connection.sendall(f"GET {QUERY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                if not connection.recv(65_536).startswith(b"HTTP/1.1 200 "):
                    raise OSError("no answer")
            taken.append(time.monotonic() - started)
        except OSError:
            failed += 1
        time.sleep(PAUSE)
    return taken, failed


def dawdle(server: Server, kind: str, over: threading.Event) -> None:
    """Be a slow client until told to stop: a byte a second, or an answer that is not read; come back when cut off."""
    while not over.is_set():
        with suppress(OSError), socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.settimeout(PATIENCE)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(SENT[kind])
            while not over.wait(1):
                if kind != "readers":
                    connection.sendall(b"X")
                elif not connection.recv(1):
                    break


if __name__ == "__main__":
    main(prog_name="python -m tests.soak.slow")

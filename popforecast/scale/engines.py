"""Engines that process the partitions: threads in this process, or Dask."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from popforecast.errors import ScaleError
from popforecast.version import __version__

Task = TypeVar("Task")
Result = TypeVar("Result")

# Tasks submitted per worker: enough to keep it busy, and few enough to limit the results in memory.
AHEAD = 3

# Number of times a task may lose its worker before the task itself is blamed.
LOSSES = 10

# Seconds without a result before checking that there are still workers.
PATIENCE = 60.0

SETTINGS = {
    "distributed.scheduler.allowed-failures": LOSSES,
    # On a busy machine, a restarting worker takes longer than Dask's default timeout.
    "distributed.deploy.lost-worker-timeout": "1 hour",
}


@dataclass(frozen=True)
class Engine:
    """An executor, its initial number of workers, functions to count workers and share objects, and the dashboard."""

    executor: Executor
    workers: int
    count: Callable[[], int]
    share: Callable[[Any], Any]
    dashboard: str | None = None

    def map(
        self, function: Callable[..., Result], tasks: Iterable[Task], *shared: Any
    ) -> Iterator[tuple[Task, Result]]:
        """Yield tasks with their results, in order of completion.

        Raises
        ------
        ScaleError
            If the function raises one, or no worker is left.
        """
        waiting = iter(tasks)
        running: dict[Future[Result], Task] = {}
        try:
            while True:
                for task in islice(waiting, AHEAD * self.workers - len(running)):
                    running[self.executor.submit(function, task, *shared)] = task
                if not running:
                    return
                finished = wait(running, PATIENCE, FIRST_COMPLETED).done
                if not finished and not self.count():
                    raise ScaleError("Dask has no workers left: start some, then run it again to continue")
                for future in finished:
                    task = running.pop(future)
                    yield task, future.result()
        finally:
            for future in running:
                future.cancel()


@contextmanager
def start(engine: str, scheduler: str | None, workers: int | None) -> Iterator[Engine]:
    """Start an engine, yield it, and shut it down at the end of the block.

    Raises
    ------
    ScaleError
        If there is no such engine, Dask is not installed, or the scheduler cannot be reached.
    """
    workers = workers or os.cpu_count() or 1
    if engine == "local":
        if scheduler:
            raise ScaleError(f"scheduler {scheduler!r} needs Dask: expected engine 'dask'")
        with ThreadPoolExecutor(workers) as executor:
            yield Engine(executor, workers, lambda: workers, lambda thing: thing)
    elif engine == "dask":
        with _start_dask(scheduler, workers) as started:
            yield started
    else:
        raise ScaleError(f"engine {engine!r}: expected local or dask")


@contextmanager
def _start_dask(scheduler: str | None, workers: int) -> Iterator[Engine]:
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set(SETTINGS):
        if scheduler is None:
            # A local cluster must only be reachable from this machine.
            with (
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
                ) as cluster,
                Client(cluster) as client,
            ):
                yield _use(client, workers)
            return
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise ScaleError(
                f"scheduler {scheduler!r} cannot be reached: expected an address such as tcp://host:8786"
            ) from error
        with client:
            check_versions(client)
            yield _use(client, max(_count(client), workers))


def _use(client: Any, workers: int) -> Engine:
    # Shared as the result of a task, not scattered: Dask can recompute it after losing a worker.
    return Engine(
        client.get_executor(pure=False, retries=LOSSES),
        workers,
        lambda: _count(client),
        lambda thing: client.submit(_give, thing, pure=False),
        client.dashboard_link,
    )


def check_versions(client: Any) -> None:
    """Check that every worker has this version of popforecast; others could give different numbers or fail.

    Raises
    ------
    ScaleError
        If a worker has another version; the error names it.
    """
    try:
        found = client.run(_tell_version)
    except ModuleNotFoundError as error:
        raise ScaleError(f"the workers lack {error.name}: expected popforecast {__version__} with [scale]") from error
    for address, version in found.items():
        if version != __version__:
            raise ScaleError(f"worker {address} has popforecast {version}: expected {__version__}, as here")


def _tell_version() -> str:
    return __version__


def _count(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _give(thing: Any) -> Any:
    return thing

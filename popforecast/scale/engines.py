"""Where partitions are worked on: threads of this process, or Dask."""

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

# Tasks handed out for each worker: enough that none waits, few enough that results are never many.
AHEAD = 3

# How often a task may lose its worker before the task is taken to be what kills it.
LOSSES = 10

# Seconds without any result after which it is asked whether there is still a worker.
PATIENCE = 60.0

SETTINGS = {
    "distributed.scheduler.allowed-failures": LOSSES,
    # On a busy machine a worker that starts again takes longer than Dask waits for it before it gives it up.
    "distributed.deploy.lost-worker-timeout": "1 hour",
}


@dataclass(frozen=True)
class Engine:
    """An executor, its workers at first, who counts them now, how it is given something large, and its dashboard."""

    executor: Executor
    workers: int
    count: Callable[[], int]
    share: Callable[[Any], Any]
    dashboard: str | None = None

    def map(
        self, function: Callable[..., Result], tasks: Iterable[Task], *shared: Any
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, as they come.

        Raises
        ------
        ScaleError
            If the function raises one, or the engine is lost.
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
                    raise ScaleError("Dask has no worker left: start some, and run the same again to go on")
                for future in finished:
                    task = running.pop(future)
                    yield task, future.result()
        finally:
            for future in running:
                future.cancel()


@contextmanager
def start(engine: str, scheduler: str | None, workers: int | None) -> Iterator[Engine]:
    """Start an engine, and end what was started when the block ends.

    Raises
    ------
    ScaleError
        If there is no such engine, Dask is not installed, or the scheduler cannot be reached.
    """
    workers = workers or os.cpu_count() or 1
    if engine == "local":
        if scheduler:
            raise ScaleError(f"scheduler {scheduler!r} is Dask's: expected engine 'dask' beside it")
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
            # Nobody but this machine may ask a cluster of its own.
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
    # Handed over as a task's result, not scattered: what a dead worker held is made again from it.
    return Engine(
        client.get_executor(pure=False, retries=LOSSES),
        workers,
        lambda: _count(client),
        lambda thing: client.submit(_give, thing, pure=False),
        client.dashboard_link,
    )


def check_versions(client: Any) -> None:
    """Check that every worker has this version of popforecast: another one would give other numbers, or none.

    Raises
    ------
    ScaleError
        If one has not; the error names it.
    """
    try:
        found = client.run(_tell_version)
    except ModuleNotFoundError as error:
        raise ScaleError(f"the workers lack {error.name}: expected popforecast {__version__} with [scale]") from error
    for address, version in found.items():
        if version != __version__:
            raise ScaleError(f"worker {address} has popforecast {version}: expected {__version__} as here")


def _tell_version() -> str:
    return __version__


def _count(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _give(thing: Any) -> Any:
    return thing

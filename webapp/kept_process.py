"""Processes that are started again when they die, and end with the one that keeps them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from redactor.parent import end_with_parent

Work = Callable[[Any], None]
WATCH_SECONDS = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between two starts of a process that dies at once."""


def told_to_stop() -> threading.Event:
    """Set when this process gets Ctrl-C or SIGTERM, which do nothing else from now on."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def keep_all(processes: Sequence[Kept], stop: threading.Event) -> None:
    """Keeps the processes running until `stop` is set, and ends them."""
    try:
        while not stop.is_set():
            for process in processes:
                process.keep_alive()
            stop.wait(WATCH_SECONDS)
    finally:
        for process in processes:
            process.end()


class Kept:
    """A process that is started again when it dies; ever later when it dies at once.

    `needs`: what its work is given. `before`: is called here with the same before each start.
    """

    def __init__(self, name: str, work: Work, needs: object, before: Work = lambda _: None) -> None:
        self._name, self._work, self._needs, self._before = name, work, needs, before
        self._process: multiprocessing.process.BaseProcess | None = None
        self._started, self._pause = 0.0, 0.0

    def keep_alive(self) -> None:
        """Starts it when it is not running."""
        now = time.monotonic()
        if self._process is not None:
            if self._process.is_alive() or now < self._started + self._pause:
                return
            died_soon = now - self._started < LONGEST_PAUSE
            self._pause = min(LONGEST_PAUSE, 2 * self._pause) if died_soon else 0.0
        self._started, self._pause = now, self._pause or WATCH_SECONDS
        context = multiprocessing.get_context("spawn")
        self._before(self._needs)
        self._process = context.Process(
            target=_run, args=(self._work, self._needs), name=self._name
        )
        self._process.start()

    def end(self) -> None:
        """Tells it to stop, and makes sure."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _run(work: Work, needs: object) -> None:
    """A process's work; it ends with the process that keeps it, even when that is killed."""
    end_with_parent()
    work(needs)

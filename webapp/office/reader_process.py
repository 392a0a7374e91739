"""Reads what strangers sent in a process of its own, never in the office's.

That process has no network, little memory and little time (redactor.limits). A file that uses them
up, or that ends the process, is refused with a sentence; the office goes on.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any, TypeVar

from models.errors import Sentence
from redactor.errors import UnreadablePage, UsageError
from redactor.limits import PageTookTooLong, WorkerLimits, limits_from_environment, time_limit
from redactor.workers import worker_pool
from webapp.redactor_errors import rule_error
from webapp.settings import Settings
from webapp.vault_key import rounds_folder, with_key

Result = TypeVar("Result")
MEMORY, SECONDS = 3 * 2**30, 60.0
"""For one file or page; somebody waits for it."""


class ReaderProcess:
    """One process, started when it is first needed, that reads one file at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def read(self, work: Callable[..., Result], *values: Any) -> Result:
        """What `work` gives there, or its errors; UnreadablePage for what it could not do."""
        with self._lock:
            with contextlib.suppress(BrokenProcessPool):  # it was ended while it had nothing to do
                return self._answer(work, values)
            return self._answer(work, values)

    def _answer(self, work: Callable[..., Result], values: tuple[Any, ...]) -> Result:
        if self._pool is None:
            self._pool = worker_pool(1, _limits())
        try:
            future = self._pool.submit(_bounded, work, *values)
        except (BrokenProcessPool, OSError, ValueError) as error:  # as redactor.workers says
            self._pool = None
            raise BrokenProcessPool from error
        try:
            return future.result()
        except BrokenProcessPool:
            self._pool = None
            raise UnreadablePage(ENDED.zh, ENDED.en) from None


def _limits() -> WorkerLimits:
    """The settings of the workers where they are stricter."""
    there = limits_from_environment()
    return replace(
        there,
        memory=min(MEMORY, there.memory),
        page_seconds=min(SECONDS, there.page_seconds),
        grace=10,
        waiting_seconds=10 * SECONDS,
    )


def _bounded(work: Callable[..., Result], *values: Any) -> Result:
    try:
        with time_limit():
            return work(*values)
    except (PageTookTooLong, MemoryError):
        raise UnreadablePage(TOO_MUCH.zh, TOO_MUCH.en) from None


_reader = ReaderProcess()


def read_apart(settings: Settings, work: Callable[..., Result], *values: Any) -> Result:
    """What `work`, a function of a module, gives in the reader's process, which knows the key.

    Its errors are raised here; UnreadablePage when it needs too much or ends the process.
    """
    if settings.vault_key is None:
        return _reader.read(work, *values)
    return _reader.read(with_key, rounds_folder(settings), settings.vault_key, work, *values)


def read_sheet_apart(settings: Settings, work: Callable[..., Result], *values: Any) -> Result:
    """The same for rosters and lists: RuleError with what is wrong with the file."""
    try:
        return read_apart(settings, work, *values)
    except (UsageError, UnreadablePage) as error:
        raise rule_error(error) from error


TOO_MUCH = Sentence(
    "读取此文件所需的时间或内存超过上限，已停止。请检查是否选错了文件；表格请另存一份只含名单的，"
    "扫描件请重新扫描。",
    "Reading this file took more time or memory than allowed, so it was stopped. Check that it is "
    "the right file; save a sheet with the list alone, or scan the page again.",
)
ENDED = Sentence(
    "读取此文件时读取程序异常退出，文件可能已损坏。请另存或重新扫描后再上传。",
    "The process that read this file ended; the file may be damaged. Save it anew or scan it "
    "again, then upload that.",
)

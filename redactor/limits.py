"""What a worker process may use, since it opens files that strangers made.

Three bounds: memory, time for each page, and no network. A page that exceeds one fails with a
sentence; where even that is not possible the process ends, and its file with a sentence.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from redactor.errors import Sentence

log = logging.getLogger("mangping.limits")
Result = TypeVar("Result")


@dataclass(frozen=True)
class WorkerLimits:
    """`memory`: bytes of data (heap, private mappings) of a process; Linux only. An A4 page at 300
    dpi needs 1.0 GB of it, one of the largest that are let in (120 megapixels) 2.4 GB.

    `page_seconds`: CPU seconds for one page or for opening one file, so that a busy machine fails
    no page; after `grace` more the process ends. `waiting_seconds`: the same by the clock, for
    what hangs without computing.
    """

    memory: int = 6 * 2**30
    page_seconds: float = 600
    grace: float = 60
    waiting_seconds: float = 7_200


class PageTookTooLong(BaseException):
    """A page used up its time. No Exception: decoders and libraries swallow those."""


@dataclass
class _Watch:
    """The work under way in a process, of which there is one at a time."""

    limits: WorkerLimits
    lock: threading.Lock = field(default_factory=threading.Lock)
    thread: int = 0
    began: float = 0.0
    cut_off: bool = False
    mark: Path | None = None


_watch: _Watch | None = None
"""None where nothing is limited: in processes that are no workers."""


def confine(limits: WorkerLimits | None = None, *, network: bool = False) -> None:
    """Limits this worker process from now on. `network`: it may reach other machines."""
    global _watch
    _watch = _Watch(limits or limits_from_environment())
    _limit_memory(_watch.limits.memory)
    if not network and not cut_off_network():
        log.info("this worker process could not be cut off from the network")
    threading.Thread(target=_look_at_times, args=(_watch,), daemon=True).start()


def limits_from_environment() -> WorkerLimits:
    """MANGPING_WORKER_MEMORY (MB) and MANGPING_PAGE_SECONDS, where they are set to a number."""
    memory = _number("MANGPING_WORKER_MEMORY")
    seconds = _number("MANGPING_PAGE_SECONDS")
    standard = WorkerLimits()
    return WorkerLimits(
        memory=int(memory * 1e6) if memory else standard.memory,
        page_seconds=seconds or standard.page_seconds,
    )


def cut_off_network() -> bool:
    """No network socket can be made by this process from now on; whether that was possible.

    Linux: a seccomp filter, which needs no rights and binds all threads. Elsewhere there is no
    such means for an ordinary process; a firewall rule must do.
    """
    if sys.platform != "linux":
        return False
    try:
        import pyseccomp

        rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        refuse = pyseccomp.ERRNO(13)  # EACCES
        others = pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX)
        rules.add_rule(refuse, "socket", others)
        # It makes sockets without that call.
        rules.add_rule(refuse, "io_uring_setup")
        rules.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
        rules.load()
    except (ImportError, OSError, RuntimeError, ValueError):
        return False  # no libseccomp, or a kernel without it
    return True


@contextmanager
def time_limit(mark: Path | None = None) -> Iterator[None]:
    """What is done here has the time of one page; PageTookTooLong when it needs more.

    A page during which the process had to be ended left `mark`; it gets no second try, unless the
    limit was raised since.
    """
    watch = _watch
    if watch is None or watch.thread:
        yield
        return
    if mark is not None and _seconds_at(mark) >= watch.limits.page_seconds:
        raise PageTookTooLong
    with watch.lock:
        watch.thread, watch.began = threading.get_ident(), time.process_time()
        watch.cut_off, watch.mark = False, mark
    _end_at(watch.limits)
    try:
        yield
    finally:
        with watch.lock:
            watch.thread = 0
            if watch.cut_off:  # asked for, but perhaps not yet raised
                _raise_in(threading.get_ident(), None)
        _end_at(None)


def within_time(
    work: Callable[[], Result], failed: Callable[[Sentence], Result], mark: Path | None = None
) -> Result:
    """What `work` gives, or what `failed` makes of the sentence when it took too long."""
    try:
        with time_limit(mark):
            return work()
    except PageTookTooLong:
        return failed(TOOK_TOO_LONG)


TOOK_TOO_LONG = Sentence(
    "此页处理时间超过上限，已停止，未输出任何内容。文件可能已损坏，请打印后重新扫描此页。",
    "This page took longer than allowed, so it was stopped and nothing of it was written. The "
    "file may be damaged; print the page and scan it again.",
)


def _look_at_times(watch: _Watch) -> None:
    """Stops work that is over its time, first by an exception, then with the whole process."""
    limits = watch.limits
    while True:
        time.sleep(min(1.0, limits.page_seconds / 4))
        with watch.lock:
            used = time.process_time() - watch.began
            if not watch.thread or used < limits.page_seconds:
                continue
            if not watch.cut_off:
                watch.cut_off = True
                _raise_in(watch.thread, PageTookTooLong)
            elif used > limits.page_seconds + limits.grace:
                if watch.mark is not None:
                    with contextlib.suppress(OSError):
                        watch.mark.write_text(f"{limits.page_seconds}", "ascii")
                os._exit(1)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raises in another thread as soon as it runs Python again; None takes it back."""
    raised: Any = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)


def _end_at(limits: WorkerLimits | None) -> None:
    """Ends the process where not even another Python thread gets to run any more."""
    if limits is None:
        faulthandler.cancel_dump_traceback_later()
    elif sys.stderr is not None:  # it must have somewhere to write to
        faulthandler.dump_traceback_later(limits.waiting_seconds, exit=True)
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        seconds = most
        if limits is not None:
            allowed = time.process_time() + limits.page_seconds + 2 * limits.grace
            seconds = (
                int(allowed) + 1 if most == resource.RLIM_INFINITY else min(most, int(allowed))
            )
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))


def _limit_memory(size: int) -> None:
    """RLIMIT_DATA and not RLIMIT_AS: models map much that they never touch. No core files."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # others do not count mappings
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        size = size if most == resource.RLIM_INFINITY else min(size, most)
        resource.setrlimit(resource.RLIMIT_DATA, (size, most))
    # Elsewhere it cannot be set, and is as it was: the default, which ends the process.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _seconds_at(mark: Path) -> float:
    """The limit at which the process had to be ended; 0 when it was not."""
    try:
        return float(mark.read_text("ascii"))
    except (OSError, ValueError):
        return 0.0


def _number(name: str) -> float | None:
    try:
        value = float(os.environ.get(name, ""))
    except ValueError:
        return None
    return value if value > 0 else None

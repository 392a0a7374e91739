"""Logs of both apps and the runner: JSON lines that name nobody, whatever goes wrong.

A line has numbers, words of our own code and types and places of errors. The words of an error, the
arguments of a library's message, an address or a form may hold a name; they are never written.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from redactor.errors import RedactorError

OURS = "mangping"
LARGEST, KEPT = 10 * 2**20, 9
"""Bytes of a file, and how many older ones are kept beside it."""
PLACES = 5
"""Frames of an error, the innermost."""
_FIELDS = frozenset(
    ("event", "level", "route", "method", "status", "ms", "role", "job", "kind", "file", "page",
     "pages", "state", "attempt", "error", "places", "port")
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9_./<>:{}\- ]{0,200}", re.ASCII)
Fields = MutableMapping[str, Any]


def log_of(name: str) -> structlog.stdlib.BoundLogger:
    """A log of ours. An event is a fixed word; of its fields only known ones are written."""
    return structlog.wrap_logger(
        logging.getLogger(f"{OURS}.{name}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            _error_without_words,
            _only_known,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def places_of(error: BaseException) -> list[str]:
    """Where an error came from, innermost last: file:line function, without a word of it."""
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def kinds_of(error: BaseException) -> str:
    """The type of an error and of those that led to it."""
    kinds: list[str] = []
    found: BaseException | None = error
    while found is not None and len(kinds) < PLACES:
        kinds.append(type(found).__name__)
        found = found.__cause__ or found.__context__
    return " < ".join(kinds)


class WorkerError(Exception):
    """What went wrong in a worker: the kinds of errors and the places, nothing that it said."""

    def __init__(self, kinds: str, places: list[str]) -> None:
        super().__init__(kinds, places)
        self.kinds, self.places = kinds, places


def without_words(work: Callable[..., Any], *arguments: Any) -> Any:
    """Does a worker's job; its errors come back without their words, but for our sentences."""
    _guard_this_process("worker")
    try:
        return work(*arguments)
    except RedactorError:
        raise
    except Exception as error:
        told = WorkerError(kinds_of(error), places_of(error))
    # Outside, so that the words do not travel along as its context.
    raise told


@contextmanager
def logs_of(part: str, folder: Path | None) -> Iterator[None]:
    """The logs of a process, for as long as it works: to a file in `folder`, or to stderr.

    Warnings and errors go to stderr as well. An error that ends the process is written, too.
    """
    set_up_logs(part, folder)
    log = log_of("process")
    log.info("started")
    try:
        yield
    except Exception as error:
        log.critical("died", exc_info=error)
        raise SystemExit(1) from None
    log.info("ended")


def set_up_logs(part: str, folder: Path | None) -> None:
    """Everything that this process says from now on is a line without words of others."""
    _guard_this_process(part)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if folder is not None and _can_write(folder):
        handlers[0].setLevel(logging.WARNING)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                folder / f"{part}.jsonl", maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8",
                delay=True,
            )
        )  # fmt: skip
    _put_handlers(part, handlers)
    logging.getLogger(OURS).setLevel(logging.INFO)


def _can_write(folder: Path) -> bool:
    """Makes the folder; a process that may not write there says everything on stderr."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _put_handlers(part: str, handlers: list[logging.Handler]) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(_Line(part))
        root.addHandler(handler)
    # Of libraries; what they tell of their everyday work is of no use without its words.
    root.setLevel(logging.WARNING)


_guarded: str | None = None


def _guard_this_process(part: str) -> None:
    """No way of Python's own to print an error prints its words."""
    global _guarded
    if _guarded == part:
        return
    _guarded = part
    _put_handlers(part, [logging.StreamHandler(sys.stderr)])
    # A line that cannot be written stops no work, and its contents are not printed instead.
    logging.raiseExceptions = False
    warnings.showwarning = _a_warning
    sys.excepthook = _an_error
    threading.excepthook = lambda told: _an_error(
        told.exc_type, told.exc_value or Exception(), told.exc_traceback
    )
    sys.unraisablehook = lambda told: _an_error(
        told.exc_type, told.exc_value or Exception(), told.exc_traceback
    )


def _an_error(
    kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log_of("process").error("uncaught", exc_info=error)


def _a_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    place = f"{Path(filename).name}:{lineno}"
    log_of("process").warning("warning", error=category.__name__, places=[place])


def _error_without_words(_logger: Any, _name: str, fields: Fields) -> Fields:
    error = fields.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        fields["error"], fields["places"] = kinds_of(error), places_of(error)
        if isinstance(error, WorkerError):
            fields["error"], fields["places"] = error.kinds, error.places
    return fields


def _only_known(_logger: Any, _name: str, fields: Fields) -> Fields:
    """Drops what nobody thought of; a text that is no plain word becomes "?"."""
    return {name: _plain(value) for name, value in fields.items() if name in _FIELDS}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "?"


class _Line(logging.Formatter):
    """One record as one line of JSON. Of others' records: who spoke and where, not what."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part
        self._time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")

    def format(self, record: logging.LogRecord) -> str:
        fields: Fields
        if record.name.startswith(f"{OURS}.") and isinstance(record.msg, dict):
            fields = dict(record.msg)
            fields.pop("_record", None)
        else:
            fields = {"event": "library", "level": record.levelname.lower(), "log": record.name,
                      "places": [f"{record.module}:{record.lineno}"]}  # fmt: skip
            if record.exc_info and record.exc_info[1] is not None:
                fields["error"] = kinds_of(record.exc_info[1])
                fields["places"] = places_of(record.exc_info[1])
            fields = {name: _plain(value) for name, value in fields.items()}
        line = self._time(None, "", {"part": self._part, **fields})
        return json.dumps(line)

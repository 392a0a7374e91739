"""Who answers requests: the office from one process, the experts' pages from one or several.

A process of Python uses one core. On SQLite only one can write at a time, so one is enough; on
PostgreSQL several share the port, and whichever is free takes the next connection.
"""

from __future__ import annotations

import os
import select
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask

from webapp.kept_process import Kept, keep_all, told_to_stop
from webapp.logs import logs_of, set_up_logs
from webapp.one_service import proxy_options
from webapp.ports import family
from webapp.settings import ReviewSettings, Settings, secret_key
from webapp.watch import SHARED_COUNTS

THREADS = 8
REVIEW_THREADS = 4
"""Each statement gives Python's lock away and waits to get it back from the other threads."""
REVIEW_CONNECTIONS = 2000 if hasattr(select, "poll") else 480
"""A browser keeps up to six open; a committee has hundreds of tablets. Windows watches 512."""
BACKLOG = 1024
PATIENCE = 10.0
"""Seconds."""


@dataclass(frozen=True)
class OneOfSeveral:
    """What each of the experts' processes is given. `number`: from 1. `door`: listens already."""

    settings: ReviewSettings
    number: int
    door: socket.socket


def run_office(settings: Settings) -> None:
    """The office's process."""
    from webapp.office.app import create_office

    with logs_of("office", settings.logs):
        app = create_office(settings)
        _answer(
            app, settings, THREADS, **_place(settings),
            max_request_body_size=settings.largest_request,
        )  # fmt: skip


def run_review(settings: ReviewSettings) -> None:
    """The experts' process, or the one that keeps several of them."""
    if settings.processes == 1:
        _answer_experts(settings, "review", **_place(settings))
        return
    stop = told_to_stop()
    set_up_logs("review-keeper", settings.logs)
    secret_key(settings.folder)  # made once, before several would make it
    with _shared_counts(), _door(settings) as door:
        numbers = range(1, settings.processes + 1)
        each = [OneOfSeveral(settings, number, door) for number in numbers]
        keep_all([Kept(f"review-{one.number}", _run_one, one) for one in each], stop)


def _door(settings: ReviewSettings) -> socket.socket:
    """Listens at the experts' port; waits for processes that are just ending there."""
    place = (settings.host, settings.port)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_server(place, family=family(settings.host), backlog=BACKLOG)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@contextmanager
def _shared_counts() -> Iterator[None]:
    """A folder in which the processes count together, so that it is the same whom Prometheus asks.

    prometheus_client looks for it when it is imported, so the processes must find it there.
    """
    with tempfile.TemporaryDirectory(prefix="mangping-counts-") as folder:
        os.environ[SHARED_COUNTS] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_COUNTS]


def _run_one(one: OneOfSeveral) -> None:
    # Each has a log of its own: two cannot both begin a new file.
    name = "review" if one.number == 1 else f"review-{one.number}"
    _answer_experts(one.settings, name, sockets=[one.door])


def _answer_experts(settings: ReviewSettings, log: str, **place: object) -> None:
    from webapp.review.app import create_review

    _open_files_for(REVIEW_CONNECTIONS)
    with logs_of(log, settings.logs):
        _answer(
            create_review(settings),
            settings,
            REVIEW_THREADS,
            **place,
            connection_limit=REVIEW_CONNECTIONS,
            asyncore_use_poll=True,  # select() ends at 1024
        )


def _place(settings: Settings | ReviewSettings) -> dict[str, object]:
    return {"host": settings.host, "port": settings.port}


def _answer(
    app: Flask, settings: Settings | ReviewSettings, threads: int, **options: object
) -> None:
    """Serves an app until the process is told to stop. `options`: waitress's own."""
    import waitress

    waitress.serve(
        ready_to_answer(app), threads=threads, ident="", **options, **proxy_options(settings)
    )


def ready_to_answer(app: Flask) -> Flask:
    """The app with its templates compiled, so that no visitor waits for that."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    return app


def _open_files_for(connections: int) -> None:
    """Lets this process hold as many connections; systems begin with 1024 files in all."""
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 500
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

"""What the runner tells of its work: a line in the log for each job, and metrics on a port."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from models.office_jobs import LeasedJob
from webapp.logs import log_of
from webapp.resident import resident_bytes_of_children
from webapp.settings import Settings
from webapp.watch import CARRIED, may_ask, new_registry

BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds of a job."""
log = log_of("runner")


class RunnerWatch:
    """Counts and logs jobs by their kind and how they ended; ids are in the log alone."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = new_registry("runner")
        self._jobs = Counter(
            "mangping_runner_jobs", "Jobs that ended.", ["kind", "state"], registry=self.registry
        )
        self._pages = Counter(
            "mangping_runner_pages", "Pages of jobs that were kept.", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "mangping_runner_job_seconds", "How long jobs took.", ["kind"], buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        workers = Gauge(
            "mangping_workers_resident_bytes", "Memory of the workers.", registry=self.registry
        )
        workers.set_function(resident_bytes_of_children)
        self._begun: dict[int, float] = {}

    def begun(self, job: LeasedJob) -> None:
        """A worker has a job, perhaps since an earlier call."""
        self._begun.setdefault(job.id, time.monotonic())

    def ended(self, job: LeasedJob, pages: int, *, kept: bool) -> None:
        """A job has its results; they count if it was still this runner's."""
        if kept:
            self._pages.labels(job.kind).inc(pages)
        self._note(job, "done" if kept else "too late", log.info, pages=pages)

    def broke(self, job: LeasedJob, state: str, error: BaseException) -> None:
        """A job ended without results."""
        self._note(job, state, log.warning, exc_info=error)

    def failed(self, what: str, error: BaseException) -> None:
        """Something beside the jobs went wrong."""
        log.error(what, exc_info=error)

    def _note(self, job: LeasedJob, state: str, write: Callable[..., Any], **more: Any) -> None:
        took = time.monotonic() - self._begun.pop(job.id, time.monotonic())
        self._jobs.labels(job.kind, state).inc()
        self._seconds.labels(job.kind).observe(took)
        target = {"page" if job.kind == "remask" else "file": job.target}
        write("job", job=job.id, kind=job.kind, **target, attempt=job.attempts, state=state,
              ms=round(1000 * took), **more)  # fmt: skip


def serve_metrics(settings: Settings, watch: RunnerWatch) -> None:
    """Answers /metrics on the runner's port, if it has one, beside the work.

    Other computers reach it only where there is a token.
    """
    if not settings.runner_metrics_port:
        return
    import waitress

    try:
        server = waitress.create_server(
            answer_to(settings, watch.registry),
            host=settings.host if settings.metrics_token else "127.0.0.1",
            port=settings.runner_metrics_port,
            threads=1,
            ident="",
            # Taken as a sign that somebody else asks, and believed in nothing.
            clear_untrusted_proxy_headers=False,
        )
    except OSError as error:
        # Pages are redacted whether or not somebody counts them.
        log.error("metrics port", port=settings.runner_metrics_port, exc_info=error)
        return
    threading.Thread(target=server.run, daemon=True, name="metrics").start()


def answer_to(settings: Settings, registry: CollectorRegistry) -> Callable[..., Iterable[bytes]]:
    """The WSGI application of the runner's port."""

    def application(asked: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        carried = any(f"HTTP_{name.upper().replace('-', '_')}" in asked for name in CARRIED)
        allowed = may_ask(
            token=settings.metrics_token,
            shown=asked.get("HTTP_AUTHORIZATION", ""),
            address=asked.get("REMOTE_ADDR", ""),
            carried=carried or settings.secure_cookies,
        )
        if asked.get("PATH_INFO") != "/metrics" or not allowed:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")])
        return [generate_latest(registry)]

    return application

"""What a machine may ask about the work: each request in the log, /metrics and /healthz.

Both apps have it. Nothing here has a name, a seat, a code, or an id of anything: requests are
counted by the pattern of their address.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import time
from collections.abc import Callable

from flask import Flask, Response, abort, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.logs import log_of
from webapp.resident import resident_bytes, resident_bytes_of_siblings
from webapp.security import open_to_all

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds."""
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNKNOWN = "-"
"""Stands for an address that is none of ours, and is not written down."""
POLLS = frozenset(("/d/<code>/pages.json", "/meeting"))
"""What every open tablet asks every few seconds: counted, and written down when it went wrong."""
CARRIED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
"""Only a reverse proxy sends these: the visitor is not on this computer."""
SHARED_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own: the folder in which several processes of one app count together."""

log = log_of("requests")


def new_registry(part: str) -> CollectorRegistry:
    """Metrics of one part: office, review or runner.

    Where several processes answer for it, they are those of all of them.
    """
    # When something was first asked for is nobody's business.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    several = SHARED_COUNTS in os.environ
    if several:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    memory = Gauge("mangping_resident_bytes", "Memory of this part.", ["part"], registry=registry)
    memory.labels(part).set_function(resident_bytes_of_siblings if several else resident_bytes)
    return registry


def set_up_watch(
    app: Flask,
    part: str,
    *,
    token: str,
    behind_proxy: bool,
    role: Callable[[], str],
    collectors: tuple[Collector, ...] = (),
) -> None:
    """Counts and logs requests, and answers /metrics. Call it before anything that may refuse.

    `token`: what a Prometheus server shows; "" lets this computer alone in, and nobody where a
    reverse proxy makes everybody look like it. `role`: of the visitor, if it is known already.
    """
    registry = new_registry(part)
    # What several processes count stands in their folder, and is read from there.
    own = None if SHARED_COUNTS in os.environ else registry
    for collector in collectors:
        registry.register(collector)
    number = Counter(
        "mangping_requests", "Requests by the pattern of their address.",
        ["method", "route", "status"], registry=own,
    )  # fmt: skip
    seconds = Histogram(
        "mangping_request_seconds", "How long answers took.", ["route"], buckets=BUCKETS,
        registry=own,
    )  # fmt: skip
    app.extensions["metrics"] = registry

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def note(response: Response) -> Response:
        # A request that was malformed did not begin.
        took = time.perf_counter() - g.get("began", time.perf_counter())
        route = request.url_rule.rule if request.url_rule is not None else UNKNOWN
        method = request.method if request.method in METHODS else UNKNOWN
        number.labels(method, route, str(response.status_code)).inc()
        seconds.labels(route).observe(took)
        if route in POLLS and response.status_code < 400:
            return response
        log.info(
            "request", method=method, route=route, status=response.status_code,
            ms=round(1000 * took, 1), role=role(),
        )  # fmt: skip
        return response

    @open_to_all
    def metrics() -> Response:
        if not may_ask(
            token=token,
            shown=request.headers.get("Authorization", ""),
            address=request.remote_addr or "",
            carried=behind_proxy or any(name in request.headers for name in CARRIED),
        ):
            abort(404)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", "metrics", metrics)


def may_ask(*, token: str, shown: str, address: str, carried: bool) -> bool:
    """Who may see the metrics: whoever shows the token, or without one this computer itself."""
    if token:
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
    try:
        return not carried and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def set_up_health(
    app: Flask,
    session: Callable[[], Session],
    more: Callable[[], str] = lambda: "",
) -> None:
    """Gives the app its /healthz: "ok" and what it rests on, or 503.

    `more`: another line, without its end.
    """

    @open_to_all
    def healthz() -> Response:
        lines = ["ok", "database ok"]
        try:
            session().execute(text("SELECT 1"))
            lines += [line for line in (more(),) if line]
        except Exception as error:
            log.error("unhealthy", exc_info=error)
            g.undo = True
            return Response("failed\ndatabase failed\n", 503, mimetype="text/plain")
        return Response("\n".join(lines) + "\n", mimetype="text/plain")

    app.add_url_rule("/healthz", "healthz", healthz)

"""The headers that bind browsers stand on every answer of the office, whoever asks for whatever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.webapp.furnished import furnish
from tests.webapp.test_access import addresses, path_of, person
from webapp.office.app import create_office
from webapp.office.kept_files import ROSTERS, keep_file
from webapp.settings import Settings

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
"""Written out here, so that nobody loosens it in one place and the test with it."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
BARRED = ("camera", "microphone", "geolocation")


def wrong(answer: TestResponse, *, https: bool) -> list[str]:
    """What is missing in an answer."""
    headers, path = answer.headers, answer.request.path
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    found = [] if policy == POLICY else [f"{path}: {policy}"]
    found += [f"{path}: {k}" for k, v in HEADERS.items() if headers.get_all(k) != [v]]
    permissions = headers.get("Permissions-Policy", "")
    found += [f"{path}: {what}" for what in BARRED if f"{what}=()" not in permissions]
    kept = headers.get("Cache-Control", "")
    shared = answer.request.path.startswith("/static/")
    if not ("no-store" in kept or "private" in kept or (shared and kept)) or "public" in kept:
        found.append(f"{path}: Cache-Control {kept!r}")
    if "text/html" in headers.get("Content-Type", "") and answer.data and kept != "no-store":
        found.append(f"{path}: a page may be kept: {kept!r}")
    if ("max-age=31536000" in headers.get("Strict-Transport-Security", "")) is not https:
        found.append(f"{path}: Strict-Transport-Security")
    for cookie in headers.get_all("Set-Cookie"):
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "samesite=strict" not in parts or ("secure" in parts) is not https:
            found.append(f"{path}: cookie {cookie.partition('=')[0]} {sorted(parts)}")
    found += [f"{path}: {name}" for name in ("Server", "X-Powered-By") if name in headers]
    return found


@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
def test_every_address_answers_with_every_header(
    settings: Settings, office: Flask, vault: Engine, https: bool
) -> None:
    furnished = furnish(vault, settings)
    app = create_office(settings.model_copy(update={"secure_cookies": https}))
    base = "https://localhost" if https else "http://localhost"
    clients: list[Callable[[], FlaskClient]] = [
        app.test_client,
        lambda: person(app, vault, "admin"),
        lambda: person(app, vault, "clerk"),
    ]
    problems: list[str] = []
    for make in clients[:1] if https else clients:
        client = make()
        for method, rule in addresses(app):
            if "sign-out" in rule.rule:
                continue
            answer = client.open(path_of(rule, furnished), method=method, base_url=base)
            problems += wrong(answer, https=https)
    client = person(app, vault, "admin") if not https else app.test_client()
    for method, path in (
        ("GET", "/no-such-page"),
        ("GET", "/static/no-such.css"),
        ("PUT", "/sign-in"),
        ("TRACE", "/sign-in"),
        ("HEAD", "/sign-in"),
        ("OPTIONS", "/sign-in"),
        ("GET", "//sign-in"),
        ("POST", "/sign-out"),
    ):
        problems += wrong(client.open(path, method=method, base_url=base), https=https)
    huge = client.post("/sign-in", data=b"x" * 100, headers={"Content-Length": str(2**40)})
    problems += wrong(huge, https=https)
    assert problems == []


def test_a_file_that_is_sent_is_not_kept_by_the_browser(
    settings: Settings, office: Flask, vault: Engine
) -> None:
    """Flask's own word for files is "no-cache", with which they lie on the browser's disk."""
    from flask import send_file

    from webapp.security import open_to_all

    path = settings.vault / "rounds"
    digest = keep_file(settings, 1, ROSTERS, ".csv", "诸葛晓岚".encode())

    @open_to_all
    def sent() -> object:
        return send_file(path / "1" / ROSTERS / f"{digest}.csv")

    office.add_url_rule("/sent", "sent", sent)
    answer = office.test_client().get("/sent")
    assert answer.data.decode() == "诸葛晓岚"
    assert answer.headers["Cache-Control"] == "no-store"
    assert wrong(answer, https=False) == []

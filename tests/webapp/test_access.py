"""Who may use what: every address of the office against every role, and against those with none."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import accounts
from models.passwords import hashed
from models.vault_accounts import SignIn
from tests.webapp.conftest import form_token
from tests.webapp.furnished import Furnished, furnish
from webapp.office.app import COOKIE
from webapp.security import HEADERS
from webapp.settings import Settings

OPEN, ALL = "open", "admin clerk secretary"
DESK, ADMIN = "admin clerk", "admin"
TABLE = "admin secretary"
"""The secretary's table: clerks who mask pages do not see experts and scores."""
ROLES = ("admin", "clerk", "secretary")
WHO = {
    "GET /static/<path:filename>": OPEN,
    "GET /healthz": OPEN,
    "GET /metrics": OPEN,
    "GET /language/<code>": OPEN,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /setup/<token>": OPEN,
    "POST /setup/<token>": OPEN,
    "GET /": ALL,
    "POST /sign-out": ALL,
    "GET /account": ALL,
    "POST /account/password": ALL,
    "POST /account/devices/end": ALL,
    "POST /account/devices/<token_sha256>/end": ALL,
    "GET /accounts": ADMIN,
    "GET /retention": ADMIN,
    "POST /retention/<int:round_id>/days": ADMIN,
    "POST /retention/<int:round_id>/give-up": ADMIN,
    "POST /retention/<int:round_id>/take-up": ADMIN,
    "POST /retention/<int:round_id>/destroy": ADMIN,
    "POST /retention/destructions/<int:destruction_id>/go-on": ADMIN,
    "GET /retention/destructions/<int:destruction_id>/certificate.<kind>": ADMIN,
    "POST /accounts": ADMIN,
    "POST /accounts/<int:account_id>": ADMIN,
    "GET /pictures/<int:page_id>/<side>/<int:rotation>/<size>/<version>": DESK,
    "GET /rounds/new": DESK,
    "POST /rounds/new": DESK,
    "GET /rounds/<int:round_id>": ALL,
    "GET /rounds/<int:round_id>/settings": DESK,
    "POST /rounds/<int:round_id>/settings": DESK,
    "GET /rounds/<int:round_id>/roster": DESK,
    "POST /rounds/<int:round_id>/roster": DESK,
    "POST /rounds/<int:round_id>/roster/confirm": DESK,
    "GET /rounds/<int:round_id>/roster/<int:entrant_id>": DESK,
    "POST /rounds/<int:round_id>/roster/<int:entrant_id>": DESK,
    "GET /rounds/<int:round_id>/uploads": DESK,
    "POST /rounds/<int:round_id>/uploads/layout": DESK,
    "POST /rounds/<int:round_id>/uploads/begin": DESK,
    "POST /rounds/<int:round_id>/uploads/<upload_id>/chunk": DESK,
    "POST /rounds/<int:round_id>/uploads/match": DESK,
    "GET /rounds/<int:round_id>/unmatched": DESK,
    "POST /rounds/<int:round_id>/unmatched": DESK,
    "GET /rounds/<int:round_id>/progress": DESK,
    "GET /rounds/<int:round_id>/progress/part": DESK,
    "POST /rounds/<int:round_id>/progress/pause": DESK,
    "POST /rounds/<int:round_id>/progress/retry": DESK,
    "GET /rounds/<int:round_id>/dossiers/<int:entrant_id>": DESK,
    "GET /rounds/<int:round_id>/dossiers/<int:entrant_id>/part": DESK,
    "POST /rounds/<int:round_id>/files/<int:file_id>/category": DESK,
    "GET /pages/<int:page_id>": DESK,
    "POST /pages/<int:page_id>/check-again": DESK,
    "POST /pages/<int:page_id>/decision": DESK,
    "GET /pages/<int:page_id>/dossiers": DESK,
    "POST /pages/<int:page_id>/everywhere": DESK,
    "GET /pages/<int:page_id>/history": DESK,
    "POST /pages/<int:page_id>/look": DESK,
    "POST /pages/<int:page_id>/masks": DESK,
    "POST /pages/<int:page_id>/redo": DESK,
    "GET /pages/<int:page_id>/status": DESK,
    "POST /pages/<int:page_id>/undo": DESK,
    "GET /rounds/<int:round_id>/charts/<name>.svg": ALL,
    "GET /rounds/<int:round_id>/dashboard": ALL,
    "GET /rounds/<int:round_id>/pages": DESK,
    "GET /rounds/<int:round_id>/release": DESK,
    "GET /rounds/<int:round_id>/release/<int:entrant_id>": DESK,
    "POST /rounds/<int:round_id>/release/<int:release_id>/back": DESK,
    "POST /rounds/<int:round_id>/release/<int:release_id>/confirm": DESK,
    "POST /rounds/<int:round_id>/release/ask": DESK,
    "POST /rounds/<int:round_id>/release/next": DESK,
    "GET /rounds/<int:round_id>/reports": DESK,
    "POST /rounds/<int:round_id>/reports/<int:page_id>/let-be": DESK,
    "POST /rounds/<int:round_id>/reports/<int:page_id>/replace": DESK,
    "POST /rounds/<int:round_id>/reports/<int:page_id>/take-up": DESK,
    "GET /check/<token>": OPEN,
    "GET /check/<token>/<int:number>": OPEN,
    "POST /check/<token>/<int:number>": OPEN,
    "GET /check/<token>/<int:number>/<size>.jpg": OPEN,
    "GET /rounds/<int:round_id>/selfcheck": DESK,
    "POST /rounds/<int:round_id>/selfcheck/<int:entrant_id>/withdraw": DESK,
    "GET /rounds/<int:round_id>/selfcheck/answers": DESK,
    "POST /rounds/<int:round_id>/selfcheck/answers/<int:answer_id>": DESK,
    "POST /rounds/<int:round_id>/selfcheck/links": DESK,
    "GET /rounds/<int:round_id>/returns": DESK,
    "GET /rounds/<int:round_id>/returns.xlsx": DESK,
    "POST /rounds/<int:round_id>/returns/<int:entrant_id>": DESK,
    "POST /rounds/<int:round_id>/returns/<int:entrant_id>/again": DESK,
    "GET /rounds/<int:round_id>/seats": TABLE,
    "POST /rounds/<int:round_id>/seats": TABLE,
    "GET /rounds/<int:round_id>/seats/<seat>": TABLE,
    "POST /rounds/<int:round_id>/seats/<seat>": TABLE,
    "POST /rounds/<int:round_id>/seats/<seat>/remove": TABLE,
    "POST /rounds/<int:round_id>/cards": TABLE,
    "POST /rounds/<int:round_id>/cards/<seat>/revoke": TABLE,
    "GET /rounds/<int:round_id>/tablets": TABLE,
    "POST /rounds/<int:round_id>/tablets/<seat>/<token_sha256>/sign-out": TABLE,
    "GET /rounds/<int:round_id>/assignment": TABLE,
    "POST /rounds/<int:round_id>/assignment/preview": TABLE,
    "POST /rounds/<int:round_id>/assignment/apply": TABLE,
    "POST /rounds/<int:round_id>/assignment/recuse": TABLE,
    "GET /rounds/<int:round_id>/policy": TABLE,
    "POST /rounds/<int:round_id>/policy": TABLE,
    "GET /rounds/<int:round_id>/board": TABLE,
    "GET /rounds/<int:round_id>/board/dossiers/<code>": TABLE,
    "POST /rounds/<int:round_id>/board/dossiers/<code>/assign": TABLE,
    "POST /rounds/<int:round_id>/board/dossiers/<code>/disqualify": TABLE,
    "POST /rounds/<int:round_id>/board/dossiers/<code>/recuse": TABLE,
    "POST /rounds/<int:round_id>/board/sheets/<int:sheet_id>/<act>": TABLE,
    "GET /rounds/<int:round_id>/board/seats": TABLE,
    "GET /rounds/<int:round_id>/board/reminders": TABLE,
    "GET /rounds/<int:round_id>/board/left-out": TABLE,
    "GET /rounds/<int:round_id>/board/lock": TABLE,
    "POST /rounds/<int:round_id>/board/lock": TABLE,
    "GET /rounds/<int:round_id>/defence": TABLE,
    "POST /rounds/<int:round_id>/defence": TABLE,
    "POST /rounds/<int:round_id>/defence/import": TABLE,
    "POST /rounds/<int:round_id>/defence/phase": TABLE,
    "GET /rounds/<int:round_id>/defence/scores": TABLE,
    "GET /rounds/<int:round_id>/defence/scores/<code>": TABLE,
    "POST /rounds/<int:round_id>/defence/scores/<code>": TABLE,
    "POST /rounds/<int:round_id>/defence/scores/<code>/correct": TABLE,
    "GET /rounds/<int:round_id>/defence/outcomes": TABLE,
    "POST /rounds/<int:round_id>/defence/outcomes": TABLE,
    "GET /rounds/<int:round_id>/defence/outcomes/<code>.svg": TABLE,
    "GET /rounds/<int:round_id>/ballots": TABLE,
    "GET /rounds/<int:round_id>/ballots/part": TABLE,
    "POST /rounds/<int:round_id>/ballots/attendance": TABLE,
    "POST /rounds/<int:round_id>/ballots/phase": TABLE,
    "POST /rounds/<int:round_id>/ballots/open": TABLE,
    "POST /rounds/<int:round_id>/ballots/<ballot_id>/close": TABLE,
    "POST /rounds/<int:round_id>/ballots/<ballot_id>/paper": TABLE,
    "GET /rounds/<int:round_id>/ballots/<ballot_id>/receipts": TABLE,
    "GET /rounds/<int:round_id>/ballots/<ballot_id>/papers": ALL,
    "POST /rounds/<int:round_id>/ballots/<ballot_id>/papers": ALL,
    "GET /rounds/<int:round_id>/results": TABLE,
    "POST /rounds/<int:round_id>/results/tie": TABLE,
    "GET /rounds/<int:round_id>/results/statistics": TABLE,
    "GET /rounds/<int:round_id>/results/charts/<name>.svg": TABLE,
    "GET /rounds/<int:round_id>/tally": TABLE,
    "POST /rounds/<int:round_id>/tally": TABLE,
    "POST /rounds/<int:round_id>/tally/close": TABLE,
    "GET /rounds/<int:round_id>/tally/<int:number>/difference": TABLE,
    "GET /rounds/<int:round_id>/tally/<int:number>/<name>": TABLE,
    "GET /rounds/<int:round_id>/tally/input/<name>": TABLE,
    "POST /rounds/<int:round_id>/tally/archive": TABLE,
    "GET /rounds/<int:round_id>/tally/archive.zip": TABLE,
    "GET /rounds/<int:round_id>/unseal": TABLE,
    "POST /rounds/<int:round_id>/unseal/ask": TABLE,
    "POST /rounds/<int:round_id>/unseal/confirm": TABLE,
    "POST /rounds/<int:round_id>/unseal/rosters": TABLE,
    "POST /rounds/<int:round_id>/unseal/rosters/<int:file_id>": TABLE,
    "GET /rounds/<int:round_id>/notice": TABLE,
    "POST /rounds/<int:round_id>/notice": TABLE,
    "POST /rounds/<int:round_id>/notice/days": TABLE,
    "POST /rounds/<int:round_id>/notice/complaints": TABLE,
    "POST /rounds/<int:round_id>/notice/complaints/<int:number>": TABLE,
    "GET /rounds/<int:round_id>/notice/<int:number>/print": TABLE,
    "GET /rounds/<int:round_id>/notice/<int:number>.xlsx": TABLE,
    "GET /rounds/<int:round_id>/signed": TABLE,
    "POST /rounds/<int:round_id>/signed": TABLE,
    "GET /rounds/<int:round_id>/signed/sheets/<seat>.pdf": TABLE,
    "GET /rounds/<int:round_id>/signed/scans/<int:scan_id>": TABLE,
    "POST /rounds/<int:round_id>/signed/draws": TABLE,
    "GET /rounds/<int:round_id>/signed/draws/<int:number>": TABLE,
    "POST /rounds/<int:round_id>/signed/draws/<int:number>": TABLE,
}
"""Who may use what. A new address fails the first test until it stands here."""
NASTY = (
    "..%2f..%2fvault.db",
    "..%252f..%252fvault.db",
    "%2fetc%2fpasswd",
    "..%5c..%5cvault.db",
    "a%00b",
    "%ff%fe",
    "%F0%9F%98%80",
    "x" * 5_000,
    "1'%20OR%20'1'%3D'1",
    "%3Cscript%3E",
    "-1",
    "0",
    "2147483648",
    "9" * 19,
    "9" * 40,
    "1e3",
    "NaN",
)
WRITING = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def furnished(settings: Settings, vault: Engine) -> Furnished:
    return furnish(vault, settings)


def addresses(app: Flask) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of everything that answers."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule


def known(app: Flask) -> list[tuple[str, Rule, str]]:
    """(method, rule, who may use it) of what the table lists."""
    listed = ((m, rule, WHO.get(f"{m} {rule.rule}")) for m, rule in addresses(app))
    return [(m, rule, who) for m, rule, who in listed if who is not None]


def path_of(rule: Rule, furnished: Furnished, nasty: str | None = None) -> str:
    """An address of the rule with ids that exist, or with something nasty in their place."""
    ids = {
        "round_id": furnished.round_id,
        "entrant_id": furnished.entrants[0],
        "page_id": furnished.pages[0],
        "file_id": furnished.files[0],
    }

    def value(found: re.Match[str]) -> str:
        name = found.group(2)
        return nasty if nasty is not None else str(ids.get(name, 1))

    return re.sub(r"<(\w+(?:\([^)]*\))?:)?(\w+)>", value, rule.rule)


def person(office: Flask, vault: Engine, role: str) -> FlaskClient:
    """A client signed in as `role` by a session of its own, without hashing a password."""
    client = office.test_client()
    token = secrets.token_urlsafe(32)
    with Session(vault) as session, session.begin():
        account = session.query(accounts.Account).filter_by(login=role).one()
        session.add(
            SignIn(
                token_sha256=hashed(token),
                account_id=account.id,
                device="test",
                address="-",
                created_at="2000-01-01",
                seen_at="9999-01-01",
                expires_at="9999-01-01",
            )
        )
    client.set_cookie(COOKIE, token)
    return client


def ask(client: FlaskClient, method: str, path: str, token: str = "") -> TestResponse:
    headers = {"X-CSRFToken": token} if token else {}
    return client.open(path, method=method, headers=headers)


def test_every_address_stands_in_the_table_and_is_marked_so(office: Flask) -> None:
    marked = {}
    for method, rule in addresses(office):
        view = office.view_functions[rule.endpoint]
        is_open = rule.endpoint == "static" or getattr(view, "open_to_all", False)
        roles = " ".join(sorted(getattr(view, "roles", ())))
        marked[f"{method} {rule.rule}"] = OPEN if is_open else roles
    assert marked == WHO


def test_nobody_and_forged_sessions_get_in_nowhere(
    office: Flask, vault: Engine, furnished: Furnished
) -> None:
    forged = office.test_client()
    forged.set_cookie(COOKIE, "A" * 43)
    reviewer = office.test_client()
    reviewer.set_cookie("mp_review", "A" * 43)
    long = office.test_client()
    long.set_cookie(COOKIE, "x" * 60_000)
    # The hash is what a copy of the database holds; it must not open the door.
    stolen = person(office, vault, "admin")
    cookie = stolen.get_cookie(COOKIE)
    assert cookie is not None
    stolen.set_cookie(COOKIE, hashed(cookie.value))
    for client in (office.test_client(), forged, reviewer, long, stolen):
        token = form_token(client.get("/sign-in").text)
        for method, rule, who in known(office):
            if who == OPEN:
                continue
            answer = ask(client, method, path_of(rule, furnished), token)
            if method == "GET":
                assert answer.headers.get("Location") == "/sign-in", rule
            else:
                assert answer.status_code == 401, rule
            partly = client.get(path_of(rule, furnished), headers={"HX-Request": "true"})
            if method == "GET":
                assert (partly.status_code, partly.data) == (204, b""), rule


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_grants(
    office: Flask, vault: Engine, furnished: Furnished, role: str
) -> None:
    for method, rule, who in known(office):
        client = person(office, vault, role)
        token = form_token(client.get("/sign-in").text)
        answer = ask(client, method, path_of(rule, furnished), token)
        assert answer.status_code < 500, (rule, answer.text)
        if who != OPEN and role not in who.split():
            assert answer.status_code == 403, rule
        else:
            assert answer.status_code not in (401, 403, 405), rule


def test_nothing_is_written_without_the_form_token(
    office: Flask, vault: Engine, furnished: Furnished
) -> None:
    client = person(office, vault, "admin")
    for method, rule, _ in known(office):
        if method in WRITING:
            assert ask(client, method, path_of(rule, furnished)).status_code == 400, rule
            assert ask(client, method, path_of(rule, furnished), "forged").status_code == 400


def test_a_method_that_is_not_meant_is_refused(
    office: Flask, vault: Engine, furnished: Furnished
) -> None:
    client = person(office, vault, "admin")
    token = form_token(client.get("/sign-in").text)
    for rule in office.url_map.iter_rules():
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):
            if method not in (rule.methods or set()):
                answer = ask(client, method, path_of(rule, furnished), token)
                assert answer.status_code in (400, 404, 405), rule


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: text[:12])
def test_tricks_in_an_address_lead_nowhere(
    office: Flask, vault: Engine, furnished: Furnished, nasty: str
) -> None:
    client = person(office, vault, "admin")
    token = form_token(client.get("/sign-in").text)
    for method, rule, _ in known(office):
        if not rule.arguments:
            continue
        answer = ask(client, method, path_of(rule, furnished, nasty), token)
        # 302: signing a device out twice is no fault; it leads to a page of our own.
        assert 300 <= answer.status_code < 500, (rule, answer.status_code)
        assert b"SQLite" not in answer.data
        target = urlsplit(answer.headers.get("Location", "/"))
        assert target.netloc in ("", "localhost"), rule


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: text[:12])
def test_tricks_in_a_query_break_nothing(
    office: Flask, vault: Engine, furnished: Furnished, nasty: str
) -> None:
    client = person(office, vault, "admin")
    names = ("after", "before", "page", "state", "sort", "q", "kind", "entrant", "entrant_id")
    query = "&".join(f"{name}={nasty}" for name in names)
    for method, rule, _ in known(office):
        if method == "GET":
            answer = client.get(f"{path_of(rule, furnished)}?{query}")
            assert answer.status_code < 500, (rule, answer.text)


@pytest.mark.parametrize("text", ["a\0b", "-1", "9" * 40, "NaN", "\U0001f600\ud800", "x" * 5_000])
def test_tricks_in_a_form_break_nothing(
    office: Flask, vault: Engine, furnished: Furnished, text: str
) -> None:
    for method, rule, _ in known(office):
        # Of passwords there is test_accounts.py; hashing them takes long.
        if method not in WRITING or rule.endpoint.startswith("accounts."):
            continue
        client = person(office, vault, "admin")
        headers = {"X-CSRFToken": form_token(client.get("/sign-in").text)}
        path = path_of(rule, furnished)
        form = dict.fromkeys(FORM_NAMES, text.encode("utf-8", "surrogatepass"))
        answer = client.open(path, method=method, data=form, headers=headers)
        assert answer.status_code < 500, (rule, answer.text)
        for body in ([], {}, None, {"masks": [text]}, dict.fromkeys(FORM_NAMES, text)):
            answer = client.open(path, method=method, json=body, headers=headers)
            assert answer.status_code < 500, (rule, body, answer.text)


FORM_NAMES = (
    *("login", "name", "role", "password", "old", "active", "year", "policy", "profile"),
    *("committee_members", "submit_until", "number", "unit", "row", "reason", "decision"),
    *("on", "masks", "what", "seconds", "entrant_id", "folder", "path", "size", "offset"),
    *("answer", "remark", "places", "hours", "modified", "page", "pages", "confirm"),
    *("seat", "pasted", "address", "all", "reviews", "seed", "digest", "pair", "capacity"),
)


@pytest.mark.parametrize(
    "back",
    ["//evil.example/", "/\\evil.example", "https://evil.example", "\\\\evil", "/%0d%0aX: y"],
)
def test_the_language_link_leads_to_no_other_site(office: Flask, back: str) -> None:
    answer = office.test_client().get("/language/en", query_string={"back": back})
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "\n" not in location


@pytest.mark.parametrize(
    "path",
    [
        "/static/../office/app.py",
        "/static/..%2foffice/app.py",
        "/static//etc/passwd",
        "/static/vendor/..%5c..%5csettings.py",
        "/static/a%00.css",
        "/static/",
    ],
)
def test_static_files_are_only_those(office: Flask, path: str) -> None:
    answer = office.test_client().get(path, follow_redirects=True)
    assert answer.status_code == 404


def test_the_headers_stand_on_every_answer(
    office: Flask, vault: Engine, furnished: Furnished
) -> None:
    admin, secretary = person(office, vault, "admin"), person(office, vault, "secretary")
    answers = [
        admin.get("/no-such-page"),
        secretary.get("/accounts"),
        admin.get("/static/mangping.css"),
        admin.get("/static/no-such.css"),
        admin.post("/sign-out"),
        office.test_client().get("/"),
        admin.open("/", method="PUT"),
    ]
    answers += [admin.get(path_of(rule, furnished)) for m, rule, _ in known(office) if m == "GET"]
    assert {answer.status_code for answer in answers[:7]} == {200, 302, 400, 403, 404, 405}
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (answer.request.path, name)
        assert "Cache-Control" in answer.headers
        assert "public" not in answer.headers["Cache-Control"] or "/static/" in answer.request.path
        assert "Server" not in answer.headers


def test_an_unexpected_error_is_a_page_with_headers_and_keeps_nothing(
    office: Flask, vault: Engine
) -> None:
    from webapp.security import open_to_all

    @open_to_all
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    office.add_url_rule("/broken", "broken", broken)
    answer = office.test_client().get("/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "此次操作未保存" in answer.text
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_a_view_that_nobody_marked_is_refused(office: Flask, vault: Engine) -> None:
    office.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert person(office, vault, "admin").get("/forgotten").status_code == 403
    assert office.test_client().get("/forgotten").headers["Location"] == "/sign-in"


class Inline(HTMLParser):
    """Everything in a page that a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        data = names.get("type") in ("application/json", "text/plain")
        if (tag == "script" and "src" not in names and not data) or tag == "style":
            self.found.append(tag)
        for name, value in names.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"{tag} {name}")
            elif (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")


def test_no_page_has_inline_script_or_style(
    office: Flask, vault: Engine, furnished: Furnished
) -> None:
    admin = person(office, vault, "admin")
    pages = 0
    for method, rule, _ in known(office):
        answer = admin.get(path_of(rule, furnished)) if method == "GET" else None
        if answer is not None and answer.mimetype == "text/html":
            inline = Inline()
            inline.feed(answer.text)
            assert inline.found == [], rule
            pages += 1
    assert pages >= 5

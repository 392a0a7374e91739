"""Who may ask for what: every address of the experts' app against everybody who is not its seat."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.base import ReviewBase
from models.passwords import hashed
from models.review_access import AccessEvent, SeatDevice
from models.review_pages import ReleasedPage
from models.seat_access import TRIES, issue_card, revoke_card
from models.seat_lists import REFUSED, door_events
from tests.webapp.conftest import form_token
from tests.webapp.review_meeting import opened, to_meeting
from tests.webapp.review_round import ReviewRound, furnish_review
from webapp.review.app import COOKIE, create_review
from webapp.security import HEADERS
from webapp.settings import ReviewSettings

OPEN, SEAT = "open", "reviewer"
WHO = {
    "GET /static/<path:filename>": OPEN,
    "GET /language/<code>": OPEN,
    "GET /healthz": OPEN,
    "GET /metrics": OPEN,
    "GET /card/<number>": OPEN,
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /": SEAT,
    "POST /sign-out": SEAT,
    "GET /devices": SEAT,
    "POST /devices/password": SEAT,
    "POST /devices/<token_sha256>/sign-out": SEAT,
    "GET /d/<code>/": SEAT,
    "GET /d/<code>/pages.json": SEAT,
    "GET /d/<code>/pictures/<name>/<size>": SEAT,
    "POST /d/<code>/report": SEAT,
    "GET /d/<code>/recusal": SEAT,
    "POST /d/<code>/recusal": SEAT,
    "GET /d/<code>/sheet": SEAT,
    "PUT /d/<code>/sheet": SEAT,
    "POST /d/<code>/submit": SEAT,
    "GET /meeting": SEAT,
    "GET /ballot": SEAT,
    "POST /ballot/<ballot_id>": SEAT,
    "GET /defence": SEAT,
    "GET /defence/<code>": SEAT,
    "POST /defence/<code>": SEAT,
}
Paths = dict[str, str]


@pytest.fixture
def meeting(store: Engine, made: ReviewRound) -> str:
    """The round in its vote, so that every address of it means something; the ballot's id."""
    to_meeting(store, made, "voting", came=1)
    return opened(store, made)


@pytest.fixture
def paths(store: Engine, made: ReviewRound, meeting: str) -> Paths:
    return paths_of(store, made, meeting)


def paths_of(store: Engine, made: ReviewRound, ballot: str) -> Paths:
    """ "METHOD rule" -> an address of it that its own seat may use."""
    code = made.codes[0]
    with Session(store) as session:
        pages = select(ReleasedPage.sha256).filter_by(round_id=made.round_id, code=code, number=1)
        name = session.scalars(pages).one()[:32]
    values = {
        "<path:filename>": "mangping.css",
        "/language/<code>": "/language/en",
        "<code>": code,
        "<number>": made.cards["R01"].number,
        "<token_sha256>": hashed(made.tokens["R01"]),
        "<name>": name,
        "<size>": "full",
        "<ballot_id>": ballot,
    }
    found = {}
    for key in WHO:
        path = key.split()[1]
        for part, value in values.items():
            path = path.replace(part, value)
        found[key] = path
    return found


def closed_to(paths: Paths) -> Iterator[tuple[str, str]]:
    """(method, address) of everything that only a seat may use; signing out comes last."""
    rest = [(key.split()[0], path) for key, path in paths.items() if WHO[key] == SEAT]
    yield from sorted(rest, key=lambda one: "sign-out" in one[1])


def ask(client: FlaskClient, method: str, path: str) -> TestResponse:
    token = form_token(client.get("/sign-in").text)
    body = {"json": {}} if method == "PUT" or path.endswith("/submit") else {}
    return client.open(path, method=method, headers={"X-CSRFToken": token}, **body)


def rows(store: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the store but what the door notes down."""
    notes = {AccessEvent.__tablename__, SeatDevice.__tablename__}
    with Session(store) as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=str)
            for table in ReviewBase.metadata.sorted_tables
            if table.name not in notes
        }


def holder(app: Flask, cookie: str, name: str = COOKIE) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(name, cookie)
    return client


def nobody(app: Flask, _store: Engine, _made: ReviewRound) -> FlaskClient:
    return app.test_client()


def forged(app: Flask, _store: Engine, _made: ReviewRound) -> FlaskClient:
    return holder(app, secrets.token_urlsafe(32))


def long(app: Flask, _store: Engine, _made: ReviewRound) -> FlaskClient:
    return holder(app, "x" * 60_000)


def stolen_hash(app: Flask, _store: Engine, made: ReviewRound) -> FlaskClient:
    """What a copy of the database holds."""
    return holder(app, hashed(made.tokens["R01"]))


def of_office(app: Flask, _store: Engine, made: ReviewRound) -> FlaskClient:
    """The office's cookie, even with a value that would be right here, under its own name."""
    return holder(app, made.tokens["R01"], "mp_office")


def revoked(app: Flask, store: Engine, made: ReviewRound) -> FlaskClient:
    with Session(store) as session, session.begin():
        revoke_card(session, round_id=made.round_id, seat="R01", by="office")
    return holder(app, made.tokens["R01"])


def new_card(app: Flask, store: Engine, made: ReviewRound) -> FlaskClient:
    """The tablet of a card that was replaced by another."""
    with Session(store) as session, session.begin():
        issue_card(session, round_id=made.round_id, seat="R01", by="office")
    return holder(app, made.tokens["R01"])


def expired(app: Flask, store: Engine, made: ReviewRound) -> FlaskClient:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="microseconds")
    with Session(store) as session, session.begin():
        mine = update(SeatDevice).where(SeatDevice.token_sha256 == hashed(made.tokens["R01"]))
        session.execute(mine.values(expires_at=past))
    return holder(app, made.tokens["R01"])


def signed_out(app: Flask, _store: Engine, made: ReviewRound) -> FlaskClient:
    client = holder(app, made.tokens["R01"])
    ask(client, "POST", "/sign-out")
    client.set_cookie(COOKIE, made.tokens["R01"])
    return client


STRANGERS = (nobody, forged, long, stolen_hash, of_office, revoked, new_card, expired, signed_out)


def test_every_address_stands_in_the_table_and_is_marked_so(review_app: Flask) -> None:
    marked = {}
    for rule in review_app.url_map.iter_rules():
        view = review_app.view_functions[rule.endpoint]
        is_open = rule.endpoint == "static" or getattr(view, "open_to_all", False)
        roles = " ".join(sorted(getattr(view, "roles", ())))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            marked[f"{method} {rule.rule}"] = OPEN if is_open else roles
    assert marked == WHO


def test_its_own_seat_gets_everywhere(review_app: Flask, made: ReviewRound, paths: Paths) -> None:
    """What is refused below is refused for the right reason."""
    mine = f"POST /devices/{hashed(made.tokens['R01'])}/sign-out"
    for method, path in closed_to(paths):
        if f"{method} {path}" == mine:
            continue  # it would sign this very tablet out
        answer = ask(holder(review_app, made.tokens["R01"]), method, path)
        assert answer.status_code not in (401, 404, 405) and answer.status_code < 500, path
        assert answer.headers.get("Location") != "/sign-in" or "sign-out" in path, path


@pytest.mark.parametrize("make", STRANGERS, ids=lambda make: make.__name__)
def test_whoever_is_no_seat_gets_nothing_and_changes_nothing(
    review_app: Flask,
    store: Engine,
    made: ReviewRound,
    paths: Paths,
    make: Callable[[Flask, Engine, ReviewRound], FlaskClient],
) -> None:
    client = make(review_app, store, made)
    before = rows(store)
    for method, path in closed_to(paths):
        answer = ask(client, method, path)
        if method == "GET":
            assert answer.headers.get("Location") == "/sign-in", path
            part = client.get(path, headers={"HX-Request": "true"})
            assert (part.status_code, part.data) == (204, b""), path
        else:
            assert answer.status_code == 401, path
        # The address itself may come back, as the way back from the choice of a language.
        others = [code for code in made.codes if code not in path]
        assert not any(code.encode() in answer.data for code in others), path
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (path, name)
    assert rows(store) == before


@pytest.fixture
def other(store: Engine, review_settings: ReviewSettings) -> ReviewRound:
    """Another round with seats of the same names, of which R01 is signed in."""
    return furnish_review(
        store, review_settings, dossiers=1, pages=2, seats=1, members=1, name="另一轮评审"
    )


def test_a_seat_of_another_round_meets_none_of_this_one(
    review_app: Flask, store: Engine, made: ReviewRound, paths: Paths, other: ReviewRound
) -> None:
    client = holder(review_app, other.tokens["R01"])
    before = rows(store)
    listed = client.get("/").text
    assert other.codes[0] in listed
    for key, path in paths.items():
        if ("<code>" not in key and "<ballot_id>" not in key) or WHO[key] == OPEN:
            continue
        answer = ask(client, key.split()[0], path)
        assert answer.status_code in (404, 409), (path, answer.status_code)
        assert made.codes[1] not in answer.text
    for method, path in (
        ("GET", "/"),
        ("GET", "/ballot"),
        ("GET", "/defence"),
        ("GET", "/meeting"),
    ):
        assert not any(code in ask(client, method, path).text for code in made.codes)
    assert client.get("/meeting").json == {"ballot": False, "defence": False}
    # A tablet of this round cannot be signed out from there.
    ask(client, "POST", f"/devices/{hashed(made.tokens['R01'])}/sign-out")
    assert holder(review_app, made.tokens["R01"]).get("/").status_code == 200
    assert rows(store) == before


def test_a_seat_reaches_no_other_seats_tablet(
    review_app: Flask, store: Engine, made: ReviewRound
) -> None:
    client = holder(review_app, made.tokens["R02"])
    assert hashed(made.tokens["R01"]) not in client.get("/devices").text
    ask(client, "POST", f"/devices/{hashed(made.tokens['R01'])}/sign-out")
    assert holder(review_app, made.tokens["R01"]).get("/").status_code == 200


def test_nothing_is_written_without_the_form_token(
    review_app: Flask, store: Engine, made: ReviewRound, paths: Paths
) -> None:
    client = holder(review_app, made.tokens["R01"])
    before = rows(store)
    for method, path in closed_to(paths):
        if method != "GET":
            for headers in ({}, {"X-CSRFToken": "forged"}):
                answer = client.open(path, method=method, headers=headers, json={})
                assert answer.status_code == 400, path
    assert rows(store) == before


def test_the_office_sees_who_was_refused_at_the_door(
    review_app: Flask, store: Engine, made: ReviewRound
) -> None:
    """Wrong PINs with the seat, numbers of no card without; the PIN that was typed is nowhere."""
    typed = "654321x"
    for number in (made.cards["R01"].number, "AAAAAAAA"):
        client = review_app.test_client()
        data = {"number": number, "secret": typed}
        token = {"X-CSRFToken": form_token(client.get("/sign-in").text)}
        assert client.post("/sign-in", data=data, headers=token).status_code == 422
    with Session(store) as session:
        seen = [e for e in door_events(session, made.round_id) if e.action == REFUSED]
        assert [(event.round_id, event.seat) for event in seen] == [
            (None, ""),
            (made.round_id, "R01"),
        ]
        assert not any(typed in str(vars(event)) for event in session.scalars(select(AccessEvent)))


@pytest.mark.parametrize("what", ["ballot", "password", "sign-in"])
def test_a_card_is_locked_wherever_its_pin_is_guessed(
    review_app: Flask, store: Engine, made: ReviewRound, meeting: str, what: str
) -> None:
    client = holder(review_app, made.tokens["R01"])
    path = {"ballot": f"/ballot/{meeting}", "password": "/devices/password", "sign-in": "/sign-in"}
    token = {"X-CSRFToken": form_token(client.get("/sign-in").text)}
    for _ in range(TRIES):
        data = {"number": made.cards["R01"].number, "secret": "x", "receipt": "ACDEFGHJ"}
        assert client.post(path[what], data=data, headers=token).status_code == 422
    right = {"number": made.cards["R01"].number, "secret": made.cards["R01"].pin}
    assert "暂停使用" in client.post("/sign-in", data=right, headers=token).text
    with Session(store) as session:
        count = select(func.count()).select_from(AccessEvent).filter_by(action=REFUSED, seat="R01")
        assert session.scalar(count) == TRIES


def test_a_view_that_nobody_marked_is_refused(
    review_settings: ReviewSettings, made: ReviewRound
) -> None:
    app = create_review(review_settings)
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert holder(app, made.tokens["R01"]).get("/forgotten").status_code == 403
    assert app.test_client().get("/forgotten").headers["Location"] == "/sign-in"

"""Nobody who writes waits while a PIN or a password is held against its slow hash."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, make_url

from models import seat_access
from tests.webapp.conftest import form_token
from tests.webapp.review_meeting import opened, to_meeting
from tests.webapp.review_round import ReviewRound
from webapp.settings import ReviewSettings

Tablet = Callable[[str], FlaskClient]


@pytest.fixture
def verified(review_settings: ReviewSettings, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows with every secret that is held against a hash, while another writes to the store."""
    path = make_url(review_settings.database).database
    answers: list[bool] = []
    fits = seat_access.fits

    def fits_while_another_writes(kept: str, secret: str) -> bool:
        with sqlite3.connect(path or "", timeout=0, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answers.append(fits(kept, secret))
            other.execute("ROLLBACK")
        other.close()
        return answers[-1]

    monkeypatch.setattr(seat_access, "fits", fits_while_another_writes)
    return answers


@pytest.mark.parametrize("wrong", ["", "pin", "number"])
def test_at_the_door(
    review_app: Flask, made: ReviewRound, verified: list[bool], wrong: str
) -> None:
    card, client = made.cards["R01"], review_app.test_client()
    data = {
        "number": "AAAAAAAA" if wrong == "number" else card.number,
        "secret": "000000x" if wrong == "pin" else card.pin,
        "csrf_token": form_token(client.get("/sign-in").text),
    }
    assert client.post("/sign-in", data=data).status_code == (422 if wrong else 302)
    assert verified == [not wrong]


@pytest.mark.parametrize("right", [True, False])
def test_when_a_sheet_is_submitted(
    tablet: Tablet, made: ReviewRound, verified: list[bool], right: bool
) -> None:
    client = tablet("R01")
    headers = {"X-CSRFToken": form_token(client.get("/devices").text)}
    body = {
        "round": made.round_id,
        "seat": "R01",
        "base_version": 0,
        "save_id": "save-0001",
        "scores": {"achievements": "31.5", "papers": "12"},
        "secret": made.cards["R01"].pin if right else "000000x",
    }
    answer = client.post(f"/d/{made.codes[0]}/submit", json=body, headers=headers)
    assert answer.status_code == (200 if right else 403)
    assert verified == [right]


def test_when_a_vote_is_cast(
    tablet: Tablet, made: ReviewRound, store: Engine, verified: list[bool]
) -> None:
    to_meeting(store, made, "voting")
    ballot = opened(store, made)
    client = tablet("R01")
    page = client.get("/ballot").text
    data = {
        "csrf_token": form_token(page),
        "secret": made.cards["R01"].pin,
        "receipt": page.split('name="receipt" value="')[1].split('"')[0],
        **{f"choice-{code}": "yes" for code in made.codes},
    }
    assert client.post(f"/ballot/{ballot}", data=data).status_code == 200
    assert verified == [True]


def test_when_a_password_is_set(tablet: Tablet, made: ReviewRound, verified: list[bool]) -> None:
    client = tablet("R01")
    data = {
        "csrf_token": form_token(client.get("/devices").text),
        "secret": made.cards["R01"].pin,
        "password": "a quiet brown horse",
    }
    assert client.post("/devices/password", data=data).status_code == 302
    assert verified == [True]

"""The experts' door: cards, PINs, locks, tablets, and revocation that holds at the next request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.review_access import AccessEvent
from models.seat_access import (
    LOCK_MINUTES,
    NUMBER_LENGTH,
    PIN_DIGITS,
    TRIES,
    issue_card,
    member_of,
    revoke_card,
)
from tests.webapp.conftest import form_token
from tests.webapp.review_round import ReviewRound
from webapp.review.app import COOKIE

Tablet = Callable[[str], FlaskClient]


def enter(app: Flask, number: str, secret: str) -> tuple[FlaskClient, int]:
    client = app.test_client()
    token = form_token(client.get("/sign-in").text)
    data = {"number": number, "secret": secret, "csrf_token": token}
    return client, client.post("/sign-in", data=data).status_code


def test_a_card_opens_with_its_pin_however_the_number_is_typed(
    review_app: Flask, made: ReviewRound
) -> None:
    card = made.cards["R01"]
    assert (len(card.number), len(card.pin)) == (NUMBER_LENGTH, PIN_DIGITS)
    typed = f" {card.number[:4].lower()}-{card.number[4:].lower()} "
    client, status = enter(review_app, typed, card.pin)
    assert status == 302
    page = client.get("/").text
    assert all(code in page for code in made.codes)


@pytest.mark.parametrize("wrong", ["number", "pin"])
def test_a_wrong_number_and_a_wrong_pin_get_the_same_answer(
    review_app: Flask, made: ReviewRound, wrong: str
) -> None:
    card = made.cards["R01"]
    pin = "x" if wrong == "pin" else card.pin
    client, status = enter(review_app, "AAAAAAAA" if wrong == "number" else card.number, pin)
    assert status == 422
    assert client.get("/").status_code == 302


def test_a_card_is_locked_after_wrong_pins_even_for_the_right_one(
    review_app: Flask, made: ReviewRound, store: Engine
) -> None:
    card = made.cards["R01"]
    for _ in range(TRIES):
        assert enter(review_app, card.number, "000000x")[1] == 422
    client = review_app.test_client()
    token = form_token(client.get("/sign-in").text)
    data = {"number": card.number, "secret": card.pin, "csrf_token": token}
    answer = client.post("/sign-in", data=data)
    assert answer.status_code == 422
    assert str(LOCK_MINUTES) in answer.text
    with Session(store) as session:
        actions = list(session.scalars(select(AccessEvent.action).filter_by(seat="R01")))
    assert actions.count("sign_in.refused") == TRIES


def test_a_revoked_card_ends_its_tablets_at_their_next_request(
    review_app: Flask, made: ReviewRound, store: Engine, tablet: Tablet
) -> None:
    client = tablet("R01")
    assert client.get("/").status_code == 200
    with Session(store) as session, session.begin():
        revoke_card(session, round_id=made.round_id, seat="R01", by="secretary")
    assert client.get("/").status_code == 302
    assert enter(review_app, made.cards["R01"].number, made.cards["R01"].pin)[1] == 422
    assert tablet("R02").get("/").status_code == 200


def test_a_new_card_ends_the_old_one(review_app: Flask, made: ReviewRound, store: Engine) -> None:
    with Session(store) as session, session.begin():
        new = issue_card(session, round_id=made.round_id, seat="R01", by="secretary")
        assert member_of(session, made.tokens["R01"]) is None
    assert enter(review_app, made.cards["R01"].number, made.cards["R01"].pin)[1] == 422
    assert enter(review_app, new.number, new.pin)[1] == 302


def test_a_password_opens_the_card_as_well(
    review_app: Flask, made: ReviewRound, tablet: Tablet
) -> None:
    client, card = tablet("R02"), made.cards["R02"]
    token = form_token(client.get("/devices").text)
    data = {"secret": "wrong", "password": "库尔勒香梨与孔雀河", "csrf_token": token}
    assert client.post("/devices/password", data=data).status_code == 422
    data["secret"] = card.pin
    assert client.post("/devices/password", data={**data, "password": "123"}).status_code == 422
    data["password"] = "孔雀河边的香梨树很甜"
    assert client.post("/devices/password", data=data).status_code == 302
    for secret in (data["password"], card.pin):
        assert enter(review_app, card.number, secret)[1] == 302


def test_one_tablet_is_signed_out_and_not_another_seats(
    made: ReviewRound, store: Engine, tablet: Tablet
) -> None:
    mine, other = tablet("R01"), tablet("R02")
    with Session(store) as session:
        first, second = (member_of(session, made.tokens[seat]) for seat in ("R01", "R02"))
    assert first and second
    token = form_token(mine.get("/devices").text)
    for target in (second.token_sha256, first.token_sha256):
        mine.post(f"/devices/{target}/sign-out", data={"csrf_token": token})
    assert other.get("/").status_code == 200
    assert mine.get("/").status_code == 302


def test_nobody_gets_in_without_a_card(review_app: Flask) -> None:
    client = review_app.test_client()
    assert client.get("/").status_code == 302
    client.set_cookie(COOKIE, "forged")
    assert client.get("/").status_code == 302
    assert client.get("/healthz").text == "ok\ndatabase ok\n"

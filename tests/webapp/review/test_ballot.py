"""The ballot on tablets: cast once, retried without harm, and nothing that tells who voted what."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.ballots import close_ballot
from models.paper_ballots import mark_paper
from models.review_ballots import BallotItem, Receipt, Vote
from models.rounds import record_recusal
from models.seat_access import TRIES
from tests.webapp.conftest import form_token
from tests.webapp.review_meeting import opened, to_meeting
from tests.webapp.review_round import ReviewRound

Tablet = Callable[[str], FlaskClient]


@pytest.fixture
def ballot(store: Engine, made: ReviewRound) -> str:
    to_meeting(store, made, "voting")
    return opened(store, made)


def receipt_of(page: str) -> str:
    found = re.search(r'name="receipt" value="([A-Z0-9]+)"', page)
    assert found, page
    return found.group(1)


def codes_on(page: str) -> list[str]:
    return re.findall(r'<fieldset data-code="([^"]+)"', page)


def send(
    client: FlaskClient, ballot: str, page: str, pin: str, choice: str = "yes"
) -> TestResponse:
    data = {f"choice-{code}": choice for code in codes_on(page)}
    token = form_token(client.get("/ballot").text)
    data |= {"csrf_token": token, "receipt": receipt_of(page), "secret": pin}
    return client.post(f"/ballot/{ballot}", data=data)


def in_box(store: Engine) -> tuple[int, int]:
    with Session(store) as session:
        counted = [session.scalar(select(func.count()).select_from(t)) for t in (Vote, Receipt)]
        return counted[0] or 0, counted[1] or 0


def test_a_ballot_is_cast_and_its_receipt_is_published_after_the_close(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str
) -> None:
    client = tablet("R01")
    assert client.get("/meeting").json == {"ballot": True, "defence": False}
    page = client.get("/ballot").text
    assert codes_on(page) == sorted(made.codes)
    answer = send(client, ballot, page, made.cards["R01"].pin)
    receipt = receipt_of(page)
    shown = f"{receipt[:4]}-{receipt[4:]}"
    assert answer.status_code == 200
    assert shown in answer.text
    assert client.get("/meeting").json == {"ballot": False, "defence": False}
    for other in ("R01", "R02"):
        assert shown not in tablet(other).get("/ballot").text
    with Session(store) as session, session.begin():
        close_ballot(session, ballot_id=ballot, by="office")
    assert shown in tablet("R02").get("/ballot").text
    with Session(store) as session:
        assert [item.yes for item in session.scalars(select(BallotItem))] == [1, 1, 1]


@pytest.mark.parametrize("closed", [False, True])
def test_a_lost_answer_is_asked_for_again_and_counts_once(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str, closed: bool
) -> None:
    client, pin = tablet("R01"), made.cards["R01"].pin
    page = client.get("/ballot").text
    assert send(client, ballot, page, pin).status_code == 200
    if closed:
        with Session(store) as session, session.begin():
            close_ballot(session, ballot_id=ballot, by="office")
    again = send(client, ballot, page, pin)
    assert again.status_code == 200
    assert receipt_of(page)[:4] in again.text
    assert in_box(store) == (3, 1)


def test_a_second_paper_of_one_voter_is_refused_and_says_that_the_first_counts(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str
) -> None:
    pin = made.cards["R01"].pin
    first, second = tablet("R01"), tablet("R01")
    pages = first.get("/ballot").text, second.get("/ballot").text
    assert receipt_of(pages[0]) != receipt_of(pages[1])
    assert send(first, ballot, pages[0], pin, "yes").status_code == 200
    answer = send(second, ballot, pages[1], pin, "no")
    assert answer.status_code == 422
    assert "您已投过票" in answer.text
    assert receipt_of(pages[1])[:4] not in answer.text
    with Session(store) as session:
        assert set(session.scalars(select(Vote.choice))) == {"yes"}


def test_a_wrong_pin_casts_nothing_keeps_the_choices_and_is_counted(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str
) -> None:
    client, pin = tablet("R01"), made.cards["R01"].pin
    page = client.get("/ballot").text
    for _ in range(TRIES):
        answer = send(client, ballot, page, "000000x", "no")
        assert answer.status_code == 422
    assert receipt_of(page) == receipt_of(answer.text)
    assert answer.text.count(" checked") == len(made.codes)
    assert send(client, ballot, page, pin).status_code == 422
    assert in_box(store) == (0, 0)


@pytest.mark.parametrize("receipt", ["", "SHORT", "YESYESYES", "34679ac3", "3467-9AC", "张3467ACD"])
def test_a_receipt_carries_no_message(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str, receipt: str
) -> None:
    client = tablet("R01")
    page = client.get("/ballot").text
    page = page.replace(receipt_of(page), receipt) if receipt else page
    data = {f"choice-{code}": "yes" for code in codes_on(page)}
    data |= {
        "csrf_token": form_token(page), "receipt": receipt or "X", "secret": made.cards["R01"].pin,
    }  # fmt: skip
    assert client.post(f"/ballot/{ballot}", data=data).status_code == 422
    assert in_box(store) == (0, 0)


def test_nobody_takes_a_receipt_that_is_in_the_box(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str
) -> None:
    page = tablet("R01").get("/ballot").text
    assert send(tablet("R01"), ballot, page, made.cards["R01"].pin).status_code == 200
    other = tablet("R02")
    own = other.get("/ballot").text
    stolen = own.replace(receipt_of(own), receipt_of(page))
    assert send(other, ballot, stolen, made.cards["R02"].pin).status_code == 422
    assert in_box(store) == (3, 1)


def test_an_unfinished_spoiled_or_foreign_paper_is_refused(
    tablet: Tablet, made: ReviewRound, store: Engine, ballot: str
) -> None:
    client, pin = tablet("R01"), made.cards["R01"].pin
    page = client.get("/ballot").text
    assert send(client, ballot, page, pin, "spoiled").status_code == 422
    assert send(client, ballot, page.replace("data-code", "data-no", 1), pin).status_code == 422
    assert send(client, "0" * 32, page, pin).status_code == 404
    assert in_box(store) == (0, 0)


def test_the_recused_see_that_it_is_not_theirs(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    to_meeting(store, made, "voting")
    with Session(store) as session, session.begin():
        record_recusal(
            session,
            round_id=made.round_id,
            reviewer="R02",
            code=made.codes[0],
            reason="亲属",
            by="R02",
        )
    ballot = opened(store, made)
    page = tablet("R02").get("/ballot").text
    assert codes_on(page) == sorted(made.codes[1:])
    assert made.codes[0] in page
    assert send(tablet("R02"), ballot, page, made.cards["R02"].pin).status_code == 200
    assert in_box(store) == (2, 1)


def test_absent_and_paper_voters_have_no_ballot_on_the_tablet(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    to_meeting(store, made, "voting", absent=["R03"])
    ballot = opened(store, made)
    page = tablet("R02").get("/ballot").text
    with Session(store) as session, session.begin():
        mark_paper(session, ballot_id=ballot, seat="R02", paper=True, by="office")
    for seat in ("R02", "R03"):
        shown = tablet(seat).get("/ballot").text
        assert codes_on(shown) == []
        assert send(tablet(seat), ballot, page, made.cards[seat].pin).status_code == 422
        assert tablet(seat).get("/meeting").json == {"ballot": False, "defence": False}
    assert in_box(store) == (0, 0)

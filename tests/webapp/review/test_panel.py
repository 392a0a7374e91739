"""The panel's score sheet on tablets: after the lock, one score each, on the policy's steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.defences import defence_scores
from models.rounds import advance_round, record_recusal
from tests.webapp.conftest import form_token
from tests.webapp.review_meeting import to_meeting
from tests.webapp.review_round import ReviewRound

Tablet = Callable[[str], FlaskClient]


def send(client: FlaskClient, code: str, points: str, confirm: bool = True) -> TestResponse:
    page = client.get("/defence").text
    data = {"csrf_token": form_token(page), "points": points}
    return client.post(f"/defence/{code}", data=data | ({"confirm": "yes"} if confirm else {}))


def scores(store: Engine, made: ReviewRound) -> dict[tuple[str, str], int]:
    with Session(store) as session:
        return defence_scores(session, made.round_id)


def test_only_those_who_came_are_listed_and_scored_once(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    to_meeting(store, made, "defence", came=2)
    client, (code, other, absent) = tablet("R01"), made.codes
    assert client.get("/meeting").json == {"ballot": False, "defence": True}
    page = client.get("/defence").text
    assert code in page
    assert other in page
    assert absent not in page
    asked = send(client, code, "26.5", confirm=False)
    assert asked.status_code == 200
    assert 'name="confirm" value="yes"' in asked.text
    assert scores(store, made) == {}
    assert send(client, code, "26.5").status_code == 303
    # The same again, because its answer was lost, and another score.
    assert send(client, code, "26.5").status_code == 303
    assert send(client, code, "30").status_code == 422
    assert send(client, absent, "20").status_code == 404
    assert scores(store, made) == {("R01", code): 2650}
    assert "26.5" in client.get("/defence").text
    assert "26.5" not in tablet("R02").get("/defence").text


@pytest.mark.parametrize("points", ["30.5", "26.3", "-1", "", "abc", "1e1", "NaN", "26.123", "２6"])
def test_a_score_keeps_to_maximum_and_steps(
    tablet: Tablet, made: ReviewRound, store: Engine, points: str
) -> None:
    to_meeting(store, made, "defence", came=1)
    answer = send(tablet("R01"), made.codes[0], points)
    # Decimal reads 1e1 and full-width digits as numbers; they are exact and within the rules.
    assert answer.status_code == (303 if points in ("1e1", "２6") else 422)
    assert len(scores(store, made)) == (points in ("1e1", "２6"))


def test_no_score_before_the_lock_from_the_recused_the_absent_or_after_the_defence(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    code = made.codes[0]
    assert send(tablet("R01"), code, "20").status_code == 404
    to_meeting(store, made, "defence", came=1, absent=["R03"])
    with Session(store) as session, session.begin():
        record_recusal(
            session, round_id=made.round_id, reviewer="R02", code=code, reason="师生", by="R02"
        )
    assert code not in tablet("R02").get("/defence").text
    assert send(tablet("R02"), code, "20").status_code == 404
    assert send(tablet("R03"), code, "20").status_code == 422
    with Session(store) as session, session.begin():
        advance_round(session, round_id=made.round_id, to="voting", by="office")
    assert send(tablet("R01"), code, "20").status_code == 422
    assert scores(store, made) == {}

"""An expert's recusal: with a reason, before or after opening, and the dossier closes at once."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.review import Recusal
from models.review_sheets import Sheet
from tests.webapp.conftest import form_token
from tests.webapp.review_round import ReviewRound

Tablet = Callable[[str], FlaskClient]


def recusals(store: Engine) -> list[tuple[str, str, str, str]]:
    with Session(store) as session:
        rows = session.scalars(select(Recusal)).all()
        return [(row.reviewer, row.code, row.reason, row.by) for row in rows]


def test_a_dossier_closes_at_once_for_its_seat_alone(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    token = form_token(client.get(f"/d/{code}/recusal").text)
    data = {"reason": "family", "detail": " 表亲 ", "csrf_token": token}
    assert client.post(f"/d/{code}/recusal", data=data).status_code == 302
    assert recusals(store) == [("R01", code, "亲属关系；表亲", "R01")]
    assert client.get(f"/d/{code}/").status_code == 404
    assert client.get(f"/d/{code}/sheet").status_code == 403
    assert code in client.get("/").text
    # Once is enough.
    assert client.post(f"/d/{code}/recusal", data=data).status_code == 302
    assert len(recusals(store)) == 1
    assert tablet("R02").get(f"/d/{code}/").status_code == 200


def test_a_recusal_needs_a_reason_of_the_list(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    token = form_token(client.get(f"/d/{code}/recusal").text)
    for values in ({}, {"reason": "x"}, {"reason": "family", "detail": "字" * 201}):
        answer = client.post(f"/d/{code}/recusal", data={**values, "csrf_token": token})
        assert answer.status_code == 422
    assert recusals(store) == []


def test_nobody_recuses_himself_from_what_is_not_his(
    tablet: Tablet, made: ReviewRound, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    token = form_token(client.get(f"/d/{code}/recusal").text)
    with Session(store) as session, session.begin():
        for sheet in session.scalars(select(Sheet).filter_by(reviewer="R01", code=code)):
            sheet.state = "withdrawn"
    data = {"reason": "family", "csrf_token": token}
    for path in (f"/d/{code}/recusal", "/d/XXXX-XX/recusal"):
        assert client.get(path).status_code == 404
        assert client.post(path, data=data).status_code == 404
    assert recusals(store) == []

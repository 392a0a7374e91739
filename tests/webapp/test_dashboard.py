"""The dashboard: numbers that add up, and pictures in the language of whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.office_pages import decide, looked_at
from models.office_statistics import numbers
from tests.webapp.page_rows import add_page, mask
from webapp.office.dashboard import CHARTS
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def worked(settings: Settings, vault: Engine, round_id: int) -> int:
    with Session(vault) as session, session.begin():
        for number in range(5):
            masks = [mask(10, 100), mask(10, 200, kind="seal")][: number % 3]
            state = "review" if number == 3 else "clean"
            page = add_page(session, settings, round_id, number=number, masks=masks, state=state)
            looked_at(session, page_id=page.id, seconds=10 * number, by="clerk")
            if number == 1:
                decide(session, page_id=page.id, decision="accepted", reason="", by="clerk")
            if number == 2:
                decide(session, page_id=page.id, decision="returned", reason="模糊", by="gone")
    return round_id


def test_the_numbers_add_up(vault: Engine, worked: int, office: object) -> None:
    with Session(vault) as session:
        found = numbers(session, worked)
    assert (found.pages, found.todo) == (5, 1)
    assert found.kinds == {"name": 3, "seal": 1}
    assert sum(found.decided.values()) == 2
    clerk, gone = found.clerks
    assert (clerk.name, clerk.looked, clerk.seconds, clerk.accepted) == ("clerk甲", 5, 100, 1)
    assert clerk.seconds_per_page == 20
    assert (gone.name, gone.returned, gone.seconds_per_page) == ("gone", 1, None)


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_is_a_picture_in_both_languages(sign_in: SignIn, worked: int, name: str) -> None:
    client = sign_in("secretary")
    pictures = []
    for language in ("zh", "en"):
        client.get(f"/language/{language}")
        answer = client.get(f"/rounds/{worked}/charts/{name}.svg")
        assert ElementTree.fromstring(answer.text).tag.endswith("svg")
        assert answer.headers["Cache-Control"].startswith("private")
        tag = {"If-None-Match": answer.headers["ETag"]}
        again = client.get(f"/rounds/{worked}/charts/{name}.svg", headers=tag)
        assert again.status_code == 304
        pictures.append(answer.text)
    assert pictures[0] != pictures[1]


def test_an_empty_round_has_a_dashboard_too(sign_in: SignIn, round_id: int) -> None:
    client = sign_in("clerk")
    assert client.get(f"/rounds/{round_id}/dashboard").status_code == 200
    for name in CHARTS:
        assert client.get(f"/rounds/{round_id}/charts/{name}.svg").status_code == 200
    assert client.get(f"/rounds/{round_id}/charts/other.svg").status_code == 404
    assert client.get("/rounds/999/dashboard").status_code == 404

"""Pages whose dossier is with the experts: nothing about them changes behind the experts' backs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.office_release import ask_release
from models.vault_pages import Page, PageEdit
from tests.webapp.page_rows import add_page, mask
from tests.webapp.test_pages import Desk
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def desk(settings: Settings, vault: Engine, round_id: int, sign_in: SignIn) -> Desk:
    """The first of two pages, whose dossier is with the experts."""
    with Session(vault) as session, session.begin():
        made = [add_page(session, settings, round_id, masks=[mask(10, 100)], number=n)
                for n in (1, 2)]  # fmt: skip
        ask_release(session, entrant_id=made[0].entrant_id, by="clerk").state = "released"
        ids = [page.id for page in made]
    return Desk(sign_in("clerk"), ids[0])


def pages_now(vault: Engine) -> list[tuple[Any, ...]]:
    with Session(vault) as session:
        rows = session.execute(
            select(Page.id, Page.revision, Page.state, Page.decision).order_by(Page.id)
        )
        return [tuple(row) for row in rows]


def test_a_page_with_the_experts_takes_no_change(desk: Desk, vault: Engine) -> None:
    before = pages_now(vault)
    quad = [[10, 10], [90, 10], [90, 40], [10, 40]]
    for what, values in (
        ("masks", {"on": 0, "add": [{"quad": quad, "kind": "name"}]}),
        ("undo", {"on": 0}),
        ("redo", {"on": 0}),
    ):
        answer = desk.post(what, values)
        assert answer.status_code == 422, what
        assert "请先撤回放行" in answer.json["sentences"][0]
    for decision in ("accepted", "returned", ""):
        answer = desk.decide(decision=decision, reason="理由")
        assert answer.status_code == 422
        assert "请先撤回放行" in answer.text
    assert pages_now(vault) == before
    with Session(vault) as session:
        assert session.scalars(select(PageEdit)).all() == []


def test_the_same_everywhere_leaves_dossiers_with_the_experts_and_says_so(
    desk: Desk, round_id: int, vault: Engine, settings: Settings
) -> None:
    before = pages_now(vault)
    asked = {"on": 0, "index": 0, "what": "remove", "way": "place"}
    with Session(vault) as session:
        owner = session.get_one(Page, desk.page_id).entrant_id
    own = desk.post("everywhere", {**asked, "dossier": owner})
    assert own.status_code == 409
    assert "请先撤回放行" in own.json["sentences"][0]
    with Session(vault) as session, session.begin():
        other = add_page(session, settings, round_id, entrant=2, masks=[mask(10, 100)]).id
    answer = Desk(desk.client, other).post("everywhere", {**asked, "dossier": owner})
    assert (answer.status_code, answer.json["pages"]) == (200, 0)
    assert "请先撤回放行" in answer.json["left"][0]
    assert pages_now(vault)[: len(before)] == before


def test_a_reported_page_may_be_mended_while_the_rest_stays(desk: Desk, vault: Engine) -> None:
    with Session(vault) as session, session.begin():
        session.get_one(Page, desk.page_id).frozen = True
    quad = [[10, 10], [90, 10], [90, 40], [10, 40]]
    values = {"on": 0, "add": [{"quad": quad, "kind": "name"}]}
    assert desk.post("masks", values).status_code == 200
    changed_ids = [row[0] for row in pages_now(vault) if row[1]]
    assert changed_ids == [desk.page_id]

"""The review of pages: queue, filters, edits, conflicts, decisions, the same everywhere, time."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from models.errors import RuleError
from models.office_pages import decide, looked_at, masks_of
from models.office_queue import Filter, Key, neighbours, queue
from models.vault_accounts import OfficeEvent
from models.vault_pages import Job, Page, PageEdit, PageLook
from models.vault_rounds import Entrant
from redactor.geometry import overlap
from redactor.page import Char, Line, Reading
from redactor.reading_cache import ReadingCache
from sample_scans.marks import seal
from tests.redactor.test_seal_twins import blank, pixels_of
from tests.webapp.conftest import form_token
from tests.webapp.page_rows import DPI, SIZE, add_page, mask
from webapp.office.page_edits import changed
from webapp.office.work import round_vault
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
NAME = "诸葛晓岚"


class Desk:
    """A clerk's browser on a round's pages."""

    def __init__(self, client: FlaskClient, page_id: int) -> None:
        self.client, self.page_id = client, page_id
        self.text = client.get(f"/pages/{page_id}").text
        self.token = form_token(self.text)

    def post(self, what: str, values: dict[str, Any]) -> Any:
        return self.client.post(
            f"/pages/{self.page_id}/{what}", json=values, headers={"X-CSRFToken": self.token}
        )

    def decide(self, query: str = "", **fields: str) -> Any:
        return self.client.post(
            f"/pages/{self.page_id}/decision?{query}", data={"csrf_token": self.token, **fields}
        )


def told(text: str) -> dict[str, Any]:
    """What the script of the page is told."""
    found = re.search(r'data-page="([^"]*)"', text)
    assert found
    values: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return values


@pytest.fixture
def page_ids(settings: Settings, vault: Engine, round_id: int) -> list[int]:
    """Three pages: two in review, one clean; the second is the riskiest."""
    with Session(vault) as session, session.begin():
        made = [
            add_page(session, settings, round_id, masks=[mask(10, 100)], state="review",
                     hits=[mask(20, 300)]),
            add_page(session, settings, round_id, masks=[mask(10, 100), mask(10, 200, kind="seal")],
                     state="review", hits=[mask(20, 300), mask(20, 350)], number=2),
            add_page(session, settings, round_id, masks=[mask(10, 100)], number=3),
        ]  # fmt: skip
        return [page.id for page in made]


@pytest.fixture
def desk(sign_in: SignIn, page_ids: list[int]) -> Desk:
    return Desk(sign_in("clerk"), page_ids[0])


def drawn(x: float = 50.0, y: float = 400.0) -> dict[str, Any]:
    return {"quad": mask(x, y)["quad"], "kind": "unit"}


# ---- the queue ------------------------------------------------------------------------------


def test_the_riskiest_page_comes_first_and_clean_ones_wait_elsewhere(
    sign_in: SignIn, round_id: int, page_ids: list[int]
) -> None:
    client = sign_in("clerk")
    first, second, clean = page_ids

    def order(query: str) -> list[int]:
        page = client.get(f"/rounds/{round_id}/pages?{query}").text
        return [int(n) for n in re.findall(r'class="thumb"><a href="/pages/(\d+)', page)]

    assert order("") == [second, first]
    assert order("state=all") == [second, first, clean]
    assert order("state=clean") == [clean]
    assert order("state=all&dossier=李建国") == []
    assert order(f"state=all&dossier={NAME}") == [second, first, clean]
    assert order("decision=accepted&state=all") == []
    assert order("entrant=1&state=all") == [second, first, clean]
    assert order("entrant=2&state=all") == []


def test_the_queue_is_paged_by_key_without_loss_or_repeat(
    settings: Settings, vault: Engine, round_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.office_queue.PAGE_LENGTH", 2)
    with Session(vault) as session, session.begin():
        ids = [add_page(session, settings, round_id, number=n).id for n in range(7)]
        wanted = Filter(round_id, "all")
        seen, after = [], None
        while True:
            found = queue(session, wanted, after)
            seen += [one.id for one in found[:2]]
            if len(found) < 3:
                break
            after = found[1].key
        assert seen == ids
        middle = Key(session.get_one(Page, ids[3]).risk, ids[3])
        before, behind = neighbours(session, wanted, middle)
        assert before is not None
        assert behind is not None
        assert (before.page_id, behind.page_id) == (ids[2], ids[4])


@contextmanager
def counted(office: Flask) -> Iterator[list[str]]:
    """The statements that the office sends to the vault."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = office.extensions["vault"]
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("address", ["/rounds/{}/pages?state=all", "/rounds/{}/dashboard"])
def test_the_number_of_queries_does_not_grow_with_the_pages(
    address: str, office: Flask, sign_in: SignIn, settings: Settings, vault: Engine, round_id: int
) -> None:
    client = sign_in("clerk")
    numbers = []
    for more in (range(1), range(1, 30)):
        with Session(vault) as session, session.begin():
            for number in more:
                masks = [mask(10, 100)] * (number % 3)
                page = add_page(session, settings, round_id, number=number, masks=masks)
                looked_at(session, page_id=page.id, seconds=3, by=f"clerk{number}")
        client.get(address.format(round_id))
        with counted(office) as statements:
            assert client.get(address.format(round_id)).status_code == 200
        numbers.append(len(statements))
    assert numbers[0] == numbers[1]


# ---- a page ---------------------------------------------------------------------------------


def test_a_page_tells_its_masks_hits_and_pictures(desk: Desk) -> None:
    values = told(desk.text)
    assert [m["kind"] for m in values["masks"]] == ["name"]
    assert values["masks"][0]["why"] == "花名册姓名"
    assert len(values["hits"]) == 1
    for address in values["pictures"].values():
        assert desk.client.get(address).status_code == 200
    assert "本页是否需要遮盖？" in desk.text


def test_a_page_has_no_inline_script_or_style(desk: Desk) -> None:
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", desk.text)


def test_an_edit_is_kept_queued_and_its_old_hits_are_not_shown(desk: Desk, vault: Engine) -> None:
    answer = desk.post("masks", {"on": 0, "add": [drawn()]})
    values = told(answer.text)
    assert (values["state"], values["revision"], values["undo"]) == ("checking", 1, True)
    assert [m["kind"] for m in values["masks"]] == ["name", "unit"]
    assert values["hits"] == []
    with Session(vault) as session:
        page = session.get_one(Page, desk.page_id)
        assert masks_of(session, page)[1]["finder"] == "person"
        assert session.scalars(select(Job.target).where(Job.kind == "remask")).all() == [page.id]
    # The browser asks again; nothing new comes until the runner is done.
    known = desk.client.get(f"/pages/{desk.page_id}/status?revision=1")
    assert (known.status_code, known.text) == (204, "")
    with Session(vault) as session, session.begin():
        session.execute(update(Page).values(state="clean"))
    assert told(desk.client.get(f"/pages/{desk.page_id}/status?revision=1").text)["hits"]


def test_a_failed_page_says_so_and_can_only_be_returned(
    sign_in: SignIn, settings: Settings, vault: Engine, round_id: int
) -> None:
    with Session(vault) as session, session.begin():
        page_id = add_page(session, settings, round_id, state="failed").id
    desk = Desk(sign_in("clerk"), page_id)
    assert "此页没有遮盖后的输出" in desk.text
    assert "/masked/" not in desk.text
    assert desk.decide(decision="accepted", reason="好", seen="").status_code == 422
    assert desk.decide(decision="returned", reason="打不开", seen="").status_code == 302


def test_undo_and_redo_survive_signing_in_again(desk: Desk, sign_in: SignIn, vault: Engine) -> None:
    desk.post("masks", {"on": 0, "remove": [0]})
    desk.post("masks", {"on": 1, "add": [drawn()]})
    later = Desk(sign_in("admin"), desk.page_id)
    assert told(later.text)["undo"]
    assert told(later.post("undo", {"on": 2}).text)["masks"] == []
    assert len(told(later.post("undo", {"on": 1}).text)["masks"]) == 1
    assert told(later.post("redo", {"on": 0}).text)["masks"] == []
    said = desk.client.get(f"/pages/{desk.page_id}/history").text
    assert [said.count(x) for x in ("admin甲：撤销", "admin甲：重做", "clerk甲：删除遮盖")] == [
        2,
        1,
        1,
    ]


def test_whoever_was_slower_is_told_and_gets_the_page_as_it_is(desk: Desk, vault: Engine) -> None:
    desk.post("masks", {"on": 0, "remove": [0]})
    for what, values in (("masks", {"add": [drawn()]}), ("undo", {}), ("redo", {})):
        answer = desk.post(what, {"on": 0, **values})
        assert answer.status_code == 409
        assert "刚被他人" in answer.json["sentences"][0]
        assert told(answer.json["status"])["revision"] == 1
    with Session(vault) as session:
        assert len(session.scalars(select(PageEdit)).all()) == 1


@pytest.mark.parametrize(
    "asked",
    [{}, {"add": []}, {"remove": [9]}, {"remove": ["x"]}, {"add": [{"quad": [[0, 0]]}]},
     {"add": [{"quad": mask(1, 1)["quad"], "kind": "nobody"}]},
     {"add": [{"quad": [[float("nan"), 0], [9, 0], [9, 9], [0, 9]], "kind": "name"}]},
     {"change": [{"index": -1, "kind": "name"}]}],
)  # fmt: skip
def test_what_is_no_change_is_refused(desk: Desk, vault: Engine, asked: dict[str, Any]) -> None:
    assert desk.post("masks", {"on": 0, **asked}).status_code == 400
    with Session(vault) as session:
        assert session.get_one(Page, desk.page_id).revision == 0


def test_a_box_of_no_size_is_refused_with_a_sentence(desk: Desk) -> None:
    quad = [[5, 5], [6, 5], [6, 6], [5, 6]]
    answer = desk.post("masks", {"on": 0, "add": [{"quad": quad, "kind": "name"}]})
    assert answer.status_code == 422
    assert "太小" in answer.json["sentences"][0]


numbers = st.floats(-1e4, 1e4, allow_nan=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=4))
def test_drawn_masks_lie_on_the_page(quad: list[tuple[float, float]]) -> None:
    try:
        masks, what = changed([], {"add": [{"quad": quad, "kind": "name"}]}, size=SIZE)
    except RuleError:
        return
    assert what == "draw"
    for x, y in masks[0]["quad"]:
        assert 0 <= x <= SIZE[0]
        assert 0 <= y <= SIZE[1]


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_untouched_masks_stay_as_they_are(remove: set[int], change: set[int]) -> None:
    masks = [mask(n, n) for n in range(10)]
    asked = {"remove": sorted(remove), "change": [{"index": i, "kind": "seal"} for i in change]}
    if not remove | change:
        with pytest.raises(ValueError, match="nothing"):
            changed(masks, asked, size=SIZE)
        return
    after, _ = changed(masks, asked, size=SIZE)
    kept = [one for index, one in enumerate(masks) if index not in remove]
    assert [one["quad"] for one in after] == [one["quad"] for one in kept]
    assert sum(one["kind"] == "seal" for one in after) == len(change - remove)


# ---- deciding -------------------------------------------------------------------------------


def test_no_leads_to_the_next_page_of_the_queue(desk: Desk, page_ids: list[int]) -> None:
    first, second, _ = page_ids
    desk = Desk(desk.client, second)
    seen = told(desk.text)["seen"]
    refused = desk.decide(decision="accepted", seen=seen)
    assert refused.status_code == 422
    assert "理由" in refused.text
    answer = desk.decide(decision="accepted", reason="误报", seen=seen)
    assert answer.headers["Location"].startswith(f"/pages/{first}?at=820.{first}")


def test_the_way_on_holds_though_the_edit_changed_the_risk(
    desk: Desk, vault: Engine, page_ids: list[int]
) -> None:
    first, second, _ = page_ids
    with Session(vault) as session, session.begin():
        session.execute(update(Page).where(Page.id == second).values(risk=3, state="clean"))
    page = desk.client.get(f"/pages/{second}?at=840.{second}").text
    assert re.search(rf'id="next"[^>]*href="/pages/{first}\?', page)


def test_what_nobody_saw_is_not_accepted(desk: Desk, vault: Engine) -> None:
    with Session(vault) as session, session.begin():
        session.execute(update(Page).values(staged_sha256="f" * 64))
    for seen in (told(desk.text)["seen"], ""):
        answer = desk.decide(decision="accepted", reason="好", seen=seen)
        assert answer.status_code == 422
        assert "刚被他人" in answer.text


def test_a_return_says_why(vault: Engine, page_ids: list[int]) -> None:
    with Session(vault) as session, session.begin():
        with pytest.raises(RuleError, match="写明原因"):
            decide(session, page_id=page_ids[0], decision="returned", reason=" ", by="clerk")
        with pytest.raises(RuleError, match="没有决定"):
            decide(session, page_id=page_ids[0], decision="maybe", reason="", by="clerk")
        decide(session, page_id=page_ids[0], decision="returned", reason="不清晰", by="clerk")
        assert session.get_one(Page, page_ids[0]).decision == "returned"


def test_secretaries_and_strangers_stay_out(
    sign_in: SignIn, round_id: int, page_ids: list[int]
) -> None:
    client = sign_in("secretary")
    for address in (f"/rounds/{round_id}/pages", f"/pages/{page_ids[0]}"):
        assert client.get(address).status_code == 403
    assert client.get("/sign-in").status_code == 200
    token = form_token(client.get("/sign-in").text)
    for what in ("masks", "undo", "redo", "everywhere", "check-again"):
        answer = client.post(
            f"/pages/{page_ids[0]}/{what}", json={"on": 0}, headers={"X-CSRFToken": token}
        )
        assert answer.status_code == 403


def test_an_edit_without_the_token_is_refused(desk: Desk) -> None:
    answer = desk.client.post(f"/pages/{desk.page_id}/masks", json={"on": 0, "remove": [0]})
    assert answer.status_code == 400


# ---- time -----------------------------------------------------------------------------------


def test_seconds_of_looking_add_up_for_the_page_and_the_person(desk: Desk, vault: Engine) -> None:
    for seconds in ("4.4", "6", "nan", "-5", "1e9", "x"):
        data = {"seconds": seconds, "csrf_token": desk.token}
        assert desk.client.post(f"/pages/{desk.page_id}/look", data=data).status_code == 204
    with Session(vault) as session:
        # 4 + 6 + the most that one look counts
        assert session.get_one(Page, desk.page_id).seconds == 610
        assert session.get_one(PageLook, (desk.page_id, "clerk")).seconds == 610


# ---- the same everywhere --------------------------------------------------------------------


def everywhere(desk: Desk, **more: Any) -> Any:
    return desk.post("everywhere", {"on": 0, "index": 0, "what": "add", "way": "place", **more})


@pytest.fixture
def owner(vault: Engine, page_ids: list[int]) -> int:
    with Session(vault) as session:
        return session.get_one(Page, page_ids[0]).entrant_id


def test_the_same_place_on_equally_large_pages_only(
    settings: Settings, vault: Engine, round_id: int, desk: Desk, owner: int
) -> None:
    with Session(vault) as session, session.begin():
        bare = add_page(session, settings, round_id, number=4).id
        large = add_page(session, settings, round_id, number=5, size=(800, 560)).id
        other = add_page(session, settings, round_id, number=6, entrant=2).id
    # Pages 2 and 3 have a mask there already.
    assert everywhere(desk, dossier=owner).json == {"pages": 1}
    with Session(vault) as session, session.begin():
        assert [session.get_one(Page, i).revision for i in (bare, large, other)] == [1, 0, 0]
        (added,) = masks_of(session, session.get_one(Page, bare))
        assert added["quad"] == mask(10, 100)["quad"]
        done = session.scalars(select(OfficeEvent.actor).where(OfficeEvent.page_id == bare)).all()
        assert done == ["clerk"]


def test_the_same_text_is_found_in_the_reading(
    settings: Settings, vault: Engine, round_id: int, desk: Desk, owner: int
) -> None:
    cache = ReadingCache(round_vault(settings, round_id).cache)
    text = f"经查{NAME}同志"
    chars = tuple(
        Char(c, np.array([[20 * i, 50], [20 * i + 18, 50], [20 * i + 18, 70], [20 * i, 70]],
                         np.float64), 0.99)
        for i, c in enumerate(text)
    )  # fmt: skip
    quad = np.array([[0, 50], [20 * len(text), 50], [20 * len(text), 70], [0, 70]], np.float64)
    cache.put("k1", Reading((Line(chars, quad, 0.99),), (), SIZE, 0, "r"))
    with Session(vault) as session, session.begin():
        page_id = add_page(session, settings, round_id, number=7, reading="k1").id
    assert everywhere(desk, dossier=owner, way="text").json == {"pages": 1}
    with Session(vault) as session:
        (added,) = masks_of(session, session.get_one(Page, page_id))
        assert added["text"] == NAME
        assert added["quad"][0][0] == pytest.approx(40, abs=5)
    # A box drawn by hand takes the text that was read under it.
    fresh = Desk(desk.client, page_id)
    box = {"quad": [[0, 45], [38, 45], [38, 75], [0, 75]], "kind": "custom"}
    assert told(fresh.post("masks", {"on": 1, "add": [box]}).text)["masks"][1]["text"] == "经查"


def sealed(x: float, y: float) -> tuple[Any, list[list[float]]]:
    """A page with a round seal there (millimetres), and the box around the seal."""
    canvas = blank()
    seal(canvas, x, y, "巴音郭楞蒙古自治州林业和草原局", 1, "round", 42, turn=8)
    per_mm = DPI / 25.4
    left, top, side = (x - 23) * per_mm, (y - 23) * per_mm, 46 * per_mm
    box = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
    return pixels_of(canvas), box


def test_the_same_seal_is_found_at_another_place(
    settings: Settings, vault: Engine, round_id: int, sign_in: SignIn
) -> None:
    picture, box = sealed(100, 70)
    elsewhere, there = sealed(50, 100)
    with Session(vault) as session, session.begin():
        mine = add_page(session, settings, round_id, number=1, picture=picture)
        other = add_page(session, settings, round_id, number=2, picture=elsewhere)
        add_page(session, settings, round_id, number=3, picture=pixels_of(blank()))
        ids = (mine.id, other.id, mine.entrant_id)
    client = sign_in("clerk")
    desk = Desk(client, ids[0])
    client.get(told(desk.text)["pictures"]["source_screen"])
    desk.post("masks", {"on": 0, "add": [{"quad": box, "kind": "seal"}]})
    assert everywhere(desk, on=1, dossier=ids[2], way="seal").json == {"pages": 1}
    with Session(vault) as session:
        (added,) = masks_of(session, session.get_one(Page, ids[1]))
    assert added["kind"] == "seal"
    assert overlap(np.array(added["quad"]), np.array(there)) > 0.8


def test_a_box_without_a_seal_is_no_seal(desk: Desk, owner: int) -> None:
    desk.client.get(told(desk.text)["pictures"]["source_screen"])
    answer = everywhere(desk, dossier=owner, way="seal")
    assert answer.status_code == 409
    assert "未辨认出印章" in answer.json["sentences"][0]


def test_masks_of_one_text_are_removed_everywhere(desk: Desk, owner: int, vault: Engine) -> None:
    assert everywhere(desk, dossier=owner, way="text", what="remove").json == {"pages": 2}
    with Session(vault) as session:
        kinds = [
            [m["kind"] for m in masks_of(session, page)]
            for page in session.scalars(select(Page).order_by(Page.id))
        ]
        assert kinds == [["name"], ["seal"], []]


def test_everywhere_ends_at_the_round(
    settings: Settings, vault: Engine, round_id: int, desk: Desk, owner: int
) -> None:
    with Session(vault) as session:
        mine = session.scalars(select(Entrant.id).where(Entrant.round_id == round_id)).all()
    listed = desk.client.get(f"/pages/{desk.page_id}/dossiers").json
    assert listed is not None
    assert listed[0] == owner
    assert sorted(listed) == sorted(mine)
    assert everywhere(desk, dossier=10_000).status_code == 404
    assert everywhere(desk, dossier=owner, way="magic").status_code == 400
    assert everywhere(desk, dossier=owner, on=5).status_code == 409


def test_a_check_that_broke_is_said_and_may_be_repeated(desk: Desk, vault: Engine) -> None:
    desk.post("masks", {"on": 0, "remove": [0]})
    with Session(vault) as session, session.begin():
        session.execute(update(Job).values(state="failed"))
    said = desk.client.get(f"/pages/{desk.page_id}/status?revision=1")
    assert "复核未能完成" in said.text
    assert "every 700ms" not in said.text
    assert "every 700ms" in desk.post("check-again", {}).text

"""The self-check: what a link opens, what it never opens, and what becomes of answers."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from models.check_links import link_of, make_links, withdraw_links
from models.errors import RuleError
from models.office_checks import MOST_PLACES, answer_page, answers_of, open_answers
from models.office_pages import masks_of
from models.readiness import obstacles
from models.vault_accounts import OfficeEvent
from models.vault_pages import CheckAnswer, CheckLink, Page
from models.vault_rounds import Entrant, OfficeRound
from tests.webapp.conftest import PEOPLE, form_token
from tests.webapp.dossiers import SIZE, add_page
from webapp.settings import Settings

LONG_AGO = "2001-01-01T00:00:00+00:00"


@pytest.fixture
def shown(settings: Settings, vault: Engine, round_id: int) -> dict[int, list[int]]:
    """Entrant -> ids of two masked pages each."""
    with Session(vault) as session, session.begin():
        entrants = session.scalars(select(Entrant).order_by(Entrant.number)).all()
        return {
            entrant.id: [add_page(session, settings, entrant, n).id for n in (1, 2)]
            for entrant in entrants
        }


@pytest.fixture
def token(vault: Engine, shown: dict[int, list[int]]) -> str:
    """A link to the first applicant's dossier."""
    mine = next(iter(shown))
    with Session(vault) as session, session.begin():
        return make_links(session, entrant_ids=[mine], hours=1, by="clerk")[mine]


@pytest.fixture
def phone(office: Flask) -> FlaskClient:
    """A visitor who is signed in nowhere."""
    return office.test_client()


def say(client: FlaskClient, address: str, **data: str) -> tuple[int, str]:
    """Answers a page as its form does."""
    page = client.get(address).text
    form = dict(re.findall(r'type="hidden" name="(\w+)"(?: id="\w+")? value="([^"]*)"', page))
    form = {name: html.unescape(value) for name, value in form.items()}
    answer = client.post(address, data={**form, **data})
    return answer.status_code, answer.text


def test_an_applicant_answers_page_by_page_and_the_clerk_decides(
    office: Flask,
    vault: Engine,
    shown: dict[int, list[int]],
    token: str,
    phone: FlaskClient,
    sign_in: Callable[[str], FlaskClient],
) -> None:
    mine, (first, second) = next(iter(shown.items()))
    page = phone.get(f"/check/{token}").text
    assert "还有 2 页未回答" in page
    assert say(phone, f"/check/{token}/1", answer="no")[0] == 303
    places = json.dumps([[10, 20, 60.5, 40]])
    status, _ = say(phone, f"/check/{token}/2", answer="yes", remark="签名没遮", places=places)
    assert status == 303
    assert "全部回答完毕" in phone.get(f"/check/{token}").text
    with Session(vault) as session:
        assert session.scalars(select(CheckLink)).one().finished_at
        (answered,) = answers_of(session, second)
        assert (answered.answer.answer, answered.answer.remark) == ("yes", "签名没遮")
        assert answered.places == [[[10, 20], [60.5, 20], [60.5, 40], [10, 40]]]
        assert not answered.outdated
        assert [o.what for o in obstacles(session, mine)] == [""]
        round_id = session.get_one(Page, first).round_id
        (waiting,) = open_answers(session, round_id=round_id)
        number = waiting.answer.id
    clerk = sign_in("clerk")
    listed = clerk.get(f"/rounds/{round_id}/selfcheck/answers").text
    assert "签名没遮" in listed
    beside = clerk.get(f"/pages/{second}").text
    assert "签名没遮" in beside
    assert f'action="/rounds/{round_id}/selfcheck/answers/{number}"' in beside
    assert "自查意见" not in clerk.get(f"/pages/{shown[max(shown)][0]}").text
    csrf = form_token(listed)
    decided = f"/rounds/{round_id}/selfcheck/answers/{number}"
    answer = clerk.post(decided, data={"csrf_token": csrf, "verdict": "declined", "reason": ""})
    assert answer.status_code == 422
    answer = clerk.post(decided, data={"csrf_token": csrf, "verdict": "mask"})
    assert answer.status_code == 303
    with Session(vault) as session:
        page = session.get_one(Page, second)
        assert page.state == "checking"
        *_, mask = masks_of(session, page)
        assert mask["quad"] == [[10, 20], [60.5, 20], [60.5, 40], [10, 40]]
        assert open_answers(session, round_id=round_id) == []
    assert clerk.post(decided, data={"csrf_token": csrf, "verdict": "agreed"}).status_code == 422


def test_answers_are_added_and_the_newest_holds(
    vault: Engine, token: str, phone: FlaskClient
) -> None:
    for answer in ("yes", "question", "no"):
        assert say(phone, f"/check/{token}/1", answer=answer)[0] == 303
    with Session(vault) as session:
        page = session.scalars(select(CheckAnswer.page_id)).first()
        assert page is not None
        told = [one.answer.answer for one in answers_of(session, page)]
        assert told == ["no", "question", "yes"]
        round_id = session.get_one(Page, page).round_id
        assert open_answers(session, round_id=round_id) == []


def test_only_the_own_masked_pages_can_be_reached(
    office: Flask, vault: Engine, shown: dict[int, list[int]], token: str, phone: FlaskClient
) -> None:
    with Session(vault) as session:
        mine, other = session.scalars(select(Entrant).order_by(Entrant.number)).all()
        own = {session.get_one(Page, p).staged_sha256[:32] for p in shown[mine.id]}
        codes, names = (mine.code, other.code), (mine.name, other.name, other.unit, mine.unit)
    seen = set()
    for number in (1, 2):
        answer = phone.get(f"/check/{token}/{number}/screen.jpg")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-cache"
        seen.add(answer.headers["ETag"].strip('"').split("-")[0])
    assert seen == own
    foreign = shown[other.id][0]
    for path in (
        "3", "0", "-1", str(foreign), "3/screen.jpg", f"{foreign}/screen.jpg", "1/source.jpg",
        "1/../2/screen.jpg", "1/..%2f..%2fpictures/1/source/0/full/x", "1/screen.png",
        "1/screen.jpg/../../../..", "%2e%2e/accounts",
    ):  # fmt: skip
        answer = phone.get(f"/check/{token}/{path}")
        assert answer.status_code == 404, path
        assert answer.mimetype == "text/html"
    # Neither what the office sees, nor its pictures, opens with a link.
    for path in (
        f"/pictures/{foreign}/masked/0/full/x",
        f"/pages/{foreign}",
        "/rounds/1/selfcheck",
    ):
        assert phone.get(path).status_code in (302, 404), path
    pages = phone.get(f"/check/{token}").text + phone.get(f"/check/{token}/1").text
    for word in (*codes, *names, "/rounds/", "/pages/", "mp_office"):
        assert word not in pages, word


def test_a_form_for_another_page_s_picture_is_not_taken(
    vault: Engine, shown: dict[int, list[int]], token: str, phone: FlaskClient
) -> None:
    other = list(shown)[1]
    with Session(vault) as session:
        sha = session.get_one(Page, shown[other][0]).staged_sha256
    status, page = say(phone, f"/check/{token}/1", answer="no", shown=sha)
    assert status == 422
    assert "刚有更新" in page
    with Session(vault) as session:
        assert session.scalars(select(CheckAnswer)).all() == []


@pytest.mark.parametrize("why", ["unknown", "expired", "withdrawn", "newer"])
def test_links_that_hold_no_more_are_refused_and_logged(
    vault: Engine, token: str, phone: FlaskClient, why: str
) -> None:
    with Session(vault) as session, session.begin():
        mine = session.scalars(select(CheckLink.entrant_id)).one()
        if why == "expired":
            session.execute(update(CheckLink).values(expires_at=LONG_AGO))
        elif why == "withdrawn":
            assert withdraw_links(session, entrant_id=mine, by="clerk") == 1
        elif why == "newer":
            make_links(session, entrant_ids=[mine], hours=1, by="clerk")
    asked = "wrong" + token[5:] if why == "unknown" else token
    for path in (f"/check/{asked}", f"/check/{asked}/1", f"/check/{asked}/1/thumb.jpg"):
        answer = phone.get(path)
        assert answer.status_code == (404 if why == "unknown" else 410)
        assert "链接" in answer.text
    with Session(vault) as session:
        told = session.scalars(select(OfficeEvent).filter_by(action="check.refused")).all()
        assert len(told) == 3
        assert json.loads(told[0].details)["why"] == ("withdrawn" if why == "newer" else why)
        assert all(asked not in event.details for event in told)


def test_guessing_links_is_slowed_down_and_a_good_link_is_not(
    token: str, phone: FlaskClient
) -> None:
    for number in range(40):
        assert phone.get(f"/check/{token}/1/thumb.jpg").status_code == 200, number
    codes = [phone.get(f"/check/guess{n}").status_code for n in range(25)]
    assert codes[:20] == [404] * 20
    assert set(codes[20:]) == {429}


@pytest.mark.parametrize(
    "places",
    [
        "null", "{}", "[1]", "[[1,2,3]]", "[[1,2,3,4,5]]", '[["a",0,9,9]]', "[[0,0,1e400,9]]",
        "[[NaN,0,9,9]]", "[[true,0,90,90]]", "[[0,0,1,1]]", "[[5000,0,6000,90]]", "not json",
        "[" * 5000, json.dumps([[0, 0, 50, 50]] * (MOST_PLACES + 1)),
    ],
)  # fmt: skip
def test_places_that_cannot_be_are_refused(
    vault: Engine, token: str, phone: FlaskClient, places: str
) -> None:
    status, page = say(phone, f"/check/{token}/1", answer="yes", places=places)
    assert status == 422
    assert "位置无效" in page
    with Session(vault) as session:
        assert session.scalars(select(CheckAnswer)).all() == []


def test_places_are_cut_to_the_page_and_remarks_are_plain_text(
    vault: Engine, token: str, phone: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    remark = "<script>alert(1)</script>"
    places = json.dumps([[-50, -50, 9000, 9000]])
    assert say(phone, f"/check/{token}/1", answer="yes", places=places, remark=remark)[0] == 303
    with Session(vault) as session:
        answer = session.scalars(select(CheckAnswer)).one()
        width, height = SIZE
        assert json.loads(answer.places) == [[[0, 0], [width, 0], [width, height], [0, height]]]
        round_id = session.get_one(Page, answer.page_id).round_id
    listed = sign_in("clerk").get(f"/rounds/{round_id}/selfcheck/answers").text
    assert remark not in listed
    assert html.escape(remark) in listed
    status, page = say(phone, f"/check/{token}/1", answer="maybe", remark="x" * 600)
    assert status == 422
    assert page.count("<p>") >= 2
    assert "不能超过" in page


def test_an_answer_needs_the_forms_token(token: str, phone: FlaskClient) -> None:
    assert phone.post(f"/check/{token}/1", data={"answer": "no"}).status_code == 400


def test_printed_sheets_hold_each_link_once_and_only_its_hash_is_kept(
    vault: Engine, shown: dict[int, list[int]], sign_in: Callable[[str], FlaskClient], round_id: int
) -> None:
    clerk = sign_in("clerk")
    page = clerk.get(f"/rounds/{round_id}/selfcheck").text
    answer = clerk.post(
        f"/rounds/{round_id}/selfcheck/links",
        data={"csrf_token": form_token(page), "all": "1", "hours": "72"},
    )
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = set(re.findall(r"/check/([\w-]+)", answer.text))
    assert len(tokens) == answer.text.count("<svg") == len(PEOPLE)
    assert "style=" not in answer.text
    with Session(vault) as session:
        for link in tokens:
            assert link_of(session, link)
        stored = session.scalars(select(CheckLink.token_sha256)).all()
        events = [event.details for event in session.scalars(select(OfficeEvent))]
    assert tokens.isdisjoint(stored)
    assert not any(link in details for link in tokens for details in events)


def test_only_the_desk_makes_links_and_decides(
    sign_in: Callable[[str], FlaskClient], shown: dict[int, list[int]], round_id: int, vault: Engine
) -> None:
    secretary = sign_in("secretary")
    csrf = form_token(secretary.get("/account").text)
    for path in ("selfcheck/links", "selfcheck/1/withdraw", "selfcheck/answers/1"):
        answer = secretary.post(f"/rounds/{round_id}/{path}", data={"csrf_token": csrf, "all": "1"})
        assert answer.status_code == 403
    with Session(vault) as session:
        assert session.scalars(select(CheckLink)).all() == []


def test_an_answer_of_another_round_cannot_be_decided_here(
    vault: Engine, token: str, phone: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    say(phone, f"/check/{token}/1", answer="yes")
    clerk = sign_in("clerk")
    csrf = form_token(clerk.get("/account").text)
    answer = clerk.post(
        "/rounds/77/selfcheck/answers/1", data={"csrf_token": csrf, "verdict": "agreed"}
    )
    assert answer.status_code == 404


def test_the_counter_and_the_clock_are_shown_to_the_applicant(
    vault: Engine, token: str, phone: FlaskClient
) -> None:
    with Session(vault) as session, session.begin():
        session.execute(
            update(OfficeRound).values(
                policy='[submission]\nmax_times = 3\nrevise_hours = 48\nclause = "第五条"\n'
            )
        )
    page = phone.get(f"/check/{token}").text
    assert "已提交 1 次，最多 3 次" in page


def test_a_page_without_a_proven_picture_is_not_shown(
    vault: Engine, token: str, phone: FlaskClient
) -> None:
    with Session(vault) as session, session.begin():
        link = link_of(session, token)
        pages = session.scalars(select(Page).where(Page.entrant_id == link.entrant_id)).all()
        pages[0].state = "checking"
        session.flush()
        with pytest.raises(RuleError):
            answer_page(session, link=link, number=2, shown_sha256=pages[1].staged_sha256,
                        answer="no", remark="", places=[])  # fmt: skip
    assert phone.get(f"/check/{token}/2").status_code == 404
    assert "还有 1 页" in phone.get(f"/check/{token}").text

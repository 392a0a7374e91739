"""The meeting in real browsers: a defence is scored, three tablets vote, one loses the network.

With MANGPING_SHOTS set to a folder, pictures of the pages are kept there.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.accounts import create_account, sign_in
from models.base import open_store
from models.review_ballots import BallotItem, Receipt, Vote
from models.rounds import record_recusal
from models.seat_access import IssuedCard, issue_card
from models.seat_access import sign_in as seat_sign_in
from tests.e2e.conftest import DESKTOP, PASSWORD, TABLET, serious, watch
from tests.webapp.committee_round import CommitteeRound, furnish_committee
from tests.webapp.review_meeting import bring_to_meeting
from tests.webapp.serving_process import free_port
from webapp.office.app import COOKIE as OFFICE_COOKIE
from webapp.office.app import create_office
from webapp.review.app import COOKIE as SEAT_COOKIE
from webapp.review.app import create_review
from webapp.serving import prepare
from webapp.settings import Settings, review_settings

PORTRAIT = {**TABLET, "viewport": {"width": 768, "height": 1024}}
SHOTS = os.environ.get("MANGPING_SHOTS", "")
NAMES = {"office": OFFICE_COOKIE, "seat": SEAT_COOKIE}


@dataclass(frozen=True)
class Meeting:
    """Both apps on one installation, after the lock. `tokens`: login or seat -> cookie."""

    office: str
    experts: str
    made: CommitteeRound
    cards: dict[str, IssuedCard]
    tokens: dict[str, str]
    store: Engine


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Meeting]:
    import waitress

    settings = Settings(data=tmp_path / "data", port=free_port(), review_port=free_port())
    prepare(settings)
    vault, store = open_store(settings.vault_url), open_store(settings.review_url)
    tokens: dict[str, str] = {}
    with Session(vault) as session, session.begin():
        create_account(
            session,
            login="secretary",
            name="马秘书",
            role="secretary",
            password=PASSWORD,
            by="test",
        )
        tokens["secretary"] = str(
            sign_in(session, login="secretary", password=PASSWORD, device="-", address="-")
        )
    made = furnish_committee(vault, store, dossiers=4, seats=3, reviews=3)
    bring_to_meeting(store, made.review_id, "defence", came=2)
    with Session(store) as session, session.begin():
        cards = {
            seat: issue_card(session, round_id=made.review_id, seat=seat, by="test")
            for seat in made.seats
        }
        for seat, card in cards.items():
            tokens[seat] = str(
                seat_sign_in(session, number=card.number, secret=card.pin, device="test")
            )
        record_recusal(
            session, round_id=made.review_id, reviewer="R03", code=sorted(made.codes)[3],
            reason="亲属", by="R03",
        )  # fmt: skip
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    servers = [
        waitress.create_server(app, host="127.0.0.1", port=port, threads=4)
        for app, port in (
            (create_office(settings), settings.port),
            (create_review(review_settings(settings)), settings.port_of_review),
        )
    ]
    for server in servers:
        threading.Thread(target=server.run, daemon=True).start()
    yield Meeting(
        f"http://127.0.0.1:{settings.port}",
        f"http://127.0.0.1:{settings.port_of_review}",
        made, cards, tokens, store,
    )  # fmt: skip
    for server in servers:
        server.close()
    vault.dispose()
    store.dispose()


@pytest.fixture
def sit_down(browser: Browser, meeting: Meeting) -> Iterator[Any]:
    """A page of the secretary, or of a seat on its tablet; errors of its scripts fail the test."""
    opened: list[tuple[BrowserContext, list[str]]] = []

    def sit_down(who: str, device: dict[str, Any]) -> Page:
        office = who == "secretary"
        url = meeting.office if office else meeting.experts
        context = browser.new_context(base_url=url, reduced_motion="reduce", **device)
        name = NAMES["office" if office else "seat"]
        context.add_cookies([{"name": name, "value": meeting.tokens[who], "url": url}])
        page = context.new_page()
        opened.append((context, watch(page)))
        return page

    yield sit_down
    for context, wrong in opened:
        context.close()
        assert wrong == []


def shot(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def give_score(page: Page, code: str, points: str, name: str = "") -> None:
    page.goto("/defence")
    page.get_by_role("link", name=code).tap()
    for key in points:
        page.locator(f'[data-key="{key}"]').tap()
    if name:
        assert serious(page) == []
        shot(page, name)
    page.get_by_role("button", name="下一步").tap()
    page.get_by_role("button", name="确认记录").tap()
    expect(page.get_by_text(f"{points} 分", exact=False).first).to_be_visible()


def choose(page: Page, choice: str) -> None:
    """Everything the same, checked and ready to cast."""
    page.goto("/ballot")
    for one in page.locator(f"fieldset .choice.{choice}").all():
        one.tap()
    page.get_by_role("button", name="核对选票").tap()
    expect(page.locator("[data-cast]")).to_be_visible()


def cast(page: Page, pin: str) -> None:
    page.locator("[name=secret]").fill(pin)
    page.locator("[data-cast]").tap()


def receipt(page: Page) -> str:
    expect(page.get_by_role("heading", name="选票已投入票箱")).to_be_visible()
    return page.locator(".receipt .receipt-code").inner_text()


def in_box(store: Engine) -> tuple[int, int]:
    with Session(store) as session:
        votes = session.scalars(select(Vote.id)).all()
        return len(votes), len(session.scalars(select(Receipt.code)).all())


def test_a_meeting_from_the_defence_to_the_result(meeting: Meeting, sit_down: Any) -> None:
    desk = sit_down("secretary", DESKTOP)
    tablets = {seat: sit_down(seat, PORTRAIT) for seat in meeting.made.seats}
    hub, codes = f"/rounds/{meeting.made.round_id}", sorted(meeting.made.codes)

    # The defence: two came, two are exempt, on different grounds.
    desk.goto(f"{hub}/defence")
    desk.locator(f'[name="standing-{codes[2]}"]').select_option("exempt")
    desk.locator(f'[name="ground-{codes[2]}"]').select_option("service")
    desk.locator(f'[name="evidence-{codes[2]}"]').fill("免试审批表第12号")
    desk.locator(f'[name="standing-{codes[3]}"]').select_option("exempt")
    desk.locator(f'[name="ground-{codes[3]}"]').select_option("non_public")
    desk.get_by_role("button", name="保存改动").click()
    expect(desk.get_by_text("2 人已登记")).to_be_visible()
    assert serious(desk) == []
    shot(desk, "grounds")
    for at, (seat, page) in enumerate(tablets.items()):
        page.goto("/")
        expect(page.get_by_role("button", name="答辩评分")).to_be_visible()
        give_score(page, codes[0], f"2{at + 4}.5", "panel" if seat == "R01" else "")
        give_score(page, codes[1], "22")
    desk.goto(f"{hub}/defence/scores")
    assert serious(desk) == []
    shot(desk, "scores")
    desk.goto(f"{hub}/defence/outcomes")
    expect(desk.get_by_role("heading", name="待裁定 (1)")).to_be_visible()
    assert desk.evaluate("document.querySelector('img.chart').naturalWidth") > 0
    assert serious(desk) == []
    shot(desk, "outcomes")

    # The ballot.
    desk.goto(f"{hub}/ballots")
    desk.get_by_label("答辩（如有）已全部完成", exact=False).check()
    desk.get_by_role("button", name="进入投票阶段").click()
    assert serious(desk) == []
    desk.get_by_label("出席名单无误", exact=False).check()
    shot(desk, "before-the-ballot")
    desk.get_by_role("button", name="开始投票").click()
    expect(desk.locator(".voted strong")).to_have_text("0")
    # A tablet that shows anything hears of it by itself.
    expect(tablets["R01"].get_by_role("button", name="正在投票")).to_be_visible()

    # The first casts; an unfinished paper and a wrong PIN cast nothing.
    first = tablets["R01"]
    first.goto("/ballot")
    first.get_by_role("button", name="核对选票").tap()
    expect(first.locator("fieldset.unset")).to_have_count(4)
    assert serious(first) == []
    shot(first, "unfinished")
    choose(first, "yes")
    assert serious(first) == []
    shot(first, "check")
    cast(first, "wrong")
    expect(first.get_by_text("PIN 不正确")).to_be_visible()
    assert in_box(meeting.store) == (0, 0)
    cast(first, meeting.cards["R01"].pin)
    codes_shown = [receipt(first)]
    assert serious(first) == []
    shot(first, "cast")
    expect(desk.locator(".voted strong")).to_have_text("1")
    shot(desk, "open")

    # The second has no network, then has one.
    second = tablets["R02"]
    choose(second, "yes")
    second.context.set_offline(True)
    cast(second, meeting.cards["R02"].pin)
    expect(second.locator("[data-unsent]")).to_be_visible()
    expect(second.locator("[data-go=choose]")).to_be_disabled()
    shot(second, "no-network")
    assert in_box(meeting.store) == (4, 1)
    second.context.set_offline(False)
    second.locator("[data-cast]").tap()
    codes_shown.append(receipt(second))

    # The third's ballot arrives and its answer is lost; it is recused from one candidate.
    third = tablets["R03"]
    choose(third, "no")
    expect(third.locator("fieldset")).to_have_count(3)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    third.route("**/ballot/*", lose, times=1)
    cast(third, meeting.cards["R03"].pin)
    expect(third.locator("[data-unsent]")).to_be_visible()
    assert lost == [200]
    assert in_box(meeting.store) == (11, 3)
    third.locator("[data-cast]").tap()
    codes_shown.append(receipt(third))
    assert in_box(meeting.store) == (11, 3)
    third.reload()
    expect(third.get_by_role("heading", name="您已投过票")).to_be_visible()

    # Closed: every receipt is published, and the outcome is in whole numbers.
    expect(desk.locator(".voted strong")).to_have_text("3")
    desk.get_by_label("结束投票：", exact=False).check()
    desk.get_by_role("button", name="结束投票").click()
    expect(desk.get_by_text("3 × 2 = 6 ≥ 2 × 3 = 6")).to_have_count(3)
    expect(desk.get_by_text("3 × 2 = 6 ≥ 2 × 2 = 4")).to_have_count(1)
    assert serious(desk) == []
    shot(desk, "closed")
    first.goto("/ballot")
    published = first.locator(".receipts li").all_inner_texts()
    assert sorted(codes_shown) == published
    assert serious(first) == []
    shot(first, "published")
    with Session(meeting.store) as session:
        items = {item.code: (item.yes, item.no) for item in session.scalars(select(BallotItem))}
    assert items == dict.fromkeys(codes[:3], (2, 1)) | {codes[3]: (2, 0)}


def test_a_tablet_is_usable_with_text_twice_as_large(meeting: Meeting, sit_down: Any) -> None:
    desk = sit_down("secretary", DESKTOP)
    hub = f"/rounds/{meeting.made.round_id}/ballots"
    desk.goto(hub)
    desk.get_by_label("答辩（如有）已全部完成", exact=False).check()
    desk.get_by_role("button", name="进入投票阶段").click()
    desk.get_by_label("出席名单无误", exact=False).check()
    desk.get_by_role("button", name="开始投票").click()
    page = sit_down("R01", {**TABLET, "viewport": {"width": 384, "height": 512}})
    choose(page, "abstain")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main input:not([type=hidden])')]"
        ".filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    shot(page, "large-text")

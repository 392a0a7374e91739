"""The applicant's self-check on a phone: pages are answered and marked, and the clerk decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import open_store
from models.office_checks import answers_of
from models.office_pages import masks_of
from models.vault_pages import CheckAnswer, CheckLink
from models.vault_pages import Page as PageRow
from tests.e2e.conftest import DESKTOP, Office, drag_by_touch, serious, watch

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
OpenAs = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, furnished_office: Office) -> Iterator[Page]:
    """The applicant's own phone, signed in nowhere."""
    context = browser.new_context(
        base_url=furnished_office.url, locale="zh-CN", reduced_motion="reduce", **PHONE
    )
    page = context.new_page()
    wrong = watch(page)
    yield page
    context.close()
    assert wrong == []


def link_for(clerk: Page, office: Office, number: int) -> str:
    """Makes a link as the clerk does; its path, as the printed sheet shows it."""
    clerk.goto(f"/rounds/{office.made.round_id}/selfcheck")
    clerk.get_by_role("button", name=f"生成链接：诸葛{number}", exact=True).click()
    address = clerk.locator(".qr-sheet a").get_attribute("href")
    assert address
    assert address.startswith(f"{office.url}/check/")
    expect(clerk.locator(".qr-sheet svg")).to_be_visible()
    return address.removeprefix(office.url)


def shown_ids(session: Session, entrant_id: int) -> list[int]:
    chosen = select(PageRow.id).where(
        PageRow.entrant_id == entrant_id, PageRow.state.in_(("clean", "review"))
    )
    return list(session.scalars(chosen.order_by(PageRow.position)))


def answer(phone: Page, value: str) -> None:
    """Taps an answer and waits until the next page is there."""
    phone.locator(f".choices label:has(input[value={value}])").tap()
    expect(phone.locator(f"input[value={value}]")).to_be_checked()
    before = phone.url
    phone.get_by_role("button", name="保存，下一页").tap()
    phone.wait_for_url(lambda url: url != before)


def test_an_applicant_answers_on_a_phone_and_the_clerk_decides(
    furnished_office: Office, open_as: OpenAs, phone: Page
) -> None:
    office = furnished_office
    vault = open_store(office.settings.vault_url).execution_options(read_only=True)
    clerk = open_as("clerk", DESKTOP)
    link = link_for(clerk, office, 1)
    entrant = office.made.entrants[0]
    with Session(vault) as session:
        ids = shown_ids(session, entrant)
    assert len(ids) == 3

    phone.goto(link)
    expect(phone.locator("main")).to_contain_text("还有 3 页未回答")
    assert serious(phone) == []
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert phone.evaluate(fits)
    phone.get_by_role("button", name="开始检查").tap()
    phone.wait_for_url(re.compile(r"/1$"))
    assert serious(phone) == []
    assert phone.evaluate(fits)
    answer(phone, "no")

    # Page 2: something is left to mask, shown by a finger on the page.
    phone.wait_for_url(re.compile(r"/2$"))
    phone.get_by_role("button", name="圈出位置").tap()
    phone.locator("#sheet").scroll_into_view_if_needed()
    drag_by_touch(phone, "#sheet", (0.2, 0.2), (0.6, 0.3))
    expect(phone.locator("#sheet rect")).to_have_count(1)
    expect(phone.locator("input[value=yes]")).to_be_checked()
    phone.get_by_role("button", name="圈出位置").tap()
    phone.locator("textarea").fill("签名没有遮住")
    answer(phone, "yes")

    # Page 3: a mask hides too much.
    phone.wait_for_url(re.compile(r"/3$"))
    phone.locator("textarea").fill("这里不是我的单位")
    answer(phone, "question")
    expect(phone.locator("main")).to_contain_text("全部回答完毕")
    phone.goto(f"{link}/2")
    expect(phone.locator("#sheet rect")).to_have_count(1)

    with Session(vault) as session:
        (said,) = answers_of(session, ids[1])
        ((left, top), _, (right, bottom), _) = said.places[0]
        width, height = 620, 877
        assert (left / width, right / width) == pytest.approx((0.2, 0.6), abs=0.02)
        assert (top / height, bottom / height) == pytest.approx((0.2, 0.3), abs=0.02)
    decide(clerk, office, vault, ids)


def decide(clerk: Page, office: Office, vault: Any, ids: list[int]) -> None:
    """The clerk follows one answer beside its page and declines the other."""
    clerk.goto(f"/rounds/{office.made.round_id}/selfcheck/answers")
    expect(clerk.locator("article.answer")).to_have_count(2)
    assert serious(clerk) == []
    clerk.goto(f"/pages/{ids[1]}")
    told = clerk.locator("section.told")
    expect(told).to_contain_text("签名没有遮住")
    assert serious(clerk) == []
    before = clerk.locator("#masks li").count()
    told.get_by_role("button", name="采纳：遮盖所圈之处").click()
    expect(clerk.locator("#masks li")).to_have_count(before + 1)
    expect(clerk.locator("section.told")).to_contain_text("已采纳")
    clerk.goto(f"/pages/{ids[2]}")
    told = clerk.locator("section.told")
    told.get_by_role("button", name="不采纳").click()
    expect(clerk.get_by_role("alert")).to_contain_text("请写明理由")
    clerk.goto(f"/pages/{ids[2]}")
    told.locator("textarea").fill("是本人曾任职单位")
    told.get_by_role("button", name="不采纳").click()
    expect(clerk.locator("section.told")).to_contain_text("是本人曾任职单位")
    with Session(vault) as session:
        page = session.get_one(PageRow, ids[1])
        assert masks_of(session, page)[-1]["finder"] == "applicant"
        assert page.state == "checking"
    clerk.goto(f"/rounds/{office.made.round_id}/selfcheck/answers")
    expect(clerk.locator("article.answer")).to_have_count(0)


def test_a_link_opens_no_other_dossier_and_nothing_once_it_has_expired(
    furnished_office: Office, open_as: OpenAs, phone: Page
) -> None:
    office = furnished_office
    clerk = open_as("clerk", DESKTOP)
    link = link_for(clerk, office, 2)
    phone.goto(link)
    expect(phone.locator("main")).to_contain_text("未回答")
    content = phone.content()
    assert "诸葛2" not in content
    assert "诸＊＊" in content
    pictures = phone.locator("ol.thumbs img").count()
    for path, status in (
        (f"{link}/{pictures + 1}", 404),
        (f"{link}/0", 404),
        (f"{link}/1/source.jpg", 404),
        (f"{link[:-1]}x", 404),
        (f"/rounds/{office.made.round_id}", 302),
        (f"/pages/{office.made.pages[0]}", 302),
    ):
        assert phone.request.get(path, max_redirects=0).status == status, path
    vault = open_store(office.settings.vault_url)
    with Session(vault) as session, session.begin():
        before = len(session.scalars(select(CheckAnswer.id)).all())
        session.execute(
            update(CheckLink)
            .where(CheckLink.entrant_id == office.made.entrants[1])
            .values(expires_at="2001-01-01T00:00:00+00:00")
        )
    # The page is still on the screen; what is sent from it comes too late.
    phone.goto("about:blank")
    answered = phone.goto(f"{link}/1")
    assert answered is not None
    assert answered.status == 410
    expect(phone.get_by_role("alert")).to_contain_text("过期")
    assert phone.request.get(f"{link}/1/screen.jpg").status == 410
    with Session(vault) as session:
        assert len(session.scalars(select(CheckAnswer.id)).all()) == before


def test_an_answer_from_a_page_left_open_is_refused_after_the_link_was_taken_back(
    furnished_office: Office, open_as: OpenAs, phone: Page
) -> None:
    office = furnished_office
    clerk = open_as("clerk", DESKTOP)
    link = link_for(clerk, office, 2)
    phone.goto(f"{link}/1")
    clerk.goto(f"/rounds/{office.made.round_id}/selfcheck")
    clerk.get_by_role("button", name=re.compile("收回.*诸葛2")).click()
    expect(clerk.get_by_role("status")).to_contain_text("链接已收回")
    phone.locator(".choices label:has(input[value=no])").tap()
    phone.get_by_role("button", name="保存，下一页").tap()
    expect(phone.get_by_role("alert")).to_contain_text("收回")

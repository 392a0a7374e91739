"""The secretary prints cards, a tablet comes in by the QR code, and is out when its card goes."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.accounts import create_account, sign_in
from models.base import open_store
from models.review import Round
from models.review_sheets import Sheet
from tests.e2e.conftest import DESKTOP, PASSWORD, TABLET, serious, watch
from tests.webapp.committee_round import CommitteeRound, furnish_committee, submit
from tests.webapp.serving_process import free_port
from webapp.office.app import COOKIE, create_office
from webapp.review.app import create_review
from webapp.serving import prepare
from webapp.settings import Settings, review_settings

PASTED = "王红 农科院\n赵海 塔里木大学 实验技术\n钱进 第2中学\n孙敏 水利局"


@dataclass(frozen=True)
class Both:
    """Both apps on one installation."""

    office: str
    experts: str
    made: CommitteeRound
    settings: Settings
    token: str


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    import waitress

    settings = Settings(
        data=tmp_path_factory.mktemp("both") / "data", port=free_port(), review_port=free_port()
    )
    prepare(settings)
    vault, review = open_store(settings.vault_url), open_store(settings.review_url)
    with Session(vault) as session, session.begin():
        create_account(session, login="secretary", name="马秘书", role="secretary",
                       password=PASSWORD, by="test")  # fmt: skip
        token = sign_in(session, login="secretary", password=PASSWORD, device="-", address="-")
    made = furnish_committee(vault, review, dossiers=5, seats=0)
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
    address = "http://127.0.0.1"
    yield Both(f"{address}:{settings.port}", f"{address}:{settings.port_of_review}", made,
               settings, str(token))  # fmt: skip
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def desk(browser: Browser, both: Both) -> Iterator[Page]:
    context = browser.new_context(base_url=both.office, reduced_motion="reduce", **DESKTOP)
    context.add_cookies([{"name": COOKIE, "value": both.token, "url": both.office}])
    page = context.new_page()
    wrong = watch(page)
    yield page
    context.close()
    assert wrong == []


def test_1_experts_are_pasted_and_dossiers_given_out(desk: Page, both: Both) -> None:
    at = f"/rounds/{both.made.round_id}"
    desk.goto(f"{at}/seats")
    desk.locator("textarea[name=pasted]").fill(PASTED)
    desk.get_by_role("button", name="登记", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("已登记 4 名专家")
    desk.get_by_role("link", name="分配材料").click()
    expect(desk.locator("main")).to_contain_text("同一单位（第2中学）")
    assert serious(desk) == []
    desk.get_by_role("button", name="将勾选的记录为回避").click()
    desk.get_by_label("每份材料的评委数").fill("2")
    desk.get_by_role("button", name="预览", exact=True).click()
    expect(desk.locator("main")).to_contain_text("新分配 10 份")
    desk.get_by_role("button", name="执行分配").click()
    expect(desk.locator("table.board tbody tr")).to_have_count(5)
    assert serious(desk) == []


def test_2_a_tablet_signs_in_by_the_codes_address_and_is_out_when_revoked(
    browser: Browser, desk: Page, both: Both
) -> None:
    at = f"/rounds/{both.made.round_id}"
    desk.goto(f"{at}/seats")
    desk.get_by_role("button", name="为无卡席位发卡并打印").click()
    cards = desk.locator(".seat-card")
    expect(cards).to_have_count(4)
    assert serious(desk) == []
    card = cards.nth(0)
    picture = Image.open(io.BytesIO(card.locator(".code-box").screenshot()))
    address = zxingcpp.read_barcodes(picture)[0].text
    assert address.startswith(f"{both.experts}/card/")
    assert address == card.locator(".address").inner_text()
    context = browser.new_context(**TABLET)
    tablet = context.new_page()
    tablet.goto(address)
    tablet.get_by_label("PIN 或密码").fill("000000x")
    tablet.get_by_role("button", name="登录").tap()
    expect(tablet.get_by_role("alert")).to_be_visible()
    tablet.get_by_label("PIN 或密码").fill(card.locator(".pin").inner_text().replace(" ", ""))
    tablet.get_by_role("button", name="登录").tap()
    with Session(open_store(both.settings.review_url)) as session:
        mine = session.scalars(select(Sheet.code).filter_by(reviewer="R01")).all()
    assert mine
    for code in mine:
        expect(tablet.locator("main")).to_contain_text(code)
    desk.goto(f"{at}/tablets")
    expect(desk.locator("tbody").first).to_contain_text("王红")
    expect(desk.locator("main")).to_contain_text("拒绝：卡号或 PIN 不对")
    desk.goto(f"{at}/seats")
    desk.get_by_role("button", name="R01 收回卡片").click()
    expect(desk.get_by_role("status")).to_contain_text("R01 的卡片已收回")
    tablet.reload()
    expect(tablet).to_have_url(f"{both.experts}/sign-in")
    context.close()


def test_3_what_blocks_the_lock_is_followed_and_mended(desk: Page, both: Both) -> None:
    at = f"/rounds/{both.made.round_id}/board/lock"
    review = open_store(both.settings.review_url)
    submit(review, both.made.review_id, but=1)
    desk.goto(at)
    assert serious(desk) == []
    blocking = desk.locator("section.problems li a").first
    code, seat = blocking.inner_text().split(" × ")
    blocking.click()
    recusal = desk.get_by_role("region", name="记录回避")
    recusal.get_by_label("席位").select_option(seat)
    recusal.get_by_label("理由（不写姓名和单位）").fill("师生关系")
    recusal.get_by_role("button", name="记录回避").click()
    expect(desk.get_by_role("status")).to_contain_text(f"{seat} 对 {code} 的回避")
    desk.get_by_role("button", name="最合适").click()
    expect(desk.get_by_role("status")).to_contain_text(f"{code} 已分给")
    submit(review, both.made.review_id)
    desk.goto(at)
    desk.get_by_label("我已核对").check()
    desk.get_by_role("button", name="锁定盲评分数").click()
    expect(desk.locator("main")).to_contain_text("之后的更正须写明理由")
    with Session(review) as session:
        assert session.get_one(Round, both.made.review_id).phase == "locked"

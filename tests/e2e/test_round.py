"""From an empty start to released dossiers in Chromium, with kills in the middle of the work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models.base import open_store
from models.review_pages import ReleasedPage
from models.vault_pages import Job, PageEdit
from models.vault_pages import Page as PageRow
from models.vault_rounds import Entrant
from tests.e2e.conftest import DESKTOP, PASSWORD, TABLET, drag_by_touch, serious, watch
from tests.redactor.golden.sets import PEOPLE, page_about, save, write_roster
from tests.webapp.serving_process import Serving, wait_until
from webapp.settings import Settings

NAMES = [PEOPLE[0][1], PEOPLE[1][1]]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("story") / "data").wait()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def vault(serving: Serving) -> Engine:
    return open_store(Settings(data=serving.data).vault_url).execution_options(read_only=True)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two applicants with three small pages, and their roster."""
    folder = tmp_path_factory.mktemp("scans")
    for number, name in ((1, NAMES[0]), (2, NAMES[0]), (3, NAMES[1])):
        owner = f"{NAMES.index(name) + 1:02d}{name}"
        save(page_about(name, number), folder / "材料" / owner / f"{name}-证书{number}.jpg")
    write_roster(folder / "花名册.csv", PEOPLE[:2])
    return folder


@pytest.fixture(scope="module")
def desk(browser: Browser, serving: Serving) -> Iterator[Page]:
    """The administrator's own desktop, kept through the whole round."""
    context = browser.new_context(base_url=serving.url, **DESKTOP)
    page = context.new_page()
    wrong = watch(page)
    yield page
    context.close()
    assert [text for text in wrong if "ERR_CONNECTION_REFUSED" not in text] == []


def sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出", exact=True)).to_be_visible()


def count(vault: Engine, statement: Any) -> int:
    with Session(vault) as session:
        return int(session.scalar(statement) or 0)


def waiting(vault: Engine) -> int:
    return count(vault, select(func.count()).where(Job.state.in_(("waiting", "running"))))


def wait_for_runner(vault: Engine) -> None:
    wait_until(lambda: waiting(vault) == 0, "the runner to finish", 240)


def round_address(page: Page) -> str:
    found = re.search(r"/rounds/\d+", page.url)
    assert found, page.url
    return found.group(0)


def test_1_the_one_time_link_makes_the_administrator(serving: Serving, desk: Page) -> None:
    desk.goto(serving.link)
    desk.get_by_label("登录名").fill("chief")
    desk.get_by_label("姓名").fill("王主任")
    desk.get_by_label("密码（至少 10 个字符）").fill(PASSWORD)
    desk.get_by_role("button", name="建立", exact=True).click()
    sign_in(desk, "chief")
    desk.goto(serving.link)
    expect(desk.get_by_role("alert")).to_contain_text("此链接已使用或已过期")
    desk.goto("/accounts")
    desk.get_by_label("登录名").fill("clerk")
    desk.get_by_label("姓名").fill("陈经办")
    desk.locator("label select[name=role]").select_option("clerk")
    desk.get_by_label("初始密码（至少 10 个字符）").fill(PASSWORD)
    desk.get_by_role("button", name="建立账号", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("账号已建立")


def test_2_a_round_with_its_roster(desk: Page, scans: Path, vault: Engine) -> None:
    desk.goto("/rounds/new")
    desk.get_by_label("批次名称").fill("2026年度科技系列")
    desk.get_by_label("年度", exact=True).fill("2026")
    desk.get_by_label("评委会人数").fill("9")
    desk.locator("input[name=policy][value=science_bazhou_2024]").check()
    desk.get_by_role("button", name="保存", exact=True).click()
    expect(desk.locator("h1")).to_contain_text("2026年度科技系列")
    desk.goto(round_address(desk) + "/roster")
    desk.locator("input[name=roster]").set_input_files(scans / "花名册.csv")
    desk.get_by_role("button", name="预览", exact=True).click()
    desk.get_by_role("button", name="确认导入", exact=True).click()
    for name in NAMES:
        expect(desk.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert count(vault, select(func.count(Entrant.id))) == 2


def test_3_a_folder_is_uploaded_and_done_though_everything_is_killed(
    serving: Serving, desk: Page, scans: Path, vault: Engine
) -> None:
    desk.goto(round_address(desk) + "/uploads")
    desk.locator("#pick-folder").set_input_files(scans / "材料")
    expect(desk.locator("#done")).to_be_visible()
    running = select(func.count()).where(Job.state == "running")
    wait_until(lambda: count(vault, running) > 0, "the runner to begin")
    for process in serving.parts():
        process.kill()
    wait_until(serving.answers, "the office to come back")
    desk.goto(round_address(desk) + "/progress")
    wait_for_runner(vault)
    expect(desk.locator("#state")).to_contain_text("3 / 3")
    pages = select(func.count(PageRow.id))
    assert count(vault, pages) == 3
    assert count(vault, select(func.max(Job.attempts))) == 2  # one job was begun twice


def test_4_an_edit_by_touch_is_proven_and_undone(
    browser: Browser, serving: Serving, desk: Page, vault: Engine
) -> None:
    context = browser.new_context(base_url=serving.url, **TABLET)
    tablet = context.new_page()
    wrong = watch(tablet)
    sign_in(tablet, "clerk")
    tablet.goto(round_address(desk) + "/pages?state=all")
    tablet.locator("table.pages a").first.tap()
    expect(tablet.locator("#masks li")).to_have_count(1)
    before = tablet.locator("#masks li").count()
    tablet.locator("#draw").tap()
    drag_by_touch(tablet, "#pane-source .sheet", (0.2, 0.6), (0.5, 0.8))
    expect(tablet.locator("#masks li")).to_have_count(before + 1)
    expect(tablet.locator("#status .state.clean")).to_be_visible(timeout=90_000)
    assert count(vault, select(func.count()).select_from(PageEdit)) >= 1
    tablet.locator("#undo").tap()
    expect(tablet.locator("#masks li")).to_have_count(before)
    expect(tablet.locator("#status .state.clean")).to_be_visible(timeout=90_000)
    wait_for_runner(vault)
    tablet.reload()
    tablet.locator("#redo").tap()
    expect(tablet.locator("#masks li")).to_have_count(before + 1)
    wait_for_runner(vault)
    tablet.locator("#answer-no").tap()
    expect(tablet).not_to_have_url(re.compile("/sign-in"))
    assert count(vault, select(func.count()).where(PageRow.decision == "accepted")) == 1
    context.close()
    assert wrong == []


def test_6_the_dossiers_are_released_and_tell_nothing(
    browser: Browser, serving: Serving, desk: Page, vault: Engine
) -> None:
    address = round_address(desk)
    desk.goto(address + "/release")
    assert serious(desk) == []
    desk.get_by_role("button", name="申请放行全部").click()
    expect(desk.locator("#going")).to_contain_text("等待另一人确认")
    context = browser.new_context(base_url=serving.url, **DESKTOP)
    second = context.new_page()
    sign_in(second, "clerk")
    second.goto(address + "/release")
    second.get_by_role("button", name="确认放行全部").click()
    expect(second.locator("main")).to_contain_text("全部已放行")
    context.close()
    settings = Settings(data=serving.data)
    store = open_store(settings.review_url).execution_options(read_only=True)
    with Session(store) as review, Session(vault) as session:
        released = review.scalars(select(ReleasedPage)).all()
        codes = set(session.scalars(select(Entrant.code)))
        hashes = set(session.scalars(select(PageRow.staged_sha256)))
    assert len(released) == 3
    assert {page.code for page in released} == codes
    assert {page.sha256 for page in released} == hashes
    files = [path for path in settings.blind.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".jpg"]) == 3
    told = json.dumps([str(path) for path in settings.blind.rglob("*")], ensure_ascii=False)
    told += "".join(path.read_bytes().decode("latin-1") for path in files)
    raw = (settings.data / "review" / "review.db").read_bytes()
    for name in NAMES:
        assert name not in told
        assert name.encode() not in raw
    desk.goto(address + "/release")
    expect(desk.get_by_role("button", name="申请放行全部")).to_have_count(0)

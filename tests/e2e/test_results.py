"""Forty candidates under each notice in Chromium: from locked scores to archive, roster, notice."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from models.accounts import create_account, sign_in
from models.base import open_store
from tests.e2e.conftest import DESKTOP, PASSWORD, TABLET, serious, watch
from tests.webapp.result_round import NOTICES, ResultRound, furnish_result, name_of
from tests.webapp.serving_process import free_port
from tests.webapp.test_unseal import workbook
from webapp.answering import ready_to_answer
from webapp.archive_proof import verify_archive
from webapp.cli import app as mangping
from webapp.office.app import COOKIE, create_office
from webapp.serving import prepare
from webapp.settings import Settings

CANDIDATES = 40


@dataclass(frozen=True)
class Table:
    """A running office whose secretary is signed in, with a round under each notice."""

    url: str
    token: str
    rounds: dict[str, ResultRound]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    import waitress

    settings = Settings(data=tmp_path_factory.mktemp("table") / "data", port=free_port())
    prepare(settings)
    vault, review = open_store(settings.vault_url), open_store(settings.review_url)
    with Session(vault) as session, session.begin():
        for login in ("secretary", "admin"):
            create_account(
                session, login=login, name=login, role=login, password=PASSWORD, by="test"
            )
        token = sign_in(session, login="secretary", password=PASSWORD, device="-", address="-")
    rounds = {
        notice: furnish_result(vault, review, notice=notice, candidates=CANDIDATES)
        for notice in NOTICES
    }
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        ready_to_answer(create_office(settings)), host="127.0.0.1", port=settings.port, threads=4
    )
    threading.Thread(target=server.run, daemon=True).start()
    yield Table(f"http://127.0.0.1:{settings.port}", str(token), rounds)
    server.close()


@pytest.fixture
def desk(browser: Browser, table: Table) -> Iterator[Page]:
    context = browser.new_context(base_url=table.url, reduced_motion="reduce", **DESKTOP)
    cookies = {COOKIE: table.token, "mp_language": "zh"}
    context.add_cookies([{"name": n, "value": v, "url": table.url} for n, v in cookies.items()])
    page = context.new_page()
    wrong = watch(page)
    yield page
    context.close()
    assert wrong == []


def confirmed(page: Page, button: str) -> None:
    """Ticks the box of the form with this button, and presses it."""
    form = page.locator("form").filter(has=page.get_by_role("button", name=button, exact=True))
    for box in form.get_by_role("checkbox").all():
        box.check()
    form.get_by_role("button", name=button, exact=True).click()


def download(page: Page, name: str, to: Path, role: str = "link") -> Path:
    with page.expect_download() as waiting:
        page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]
    waiting.value.save_as(to)
    return to


@pytest.mark.parametrize("notice", NOTICES)
def test_from_locked_scores_to_the_notice(
    notice: str, desk: Page, table: Table, tmp_path: Path
) -> None:
    made = table.rounds[notice]
    desk.goto(f"/rounds/{made.round_id}")
    desk.get_by_role("link", name="结果 预览").click()
    expect(desk.get_by_text("预览，非正式结果")).to_be_visible()
    expect(desk.locator("table.results tbody tr")).to_have_count(CANDIDATES)
    shown = desk.locator("table.results tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[1].innerText, row.cells[0].innerText,"
        " row.cells[9].innerText, row.cells[11].innerText.slice(2)])"
    )
    desk.get_by_role("link", name="锁定汇总与文件").click()
    round_file = download(desk, "round.json", tmp_path / "round.json")
    policy = download(desk, "office.toml", tmp_path / "office.toml")
    confirmed(desk, "锁定汇总")
    expect(desk.get_by_text("汇总已锁定并编号")).to_be_visible()
    frozen = download(desk, "RESULT.json", tmp_path / "frozen.json")
    again = tmp_path / "again.json"
    told = CliRunner().invoke(
        mangping,
        ["tally", str(round_file), "--policy", str(policy), "--out", str(tmp_path / "r.xlsx"),
         "--json", str(again)],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert again.read_bytes() == frozen.read_bytes()
    result = json.loads(frozen.read_text("utf-8"))
    words = {"pass": "通过", "fail": "未通过", "undetermined": "待裁定"}
    said = [
        [item["code"], str(item["rank"] or "—"),
         item["total"]["rounded"] if item["total"] else "—", words[item["decision"]]]
        for item in result["candidates"]
    ]  # fmt: skip
    assert sorted(shown) == sorted(said)
    confirmed(desk, "结束本轮")
    desk.get_by_role("button", name="生成归档包").click()
    expect(desk.get_by_text("已生成")).to_be_visible()
    proof = verify_archive(download(desk, "下载归档包", tmp_path / "archive.zip", "button"))
    assert proof.problems == [] and proof.tallies[1] == result["sha256"]
    assert proof.head is not None
    expect(desk.get_by_text(proof.head.hash).first).to_be_visible()
    _unsealed(desk, made, result, tmp_path)


def _unsealed(desk: Page, made: ResultRound, result: dict[str, object], folder: Path) -> None:
    """Two persons open the key, the roster is filled in, the notice is posted if it may be."""
    desk.get_by_role("link", name="启封与花名册").click()
    confirmed(desk, "申请启封")
    expect(desk.get_by_text(name_of(1))).to_have_count(0)
    desk.get_by_label("登录名").fill("admin")
    desk.get_by_label("本人密码").fill(PASSWORD)
    desk.get_by_role("button", name="确认启封").click()
    expect(desk.get_by_role("row").filter(has_text=made.codes[0])).to_contain_text(name_of(1))
    roster = {"name": "花名册.xlsx", "mimeType": "application/xlsx", "buffer": workbook(CANDIDATES)}
    desk.get_by_label("上传花名册原件").set_input_files(roster)  # type: ignore[arg-type]
    desk.get_by_role("button", name="上传", exact=True).click()
    path = download(desk, "填写并下载", folder / "roster.xlsx", "button")
    sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))["花名册"]
    candidates: list[dict[str, str]] = result["candidates"]  # type: ignore[assignment]
    decided = {item["code"]: item["decision"] for item in candidates}
    words = {"pass": "是", "fail": "否", "undetermined": "待裁定"}
    filled = [sheet.cell(n + 3, 11).value for n in range(1, CANDIDATES + 1)]
    assert filled == [words[decided[code]] for code in made.codes]
    desk.get_by_role("link", name="公示", exact=True).click()
    desk.get_by_label("张贴日期").fill("2024-09-30")
    desk.get_by_label("公示地点").fill("办公楼一层")
    desk.get_by_label("受理电话、地址").fill("2012345")
    desk.get_by_role("button", name="登记公示").click()
    if "undetermined" in decided.values():
        expect(desk.get_by_text("仍有待裁定的候选人")).to_be_visible()
    else:
        expect(desk.get_by_text("最早于 2024-10-12 下班后结束")).to_be_visible()


@pytest.mark.parametrize("device", [DESKTOP, TABLET], ids=["desktop", "tablet"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_the_result_passes_axe(
    browser: Browser, table: Table, device: dict[str, object], language: str
) -> None:
    made = table.rounds["science"]
    context = browser.new_context(base_url=table.url, reduced_motion="reduce", **device)  # type: ignore[arg-type]
    cookies = {COOKIE: table.token, "mp_language": language}
    context.add_cookies([{"name": n, "value": v, "url": table.url} for n, v in cookies.items()])
    page = context.new_page()
    wrong = watch(page)
    for path in ("results?trim=yes", "results/statistics", "tally", "signed", "unseal", "notice"):
        page.goto(f"/rounds/{made.round_id}/{path}")
        assert serious(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
    context.close()
    assert wrong == []

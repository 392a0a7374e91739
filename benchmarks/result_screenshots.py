"""Pictures of the secretary's pages from preview to notice, taken in Chromium on a made-up round.

python benchmarks/result_screenshots.py
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import waitress
from playwright.sync_api import Page, sync_playwright
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.accounts import create_account, sign_in
from models.base import open_store
from tests.e2e.conftest import DESKTOP, PASSWORD, chromium
from tests.webapp.result_round import furnish_result, policy_text
from tests.webapp.serving_process import free_port
from tests.webapp.test_unseal import workbook
from webapp.office.app import COOKIE, create_office
from webapp.serving import prepare
from webapp.settings import Settings

TARGET = Path(__file__).parents[1] / "docs" / "screenshots"
POLICY = policy_text("science").replace('pass_score = "60"', 'pass_score = "55"')


def main(data: Path) -> None:
    settings = Settings(data=data, port=free_port())
    prepare(settings)
    vault, review = open_store(settings.vault_url), open_store(settings.review_url)
    with Session(vault) as session, session.begin():
        for login in ("secretary", "admin"):
            create_account(
                session, login=login, name="马秘书", role=login, password=PASSWORD, by="office"
            )
        token = sign_in(session, login="secretary", password=PASSWORD, device="-", address="-")
    made = furnish_result(vault, review, candidates=40, policy=POLICY)
    server = waitress.create_server(create_office(settings), host="127.0.0.1", port=settings.port)
    threading.Thread(target=server.run, daemon=True).start()
    url = f"http://127.0.0.1:{settings.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        context = browser.new_context(base_url=url, reduced_motion="reduce", **DESKTOP)
        cookies = {COOKIE: str(token), "mp_language": "zh"}
        context.add_cookies([{"name": n, "value": v, "url": url} for n, v in cookies.items()])
        walk(context.new_page(), f"/rounds/{made.round_id}", made.codes[0])
        browser.close()
    server.close()


def walk(page: Page, base: str, code: str) -> None:
    page.goto(f"{base}/results")
    save(page, "results")
    page.goto(f"{base}/results?trim=yes&seat=R01&code={code}")
    page.evaluate("document.getElementById('what-if').scrollIntoView()")
    save(page, "what-if")
    page.goto(f"{base}/results/statistics")
    save(page, "statistics")
    page.goto(f"{base}/tally")
    press(page, "锁定汇总")
    press(page, "结束本轮")
    press(page, "生成归档包")
    save(page, "tally")
    sheets = page.request.get(f"{base}/signed/sheets/R01.pdf").body()
    page.goto(f"{base}/signed")
    scan = {"name": "R01.pdf", "mimeType": "application/pdf", "buffer": sheets}
    page.locator("input[type=file]").set_input_files(scan)  # type: ignore[arg-type]
    press(page, "上传")
    save(page, "signed-sheets")
    page.goto(f"{base}/unseal")
    press(page, "申请启封")
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("本人密码").fill(PASSWORD)
    press(page, "确认启封")
    roster = {"name": "花名册.xlsx", "mimeType": "application/xlsx", "buffer": workbook(40)}
    page.locator("input[type=file]").set_input_files(roster)  # type: ignore[arg-type]
    press(page, "上传")
    save(page, "unsealed")
    page.goto(f"{base}/notice")
    page.get_by_label("张贴日期").fill("2024-09-30")
    page.get_by_label("公示地点").fill("办公楼一层公告栏")
    page.get_by_label("受理电话、地址").fill("二楼办公室")
    press(page, "登记公示")
    save(page, "notice")


def press(page: Page, button: str) -> None:
    """Ticks what the button's form asks for, and presses it."""
    form = page.locator("form").filter(has=page.get_by_role("button", name=button, exact=True))
    for box in form.get_by_role("checkbox").all():
        box.check()
    form.get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state("networkidle")


def save(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=72)
    print(TARGET / f"{name}.jpg")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mangping-") as folder:
        main(Path(folder) / "data")

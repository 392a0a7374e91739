"""Pictures of the office's pages for docs/screenshots, taken in Chromium on the demo's office.

mangping demo && python benchmarks/screenshots.py demo-output/office CLERK_PASS SECRETARY_PASS
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import waitress
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import func, select
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.base import open_store
from models.vault_pages import Page as PageRow
from tests.e2e.conftest import DESKTOP, TABLET, chromium
from tests.webapp.serving_process import free_port
from webapp.office.app import create_office
from webapp.settings import Settings

TARGET = Path(__file__).parents[1] / "docs" / "screenshots"


def main(data: Path, password: str, secretary: str) -> None:
    settings = Settings(data=data, port=free_port())
    url = f"http://127.0.0.1:{settings.port}"
    server = waitress.create_server(create_office(settings), host="127.0.0.1", port=settings.port)
    threading.Thread(target=server.run, daemon=True).start()
    with Session(open_store(settings.vault_url)) as session:
        # A page with many kinds of masks shows most.
        shown, round_id = session.execute(
            select(PageRow.id, PageRow.round_id)
            .order_by(func.length(PageRow.kinds).desc())
            .limit(1)
        ).one()
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(base_url=url, reduced_motion="reduce", **DESKTOP)
        sign_in(page, password)
        for name, path in (
            ("round", f"/rounds/{round_id}"),
            ("progress", f"/rounds/{round_id}/progress"),
            ("queue", f"/rounds/{round_id}/pages?state=all"),
            ("page", f"/pages/{shown}"),
            ("dashboard", f"/rounds/{round_id}/dashboard"),
        ):
            take(page, path, name)
        tablet = browser.new_page(base_url=url, reduced_motion="reduce", **TABLET)
        sign_in(tablet, password)
        take(tablet, f"/pages/{shown}", "page-tablet")
        table = browser.new_page(base_url=url, reduced_motion="reduce", **DESKTOP)
        sign_in(table, secretary, "secretary")
        take(table, f"/rounds/{round_id}/board", "board")
        take(table, f"/rounds/{round_id}/assignment", "assignment")
        table.goto(f"/rounds/{round_id}/seats")
        table.get_by_role("button", name="为无卡席位").click()
        table.wait_for_load_state("networkidle")
        save(table, "cards")
        browser.close()
    server.close()


def sign_in(page: Page, password: str, login: str = "clerk") -> None:
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/")


def take(page: Page, path: str, name: str) -> None:
    page.goto(path, wait_until="networkidle")
    save(page, name)


def save(page: Page, name: str) -> None:
    page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=72)
    print(TARGET / f"{name}.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

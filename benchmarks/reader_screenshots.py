"""Pictures of the experts' pages for docs/screenshots, taken in Chromium on the demo's round.

mangping demo && python benchmarks/reader_screenshots.py demo-output/office CARD_NUMBER PIN
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import waitress
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.conftest import TABLET, chromium
from tests.webapp.serving_process import free_port
from webapp.review.app import create_review
from webapp.settings import Settings, review_settings

TARGET = Path(__file__).parents[1] / "docs" / "screenshots"
PORTRAIT = {**TABLET, "viewport": {"width": 768, "height": 1024}}
NOT_SUBMITTED = ".dossier:not(.submitted) a.open"


def main(data: Path, number: str, pin: str) -> None:
    settings = Settings(data=data, port=free_port())
    port = free_port()
    app = create_review(review_settings(settings))
    server = waitress.create_server(app, host="127.0.0.1", port=port, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        url = f"http://127.0.0.1:{port}"
        wide = signed_in(browser, url, TABLET, number, pin)
        take(wide, "reviewer-list")
        open_dossier(wide)
        take(wide, "reader")
        wide.locator("#open-list").tap()
        wide.wait_for_timeout(2_000)
        take(wide, "reader-pages")
        high = signed_in(browser, url, PORTRAIT, number, pin)
        open_dossier(high)
        high.locator("#panel-handle").tap()
        high.wait_for_timeout(1_000)
        take(high, "reader-portrait")
        browser.close()
    server.close()


def signed_in(browser: Browser, url: str, device: dict[str, object], number: str, pin: str) -> Page:
    page = browser.new_page(base_url=url, reduced_motion="reduce", **device)  # type: ignore[arg-type]
    page.goto(f"/card/{number}")
    page.get_by_label("PIN").fill(pin)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/")
    return page


def open_dossier(page: Page) -> None:
    """The one that is left to score, else the first; on a page in the middle."""
    left = page.locator(NOT_SUBMITTED)
    (left if left.count() else page.locator("a.open")).first.tap()
    page.locator("#paper img").wait_for()
    for _ in range(4):
        page.locator("#next").tap()
    page.locator("#paper img").wait_for()
    page.wait_for_timeout(1_000)


def take(page: Page, name: str) -> None:
    page.screenshot(path=TARGET / f"{name}.jpg", type="jpeg", quality=72)
    print(TARGET / f"{name}.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

"""Real Chromium on a real server: Debian's browser, driven by Playwright, which brings none."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.orm import Session

from models.accounts import create_account, sign_in
from models.base import open_store
from models.migration import migrate
from models.vault_accounts import ROLES
from tests.webapp.furnished import Furnished, furnish
from tests.webapp.review.conftest import settings_in
from tests.webapp.review_round import ReviewRound, furnish_review
from tests.webapp.serving_process import free_port
from webapp.answering import ready_to_answer
from webapp.office.app import COOKIE, create_office
from webapp.review.app import COOKIE as SEAT_COOKIE
from webapp.review.app import create_review
from webapp.serving import prepare
from webapp.settings import ReviewSettings, Settings

HOME = Path(__file__).parents[2]
AXE = HOME / "webapp" / "static" / "vendor" / "axe.min.js"
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": False}
PASSWORD = "correct horse battery"
NO_BROWSER = (
    "没有找到 Chromium，端到端测试已跳过。Debian、Ubuntu 请运行 sudo apt-get install chromium。 / "
    "No Chromium was found, so the end-to-end tests were skipped. On Debian and Ubuntu: "
    "sudo apt-get install chromium."
)
expect.set_options(timeout=20_000)


def chromium() -> str | None:
    """The machine's own browser."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if chromium() is None:
        terminalreporter.write_line(NO_BROWSER, yellow=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium() is None:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    return {
        "executable_path": chromium(),
        "args": ["--no-sandbox", "--disable-gpu", "--no-first-run", *quiet],
    }


@dataclass(frozen=True)
class Office:
    """A running office with rows but no OCR. `tokens`: role -> the cookie of a signed-in person."""

    url: str
    made: Furnished
    settings: Settings
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def furnished_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Two applicants with pages of every state, served by a thread; the runner does not run."""
    import waitress

    settings = Settings(data=tmp_path_factory.mktemp("office") / "data", port=free_port())
    prepare(settings)
    engine = open_store(settings.vault_url)
    tokens = {}
    with Session(engine) as session, session.begin():
        for role in ROLES:
            create_account(
                session, login=role, name="王主任", role=role, password=PASSWORD, by="test"
            )
            token = sign_in(session, login=role, password=PASSWORD, device="-", address="-")
            tokens[role] = str(token)
    made = furnish(engine, settings, pages=5)
    # A browser asks for many small files at once.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        ready_to_answer(create_office(settings)), host="127.0.0.1", port=settings.port, threads=4
    )
    threading.Thread(target=server.run, daemon=True).start()
    yield Office(f"http://127.0.0.1:{settings.port}", made, settings, tokens)
    server.close()


@pytest.fixture(params=["desktop", "tablet"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DESKTOP if request.param == "desktop" else TABLET


@pytest.fixture
def open_as(browser: Browser, furnished_office: Office) -> Iterator[Any]:
    """A page of somebody who is signed in; errors of its scripts fail the test."""
    made: list[tuple[BrowserContext, list[str]]] = []

    def open_as(role: str, device: dict[str, Any], language: str = "zh") -> Page:
        # A colour on its way from one to another would be measured as it passes.
        context = browser.new_context(
            base_url=furnished_office.url, reduced_motion="reduce", **device
        )
        cookies = {COOKIE: furnished_office.tokens[role], "mp_language": language}
        context.add_cookies(
            [{"name": n, "value": v, "url": furnished_office.url} for n, v in cookies.items()]
        )
        page = context.new_page()
        made.append((context, watch(page)))
        return page

    yield open_as
    for context, wrong in made:
        context.close()
        assert wrong == []


@dataclass(frozen=True)
class ReviewDesk:
    """The experts' app, running: one round, every dossier assigned to every seat."""

    url: str
    made: ReviewRound
    settings: ReviewSettings


@pytest.fixture(scope="module")
def review_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewDesk]:
    """Dossiers of seven pages and seats that are signed in, served by a thread."""
    import waitress

    settings = settings_in(tmp_path_factory.mktemp("review"))
    settings.folder.mkdir()
    store = open_store(settings.database)
    migrate(store, "review")
    made = furnish_review(store, settings, dossiers=6, pages=7, seats=3)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    port = free_port()
    server = waitress.create_server(create_review(settings), host="127.0.0.1", port=port, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield ReviewDesk(f"http://127.0.0.1:{port}", made, settings)
    server.close()


@pytest.fixture
def tablet_of(browser: Browser, review_desk: ReviewDesk) -> Iterator[Any]:
    """A tablet that is signed in as a seat; errors of its scripts fail the test."""
    opened: list[tuple[BrowserContext, list[str]]] = []

    def tablet_of(seat: str, device: dict[str, Any] = TABLET, language: str = "zh") -> Page:
        context = browser.new_context(base_url=review_desk.url, reduced_motion="reduce", **device)
        cookies = {SEAT_COOKIE: review_desk.made.tokens[seat], "mp_language": language}
        context.add_cookies(
            [{"name": n, "value": v, "url": review_desk.url} for n, v in cookies.items()]
        )
        page = context.new_page()
        opened.append((context, watch(page)))
        return page

    yield tablet_of
    for context, wrong in opened:
        context.close()
        assert wrong == []


def watch(page: Page) -> list[str]:
    """Collects what goes wrong in a page's scripts, blocked inline code among it."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))

    def said(message: Any) -> None:
        # Pictures of failed pages are no fault of the scripts.
        if message.type == "error" and "Failed to load resource" not in message.text:
            wrong.append(f"{page.url}: {message.text}")

    page.on("console", said)
    return wrong


def serious(page: Page) -> list[str]:
    """What axe says is serious or critical on the page as it stands."""
    # The page's own policy forbids inline scripts; the debugger's door is not bound by it.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{one['id']}: {one['help']} {[node['html'][:160] for node in one['nodes']][:4]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def drag_by_touch(
    page: Page, where: str, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """A finger from one place of an element to another, in parts of its size."""
    box = page.locator(where).bounding_box()
    assert box
    session = page.context.new_cdp_session(page)

    def at(part: float) -> dict[str, float]:
        x, y = (s + (e - s) * part for s, e in zip(start, end, strict=True))
        return {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}

    def send(kind: str, points: list[dict[str, float]]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", [at(0)])
    for step in range(1, 9):
        send("touchMove", [at(step / 8)])
        page.wait_for_timeout(30)
    send("touchEnd", [])

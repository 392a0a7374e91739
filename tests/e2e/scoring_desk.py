"""The experts' app as a process of its own that can be killed, and a seat's touch tablets on it."""

from __future__ import annotations

import multiprocessing
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.review_sheets import Sheet
from models.sheet_versions import StoredSheet, read_version
from tests.webapp.review_round import ReviewRound
from webapp.answering import run_review
from webapp.settings import ReviewSettings

SAVED, HERE = "✓ 已保存", "⇪"


@dataclass
class ScoringDesk:
    """A round being scored, and the process that serves it."""

    settings: ReviewSettings
    made: ReviewRound
    store: Engine
    process: BaseProcess | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def start(self) -> None:
        """Runs the app; returns when it answers."""
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=run_review, args=(self.settings,), daemon=True)
        self.process.start()
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < until
                time.sleep(0.1)

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.join()

    def stored(self, seat: str, code: str) -> StoredSheet:
        """What the database holds."""
        with Session(self.store) as session:
            sheet = session.scalars(
                select(Sheet).filter_by(round_id=self.made.round_id, reviewer=seat, code=code)
            ).one()
            return read_version(session, sheet.id, sheet.version)

    def state(self, seat: str, code: str) -> str:
        with Session(self.store) as session:
            return session.scalars(
                select(Sheet.state).filter_by(round_id=self.made.round_id, reviewer=seat, code=code)
            ).one()


@dataclass
class Tablet:
    """A touch tablet with a dossier open."""

    desk: ScoringDesk
    context: BrowserContext
    page: Page

    def open(self, code: str) -> None:
        self.page.goto(f"{self.desk.url}/d/{code}/")
        expect(self.page.locator("#score-state .text")).not_to_be_empty()

    def score(self, criterion: str, digits: str) -> None:
        """Types a score on the number pad, by finger."""
        self.page.locator(f'[data-criterion="{criterion}"] input').tap()
        for digit in digits:
            self.page.locator(f'#score-pad [data-key="{digit}"]').tap()

    def comment(self, text: str) -> None:
        self.page.locator("#score-comment").fill(text)

    def note(self, text: str) -> None:
        self.page.locator("#score-note").fill(text)

    def value(self, criterion: str) -> str:
        return self.page.locator(f'[data-criterion="{criterion}"] input').input_value()

    def says(self, text: str, timeout: float = 20_000) -> None:
        """Waits until the state of the sheet says so."""
        expect(self.page.locator("#score-state")).to_contain_text(text, timeout=timeout)

    def offline(self, cut: bool) -> None:
        self.context.set_offline(cut)

    def slow(self) -> Any:
        """A network of half a second to and fro and 20 kB a second, as at the end of a hall."""
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        speed = {"offline": False, "latency": 500, "downloadThroughput": 20_000,
                 "uploadThroughput": 20_000}  # fmt: skip
        session.send("Network.emulateNetworkConditions", speed)
        return session

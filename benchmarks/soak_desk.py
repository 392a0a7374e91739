"""The office's desk and an expert's tablet over HTTP, patient with a server that is killed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.soak_pages import Person, Scan
from benchmarks.soak_watch import Installation
from models.base import open_store
from models.review_pages import ReleasedPage
from models.seat_access import issue_card
from models.seats import add_seats
from models.sheets import assign_sheets
from models.vault_pages import Job, Page
from tests.redactor.golden.sets import write_roster

PASSWORD = "correct horse battery"
POLICY = "science_bazhou_2024"
PATIENCE = 900.0
"""Seconds until a server that does not answer is given up."""
READ_DOSSIERS = 10
SEAT = "R01"


class Client:
    """One browser. `again`: requests that a kill cut short; `errors`: answers of 500 and above."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False
        self._lock = threading.Lock()
        self.again = 0
        self.errors: list[str] = []

    def ask(self, method: str, path: str, **values: Any) -> requests.Response:
        """Asks until somebody answers, as browsers and people do."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self._lock:
                    answer = self._session.request(
                        method, self._address() + path, timeout=60, allow_redirects=False, **values
                    )
            except requests.RequestException:
                self.again += 1
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
                continue
            if answer.status_code >= 500 and answer.status_code != 503:
                self.errors.append(f"{answer.status_code} {re.sub('[0-9]+', 'N', path)}")
            return answer

    def token(self, path: str) -> str:
        """The token of a page's forms."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("GET", path).text)
        assert found, path
        return found.group(1)


class Desk(Client):
    """The administrator, who does the clerk's work as well."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(lambda: installation.url)
        self._installation = installation
        self._vault = open_store(installation.settings.vault_url).execution_options(read_only=True)
        self.round_id = 0
        self._csrf = ""

    def open_round(self, roster: list[Person], folder: Path) -> None:
        """First administrator, round and roster."""
        link = self._installation.link
        form = {"login": "chief", "name": "王主任", "password": PASSWORD}
        self.ask("POST", link, data={**form, "csrf_token": self.token(link)})
        data = {"login": "chief", "password": PASSWORD, "csrf_token": self.token("/sign-in")}
        assert self.ask("POST", "/sign-in", data=data).status_code == 302
        self._csrf = self.token("/account")
        answer = self._post(
            "/rounds/new", name="2026年度科技系列", year="2026", committee_members="9",
            policy=POLICY, profile="strict",
        )  # fmt: skip
        found = re.search(r"/rounds/(\d+)", answer.headers.get("Location", ""))
        assert found, answer.text[-3000:]
        self.round_id = int(found.group(1))
        rows = [(str(p.number), p.name, "女", "", p.unit, "") for p in roster]
        path = write_roster(folder / "花名册.csv", rows)
        with path.open("rb") as file:
            page = self.ask(
                "POST", f"/rounds/{self.round_id}/roster",
                data={"csrf_token": self._csrf}, files={"roster": ("花名册.csv", file)},
            ).text  # fmt: skip
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token, page[-3000:]
        self._post(f"/rounds/{self.round_id}/roster/confirm", token=token.group(1))

    def upload(self, scans: list[Scan]) -> None:
        """Sends files as a browser does, and again until the server says that it has them."""
        root = f"/rounds/{self.round_id}/uploads"
        headers = {"X-CSRFToken": self._csrf}
        announced = [{"path": s.path, "size": len(s.data), "modified": 1} for s in scans]
        for _ in range(50):
            answer = self.ask("POST", f"{root}/begin", json={"files": announced}, headers=headers)
            begun = zip(scans, answer.json()["files"], strict=True)
            # A duplicate lies there, but the process died before it noted that: matching finds it.
            left = [(s, b) for s, b in begun if b["state"] not in ("received", "duplicate")]
            if not left:
                return
            for scan, asked in left:
                assert asked["state"] == "receiving", asked
                there = asked["received"]
                self.ask("POST", f"{root}/{asked['id']}/chunk?offset={there}",
                         data=scan.data[there:], headers=headers)  # fmt: skip
        raise AssertionError(f"not accepted: {scans[0].path}")

    def match(self) -> None:
        self.ask("POST", f"/rounds/{self.round_id}/uploads/match", json={},
                 headers={"X-CSRFToken": self._csrf})  # fmt: skip

    def release_all(self) -> None:
        """Lets out what is ready, batch by batch."""
        root = f"/rounds/{self.round_id}/release"
        self._post(f"{root}/ask", all="yes")
        for _ in range(1000):
            part = self._post(f"{root}/next", hx=True)
            if part.status_code != 200 or "hx-trigger" not in part.text:
                return

    def retry(self) -> bool:
        self._post(f"/rounds/{self.round_id}/progress/retry")
        return self.waiting() > 0

    def waiting(self) -> int:
        """Jobs that are not done."""
        return self._count(select(func.count()).where(Job.state.in_(("waiting", "running"))))

    def failed(self) -> int:
        """Pages and jobs that failed and have no successor."""
        return self._count(select(func.count()).where(Page.state == "failed")) + self._count(
            select(func.count()).where(
                Job.state == "failed", Job.target.not_in(select(Job.target).where(
                    Job.state == "done", Job.kind == "redact"))
            )
        )  # fmt: skip

    def standing(self) -> str:
        pages = self._count(select(func.count(Page.id)))
        return f"pages {pages}, jobs that wait {self.waiting()}, failed {self.failed()}"

    def _count(self, chosen: Any) -> int:
        with Session(self._vault) as session:
            return int(session.scalar(chosen) or 0)

    def _post(self, path: str, hx: bool = False, **form: str) -> requests.Response:
        headers = {"HX-Request": "true"} if hx else {}
        return self.ask("POST", path, data={**form, "csrf_token": self._csrf}, headers=headers)


class Tablet(Client):
    """An expert who pages through what is released. `seen`: pictures that came."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(lambda: installation.review_url)
        self._installation = installation
        self._store = open_store(installation.settings.review_url, many_writers=True)
        self._codes: list[str] = []
        self._signed_in = False
        self.seen = 0

    def open_dossiers(self) -> None:
        """Gives the seat the first dossiers that are out, and signs in once there are any."""
        with Session(self._store) as session, session.begin():
            rows = session.execute(
                select(ReleasedPage.round_id, ReleasedPage.code).distinct().limit(READ_DOSSIERS)
            ).all()
            if not rows:
                return
            round_id = rows[0].round_id
            if not self._codes:
                add_seats(session, round_id=round_id, seats=[SEAT], by="soak")
            pairs = [(SEAT, row.code) for row in rows]
            assign_sheets(session, round_id=round_id, pairs=pairs, by="soak")
            card = None
            if not self._signed_in:
                card = issue_card(session, round_id=round_id, seat=SEAT, by="soak")
        self._codes = [row.code for row in rows]
        if card is not None:
            form = {"number": card.number, "secret": card.pin}
            form["csrf_token"] = self.token("/sign-in")
            answer = self.ask("POST", "/sign-in", data=form)
            self._signed_in = answer.status_code == 302

    def look(self) -> None:
        """One dossier's list of pages and one of its pictures."""
        if not self._signed_in:
            return
        code = self._codes[self.seen % len(self._codes)]
        listed = self.ask("GET", f"/d/{code}/pages.json")
        names = re.findall(r"[0-9a-f]{32}", listed.text) if listed.status_code == 200 else []
        if not names:
            self.errors.append(f"no pages: {listed.status_code} /d/CODE/pages.json")
            return
        picture = self.ask("GET", f"/d/{code}/pictures/{names[self.seen % len(names)]}/full")
        if picture.status_code == 200:
            self.seen += 1

"""A whole review over HTTP while the vault's files, folder and credentials are not there at all."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.ballots import close_ballot, open_ballot
from models.base import open_store
from models.review_ballots import Vote
from models.review_pages import PageReport
from models.review_sheets import DefenceScore, Sheet
from models.rounds import advance_round
from tests.webapp.planted_round import OFFICE, Planted, plant
from tests.webapp.review_meeting import MEETING_POLICY, bring_to_meeting
from tests.webapp.serving_process import ROOT, free_port, wait_until
from webapp.settings import Settings


class Tablet:
    """A browser of the standard library, with its cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._token = ""

    def ask(self, method: str, path: str, data: bytes = b"", kind: str = "") -> tuple[int, bytes]:
        asked = urllib.request.Request(self.url + path, data=data or None, method=method)
        if self._token:
            asked.add_header("X-CSRFToken", self._token)
        if kind:
            asked.add_header("Content-Type", kind)
        try:
            with self._opener.open(asked, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        found = re.search(rb'name="csrf_token" value="([^"]+)"', body)
        self._token = found.group(1).decode() if found else self._token
        return status, body

    def get(self, path: str) -> bytes:
        status, body = self.ask("GET", path)
        assert status == 200, (path, body)
        return body

    def form(self, path: str, **values: str) -> tuple[int, bytes]:
        data = urllib.parse.urlencode(values).encode()
        return self.ask("POST", path, data, "application/x-www-form-urlencoded")

    def json(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, said = self.ask(method, path, json.dumps(body).encode(), "application/json")
        return status, json.loads(said)

    def sign_in(self, made: Planted, seat: str) -> Tablet:
        card = made.cards[seat]
        self.get(f"/card/{card.number}")
        status, body = self.form("/sign-in", number=card.number, secret=card.pin)
        assert status == 200, body
        assert made.codes[0].encode() in body
        return self


class Alone:
    """The experts' process on a copy of the installation without its vault."""

    def __init__(self, made: Planted, folder: Path, *, vault: bool = False) -> None:
        self.data, self.said, self.port = folder / "data", folder / "said.json", free_port()
        for part in ("review", "blind"):
            shutil.copytree(made.settings.data / part, self.data / part)
        self.database = f"sqlite:///{self.data / 'review' / 'review.db'}"
        blind = self.data / "blind"
        if vault:  # what must not happen: pages that lie in a vault
            blind = self.data / "vault" / "blind"
            shutil.copytree(made.settings.data / "blind", blind)
        hidden = {"MANGPING_VAULT_DATABASE", "MANGPING_DATA"}
        command = [sys.executable, "-m", "tests.webapp.review.vaultless", self.database]
        command += [str(blind), str(self.data / "review"), str(self.port), str(self.said)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k not in hidden},
            stderr=subprocess.PIPE,
        )
        self.url = f"http://127.0.0.1:{self.port}"
        wait_until(self._answers, "the experts' pages")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.process.stderr.read()  # type: ignore[union-attr]
        try:
            return Tablet(self.url).ask("GET", "/healthz") == (200, b"ok\ndatabase ok\n")
        except OSError:
            return False

    def end(self) -> dict[str, Any]:
        """What it loaded and opened."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        return json.loads(self.said.read_text("utf-8"))  # type: ignore[no-any-return]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def planted(installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("vaultless") / "data"
    shutil.copytree(installed.data, folder)
    settings = Settings(data=folder, workers=1)
    made = plant(settings, open_store(settings.vault_url))
    made.review.dispose()
    return made


@pytest.fixture
def alone(planted: Planted, tmp_path: Path) -> Iterator[Alone]:
    made = Alone(planted, tmp_path)
    yield made
    made.kill()


def test_a_whole_review_works_and_nothing_of_a_vault_is_opened(
    planted: Planted, alone: Alone
) -> None:
    made = planted
    store = open_store(alone.database)
    assert not (alone.data / "vault").exists()
    code, other = sorted(made.codes)[:2]
    tablet = Tablet(alone.url).sign_in(made, "R01")
    tablet.get(f"/d/{code}/")
    for page in json.loads(tablet.get(f"/d/{code}/pages.json")):
        for size in ("thumb", "1x", "2x", "full"):
            body = tablet.get(f"/d/{code}/pictures/{page['name']}/{size}")
            assert body.startswith(b"\xff\xd8")
    draft = {
        "round": made.round_id, "seat": "R01", "base_version": 0, "save_id": "save-00001",
        "scores": {"achievements": "40"}, "comment": "好", "notes": {"1": "看"},
    }  # fmt: skip
    assert tablet.json("PUT", f"/d/{code}/sheet", draft)[0] == 200
    whole = {**draft, "base_version": 1, "save_id": "save-00002", "secret": made.cards["R01"].pin}
    whole["scores"] = {"achievements": "40", "papers": "20.5"}
    assert tablet.json("POST", f"/d/{code}/submit", whole)[0] == 200
    names = made.names[other]
    assert tablet.form(f"/d/{other}/report", number="1", name=names[0], reason="右上角")[0] == 200
    assert tablet.ask("GET", f"/d/{other}/pictures/{names[0]}/1x")[0] == 423
    assert tablet.form(f"/d/{other}/recusal", reason="knows")[0] == 200

    bring_to_meeting(store, made.round_id, "defence", came=3, policy=MEETING_POLICY)
    tablet.get("/defence")
    assert tablet.form(f"/defence/{code}", points="26.5", confirm="yes")[0] == 200
    with Session(store) as session, session.begin():
        advance_round(session, round_id=made.round_id, to="voting", by=OFFICE)
        ballot = open_ballot(session, round_id=made.round_id, codes=made.codes, by=OFFICE)
    paper = tablet.get("/ballot")
    receipt = re.findall(rb'name="receipt" value="([^"]+)"', paper)[0].decode()
    choices = {f"choice-{c}": "yes" for c in made.codes if c != other}
    pin = made.cards["R01"].pin
    assert tablet.form(f"/ballot/{ballot}", receipt=receipt, secret=pin, **choices)[0] == 200
    with Session(store) as session:
        assert session.scalar(select(func.count()).select_from(Vote)) == len(choices)
        assert session.scalar(select(func.count()).select_from(DefenceScore)) == 1
        assert session.scalar(select(func.count()).select_from(PageReport)) == 1
        states = dict(
            session.execute(select(Sheet.code, Sheet.state).filter_by(reviewer="R01")).all()
        )
        assert (states[code], states[other]) == ("submitted", "recused")
    with Session(store) as session, session.begin():
        close_ballot(session, ballot_id=ballot, by=OFFICE)
    assert f"{receipt[:4]}-{receipt[4:]}".encode() in tablet.get("/ballot")

    told = alone.end()
    assert any(path.endswith("review.db") for path in told["opened"])
    assert any(str(alone.data / "blind") in path for path in told["opened"])
    ours = [m for m in told["modules"] if m.split(".")[0] in ("models", "webapp")]
    known = ("models.vault_", "models.office_", "models.accounts", "models.schema", "webapp.office")
    assert [module for module in ours if module.startswith(known)] == []
    assert "webapp.review.ballot" in ours


def test_a_process_that_opens_a_vaults_file_falls_over(planted: Planted, tmp_path: Path) -> None:
    """So that the silence of the test above means something."""
    alone = Alone(planted, tmp_path, vault=True)
    tablet = Tablet(alone.url).sign_in(planted, "R01")
    code = next(iter(planted.names))
    with pytest.raises(OSError):
        tablet.ask("GET", f"/d/{code}/pictures/{planted.names[code][0]}/full")
    assert alone.process.wait(60) == 77
    assert b"/vault/blind" in alone.process.stderr.read()  # type: ignore[union-attr]
    alone.kill()

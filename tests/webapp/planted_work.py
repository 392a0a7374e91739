"""A child process: the office's and an expert's whole way with planted words, and every error.

    python -m tests.webapp.planted_work DATA

It works as `mangping serve` does and ends by an error of its own that holds a name.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import threading
import warnings
from pathlib import Path

import PIL.Image as Pillow
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import open_store
from models.office_jobs import add_job
from models.review_pages import ReleasedPage
from models.rounds import snapshot_policy
from models.seat_access import issue_card
from models.seats import add_seats
from models.sheets import assign_sheets
from models.vault_pages import Job, Page
from tests.redactor.golden.sets import page_about, write_roster
from tests.webapp.conftest import form_token
from tests.webapp.review_round import POLICY
from tests.webapp.upload_desk import Desk
from webapp.logs import logs_of
from webapp.office.app import create_office
from webapp.review.app import create_review
from webapp.runner import Runner
from webapp.security import open_to_all
from webapp.serving import prepare
from webapp.settings import Settings, review_settings

NAME, UNIT = "诸葛晓岚", "巴音郭楞蒙古自治州林业和草原局"
ID_NUMBER, PHONE = "652899198501014510", "19900001234"
FILE, LOGIN, PASSWORD = "诸葛晓岚-毕业证IMG7731", "zhuge-wang", "correct horse battery"
SEAT = "R07"
PINYIN = "zhugexiaolan"
WORDS = (NAME, UNIT, ID_NUMBER, PHONE, FILE, "IMG7731", LOGIN, PASSWORD, PINYIN, SEAT, "孤品林业")


def main(data: Path) -> None:
    settings = Settings(data=data, workers=1)
    link = prepare(settings)
    with logs_of("office", settings.logs):
        office = create_office(settings)
        _add_faults(office)
        desk, round_id = _round(office, str(link), data.parent)
        desk.send(f"01{NAME}/{FILE}.jpg", _scan(data.parent))
        desk.match()
        _redact(settings, round_id)
        _look_and_release(settings, desk, round_id)
        review = create_review(review_settings(settings))
        _add_faults(review)
        said = _score(settings, review)
        _ask_for_faults(desk.client)
        _ask_for_faults(review.test_client())
        (data.parent / "said.json").write_text(json.dumps(said), "utf-8")
        _faults_beside_requests(settings)
        raise RuntimeError(f"the end of {NAME} {PINYIN}")


def _round(office: Flask, link: str, folder: Path) -> tuple[Desk, int]:
    client = office.test_client()
    page = client.get(f"/setup/{link}")
    form = {"login": LOGIN, "name": NAME, "password": PASSWORD}
    client.post(f"/setup/{link}", data={**form, "csrf_token": form_token(page.text)})
    for password in ("wrong", PASSWORD):
        token = form_token(client.get("/sign-in").text)
        client.post("/sign-in", data={"login": LOGIN, "password": password, "csrf_token": token})
    token = form_token(client.get("/account").text)
    made = client.post("/rounds/new", data={
        "csrf_token": token, "name": f"{UNIT}孤品林业评审", "year": "2026",
        "committee_members": "9", "policy": "science_bazhou_2024", "profile": "strict",
    })  # fmt: skip
    round_id = int(made.headers["Location"].rsplit("/", 1)[1])
    roster = write_roster(folder / f"{NAME}.csv", [("1", NAME, "女", ID_NUMBER, UNIT, PHONE)])
    with roster.open("rb") as file:
        shown = client.post(
            f"/rounds/{round_id}/roster",
            data={"csrf_token": token, "roster": (file, f"{NAME}.csv")},
        ).text
    kept = shown.split('name="token" value="')[1].split('"')[0]
    client.post(f"/rounds/{round_id}/roster/confirm", data={"csrf_token": token, "token": kept})
    return Desk(client, round_id), round_id


def _scan(folder: Path) -> bytes:
    path = folder / f"{FILE}.jpg"
    canvas = page_about(NAME)
    Pillow.Image.save(canvas.image, path, quality=90, dpi=(canvas.dpi, canvas.dpi))
    return path.read_bytes()


def _redact(settings: Settings, round_id: int) -> None:
    runner = Runner(settings)
    vault = open_store(settings.vault_url).execution_options(read_only=True)
    waiting = select(Job.id).where(Job.state.in_(("waiting", "running")))
    while True:
        runner.step(0.2)
        with Session(vault) as session:
            if session.scalar(waiting) is None:
                break
    # A page that is gone: a worker breaks on its job first, and then there is nothing to do.
    with Session(open_store(settings.vault_url)) as session, session.begin():
        add_job(session, round_id=round_id, kind="remask", target=10**6)
    job, line = runner.take(("remask",)), runner._lines[0]
    assert job is not None
    line.running[line._started().submit(_in_worker, job.kind)] = job
    while line.running:
        runner.step(0.2)
    line.stop()


def _in_worker(_kind: str) -> None:
    from webapp.logs import without_words

    without_words(_warn_and_break)


def _warn_and_break() -> None:
    warnings.warn(f"a worker warns of {NAME}", stacklevel=1)
    _break()


def _break() -> None:
    try:
        int(NAME)
    except ValueError as error:
        raise KeyError(f"{NAME} {PINYIN} {ID_NUMBER}") from error


def _look_and_release(settings: Settings, desk: Desk, round_id: int) -> None:
    client, token = desk.client, desk.headers["X-CSRFToken"]
    vault = open_store(settings.vault_url).execution_options(read_only=True)
    with Session(vault) as session:
        (page,) = session.scalars(select(Page))
        assert page.state == "clean", page.reason
    client.get(f"/pages/{page.id}")
    client.get(f"/rounds/{round_id}/progress?q={NAME}&name={PINYIN}")
    client.get(f"/rounds/{round_id}/{NAME}/{PINYIN}")
    client.open(f"/{NAME}", method="PROPFIND")
    client.post(f"/pages/{page.id}/decision", headers=desk.headers,
                data={"decision": "accepted", "reason": f"{NAME} {PHONE}"})  # fmt: skip
    client.post(f"/rounds/{round_id}/release/ask", data={"csrf_token": token, "all": "yes"})
    client.post(f"/rounds/{round_id}/release/next", data={"csrf_token": token})


def _score(settings: Settings, app: Flask) -> dict[str, str]:
    """What may not stand in the log either: the code, and what opens the door."""
    store = open_store(settings.review_url)
    with Session(store) as session, session.begin():
        (page,) = session.scalars(select(ReleasedPage))
        code, round_id, picture = page.code, page.round_id, page.sha256[:32]
        snapshot_policy(session, round_id=round_id, text=POLICY, by="office")
        add_seats(session, round_id=round_id, seats=[SEAT], by="office")
        assign_sheets(session, round_id=round_id, pairs=[(SEAT, code)], by="office")
        card = issue_card(session, round_id=round_id, seat=SEAT, by="office")
    tablet = app.test_client()
    token = form_token(tablet.get("/sign-in").text)
    form = {"number": card.number, "secret": card.pin, "csrf_token": token}
    assert tablet.post("/sign-in", data=form).status_code == 302
    assert tablet.get(f"/d/{code}/pages.json").status_code == 200
    token = form_token(tablet.get(f"/d/{code}/").text)
    draft = {"round": round_id, "seat": SEAT, "base_version": 0, "save_id": "save-00001",
             "scores": {}, "comment": f"{NAME}很好", "notes": {}}  # fmt: skip
    saved = tablet.put(f"/d/{code}/sheet", json=draft, headers={"X-CSRFToken": token})
    assert saved.status_code == 200, saved.json
    tablet.post(f"/d/{code}/report", headers={"X-CSRFToken": token},
                data={"number": "1", "name": picture, "reason": NAME})  # fmt: skip
    return {"code": code, "number": card.number, "pin": card.pin}


def _add_faults(app: Flask) -> None:
    @open_to_all
    def broken() -> str:
        _break()
        return ""

    @open_to_all
    def unkept() -> str:
        return ""

    @app.after_request
    def fail_late(response: Response) -> Response:
        from flask import request

        if request.endpoint == "unkept" and response.status_code == 200:
            raise OSError(28, NAME, f"/{NAME}")
        return response

    app.add_url_rule(f"/{PINYIN[:0]}broken", "broken", broken)
    app.add_url_rule("/unkept", "unkept", unkept)


def _ask_for_faults(client: FlaskClient) -> None:
    assert client.get(f"/broken?{NAME}").status_code == 500
    assert client.get("/unkept").status_code == 500


@dataclasses.dataclass
class Unraisable:
    """Fails where nobody can catch it."""

    name: str

    def __del__(self) -> None:
        raise ValueError(self.name)


def _faults_beside_requests(settings: Settings) -> None:
    library = logging.getLogger("some.library")
    library.error("cannot read %s", NAME)
    library.error("%s %s", NAME)
    try:
        _break()
    except KeyError:
        library.exception(f"{NAME}: {PINYIN}")
    warnings.warn(f"{NAME} is odd", stacklevel=1)
    thread = threading.Thread(target=_break, name=NAME)
    thread.start()
    thread.join()
    Unraisable(NAME)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

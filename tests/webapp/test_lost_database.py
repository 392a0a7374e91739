"""PostgreSQL restarts in the middle: both apps and the runner go on, nothing is half written and
what is sent again counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.accounts import create_account
from models.base import open_store
from models.office_jobs import add_job
from models.office_rounds import make_round, put_entrants
from models.review_sheets import Sheet, SheetScore, SheetVersion
from models.vault_pages import Job
from models.vault_rounds import Entrant
from redactor.blind_code import new_codes
from redactor.file_job import PageRecord
from tests.postgresql_server import Server
from tests.webapp.conftest import PASSWORD, PEOPLE, add_scan, entrant_row, form_token
from tests.webapp.page_rows import FORMER_UNIT, read_page
from tests.webapp.postgresql_round import furnish, on_postgresql
from tests.webapp.review.test_sheet import WHOLE, Sender
from tests.webapp.review_round import ReviewRound
from tests.webapp.serving_process import wait_until
from webapp.office.app import create_office
from webapp.review.app import COOKIE, create_review
from webapp.runner import Runner
from webapp.settings import Settings, review_settings

__all__ = ["on_postgresql"]  # a fixture
SENTENCE = "数据库连接中断"


@pytest.fixture(scope="module")
def store(on_postgresql: Settings) -> Iterator[Engine]:
    engine = open_store(on_postgresql.review_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def vault(on_postgresql: Settings) -> Iterator[Engine]:
    engine = open_store(on_postgresql.vault_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def made(on_postgresql: Settings, store: Engine) -> ReviewRound:
    return furnish(on_postgresql, store)


@pytest.fixture(scope="module")
def experts(on_postgresql: Settings, made: ReviewRound) -> Flask:
    return create_review(review_settings(on_postgresql))


@pytest.fixture
def tablet(experts: Flask, made: ReviewRound) -> FlaskClient:
    client = experts.test_client()
    client.set_cookie(COOKIE, made.tokens["R01"])
    return client


@pytest.fixture
def office(on_postgresql: Settings, vault: Engine) -> FlaskClient:
    """A signed-in administrator."""
    with Session(vault) as session, session.begin():
        login = f"admin{session.scalar(text('SELECT count(*) FROM account'))}"
        create_account(session, login=login, name="甲", role="admin", password=PASSWORD, by="t")
    client = create_office(on_postgresql).test_client()
    data = {"login": login, "password": PASSWORD}
    data["csrf_token"] = form_token(client.get("/sign-in").text)
    assert client.post("/sign-in", data=data).status_code == 302
    return client


def kept(store: Engine, code: str) -> tuple[int, int, int]:
    """The sheet's version, and how many versions and scores are stored of it."""
    with Session(store) as session:
        sheet = session.scalars(select(Sheet).filter_by(reviewer="R01", code=code)).one()
        rows = [
            session.scalar(select(func.count()).select_from(table).filter_by(sheet_id=sheet.id))
            for table in (SheetVersion, SheetScore)
        ]
        return sheet.version, rows[0] or 0, rows[1] or 0


class Once:
    """Does something at the first event, or at the first statement that begins with a text."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.done, self._work = False, work

    def act(self, *_: object) -> None:
        if not self.done:
            self.done = True
            self._work()

    def at(self, start: str) -> Callable[..., None]:
        def look(_c: object, _u: object, statement: str, *_: object) -> None:
            if statement.startswith(start):
                self.act()

        return look


def test_both_apps_go_on_after_a_restart_and_a_save_is_kept_at_once(
    postgresql_server: Server,
    office: FlaskClient,
    tablet: FlaskClient,
    made: ReviewRound,
    store: Engine,
) -> None:
    code = made.codes[0]
    sender = Sender(tablet, made, "R01")
    assert sender.put(code, scores=WHOLE, save_id="save-a001").json == {"version": 1, "newest": 1}
    assert office.get("/").status_code == 200
    postgresql_server.restart()
    # The answer is taken for lost: the same once more, and then the next.
    assert sender.put(code, scores=WHOLE, save_id="save-a001").json == {"version": 1, "newest": 1}
    assert kept(store, code) == (1, 1, 2)
    answer = sender.put(code, scores={"papers": "1"}, base_version=1, save_id="save-a002")
    assert answer.json == {"version": 2, "newest": 2}
    assert tablet.get("/").status_code == 200
    assert office.get("/").status_code == 200
    made_one = office.post("/sign-out", data={"csrf_token": "x"})
    assert made_one.status_code == 400  # its form, not the store, was wrong


@pytest.mark.parametrize("when", ["INSERT INTO sheet_version", "INSERT INTO sheet_score", "COMMIT"])
def test_a_save_in_flight_is_answered_and_not_half_written(
    postgresql_server: Server,
    experts: Flask,
    tablet: FlaskClient,
    made: ReviewRound,
    store: Engine,
    when: str,
) -> None:
    code = made.codes[1]
    before = kept(store, code)
    sender, engine = Sender(tablet, made, "R01"), experts.extensions["review"]
    values = {"scores": WHOLE, "base_version": before[0], "save_id": f"save-b{before[0]:03d}"}
    values["comment"] = when
    once = Once(postgresql_server.restart)
    if when == "COMMIT":
        event.listen(engine, "commit", once.act)
    else:
        event.listen(engine, "before_cursor_execute", once.at(when))
    answer = sender.put(code, **values)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert SENTENCE in answer.text
    assert kept(store, code) == before
    again = sender.put(code, **values)
    assert again.json == {"version": before[0] + 1, "newest": before[0] + 1}
    assert kept(store, code) == (before[0] + 1, before[1] + 1, before[2] + 2)


def test_a_save_whose_answer_was_lost_after_it_was_kept_counts_once(
    postgresql_server: Server,
    experts: Flask,
    tablet: FlaskClient,
    made: ReviewRound,
    store: Engine,
) -> None:
    code = made.codes[2]
    sender, engine = Sender(tablet, made, "R01"), experts.extensions["review"]
    doomed, ended = engine.connect(), threading.Event()
    doomed.execute(text("SELECT 1"))

    @event.listens_for(Session, "after_commit")
    def break_off(_session: Session) -> None:
        if not ended.is_set():
            ended.set()
            postgresql_server.restart()
            doomed.execute(text("SELECT 1"))  # what a commit says whose answer does not come

    values = {"scores": WHOLE, "save_id": "save-c001"}
    try:
        assert sender.put(code, **values).status_code == 503
    finally:
        event.remove(Session, "after_commit", break_off)
        doomed.close()
    assert kept(store, code) == (1, 1, 2)
    assert sender.put(code, **values).json == {"version": 1, "newest": 1}
    assert kept(store, code) == (1, 1, 2)


def test_while_the_database_is_down_both_apps_say_so(
    postgresql_server: Server, office: FlaskClient, tablet: FlaskClient
) -> None:
    postgresql_server.stop()
    try:
        answers = [office.get("/"), tablet.get("/"), tablet.get("/meeting")]
        health = [client.get("/healthz").status_code for client in (office, tablet)]
    finally:
        postgresql_server.start()
    for answer in answers:
        assert answer.status_code == 503
        assert SENTENCE in answer.text
    assert health == [503, 503]
    assert [office.get("/").status_code, tablet.get("/").status_code] == [200, 200]
    assert [client.get("/healthz").status_code for client in (office, tablet)] == [200, 200]


@pytest.fixture
def files(on_postgresql: Settings, vault: Engine) -> tuple[int, int, int]:
    """A round, and two scans of one dossier whose jobs wait."""
    with Session(vault) as session, session.begin():
        session.execute(text("UPDATE job SET state = 'done'"))
        count = session.scalar(text("SELECT count(*) FROM office_round"))
        round_id = make_round(
            session, name=f"甲{count}", year=2024, policy_name="x", policy="", profile="strict",
            committee_members=9, by="t",
        ).id  # fmt: skip
        rows = [entrant_row(PEOPLE[0])]
        codes = {PEOPLE[0].number: new_codes(1, [])[0]}
        put_entrants(session, round_id=round_id, rows=rows, codes=codes, by="t")
        entrant = session.scalars(select(Entrant).filter_by(round_id=round_id)).one()
        made = [
            add_scan(session, on_postgresql, entrant, f"{name}.jpg", name.encode()).id
            for name in "ab"
        ]
        for file_id in made:
            add_job(session, round_id=round_id, kind="redact", target=file_id)
    return round_id, made[0], made[1]


def states(vault: Engine, round_id: int) -> list[tuple[str, str]]:
    with Session(vault) as session:
        found = select(Job.kind, Job.state).filter_by(round_id=round_id).order_by(Job.id)
        return [(row.kind, row.state) for row in session.execute(found)]


def test_a_runner_goes_on_after_a_restart(
    postgresql_server: Server, on_postgresql: Settings, vault: Engine, files: tuple[int, int, int]
) -> None:
    """Jobs on pages that are gone are done as soon as they are taken."""
    with Session(vault) as session, session.begin():
        session.execute(text("UPDATE job SET state = 'done'"))
        for target in range(1000, 1003):
            add_job(session, round_id=files[0], kind="remask", target=target)
    runner, stop = Runner(on_postgresql), threading.Event()
    restarted = Once(postgresql_server.restart)
    event.listen(runner._engine, "before_cursor_execute", restarted.at("SELECT page"))
    works = threading.Thread(target=runner.run, args=(stop,))
    works.start()
    try:
        wait_until(lambda: restarted.done and _all_done(vault, files[0]), "all jobs done")
        assert works.is_alive()
    finally:
        stop.set()
        works.join(60)
    assert restarted.done
    with Session(vault) as session:
        attempts = session.scalars(select(Job.attempts).filter_by(kind="remask")).all()
    assert list(attempts) == [1, 1, 1]


def test_a_result_is_kept_when_the_vault_is_back(
    postgresql_server: Server, on_postgresql: Settings, vault: Engine, files: tuple[int, int, int]
) -> None:
    runner = Runner(on_postgresql)
    job = runner.take(("redact",))
    assert job is not None
    (line,) = [line for line in runner._lines if "redact" in line._kinds]
    ended: Future[list[PageRecord]] = Future()
    ended.set_result([])
    line.running[ended] = job
    postgresql_server.stop()
    try:
        with pytest.raises(DBAPIError):
            line.collect()
    finally:
        postgresql_server.start()
    assert states(vault, files[0]) == [("redact", "running"), ("redact", "waiting")]
    line.collect()
    assert states(vault, files[0]) == [("redact", "done"), ("redact", "waiting")]
    assert not line.running


def test_two_runners_that_finish_a_dossier_together_look_through_it_once_more(
    on_postgresql: Settings, vault: Engine, files: tuple[int, int, int]
) -> None:
    one, two, page = Runner(on_postgresql), Runner(on_postgresql), read_page([FORMER_UNIT])
    two.name += "-second"
    first, second = one.take(("redact",)), two.take(("redact",))
    assert first is not None
    assert second is not None
    results: list[bool] = []
    others = threading.Thread(target=lambda: results.append(two.keep(second, [page])))

    @event.listens_for(one._engine, "commit")
    def meanwhile(_connection: object) -> None:
        if not others.ident:
            others.start()
            wait_until(lambda: bool(results) or _somebody_waits(vault), "the second runner")

    assert one.keep(first, [])
    others.join(60)
    assert results == [True]
    assert states(vault, files[0])[:2] == [("redact", "done")] * 2
    assert ("consistency", "waiting") in states(vault, files[0])


def _all_done(vault: Engine, round_id: int) -> bool:
    try:
        return {state for _, state in states(vault, round_id)} == {"done"}
    except DBAPIError:  # it is restarting
        return False


def _somebody_waits(vault: Engine) -> bool:
    with vault.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

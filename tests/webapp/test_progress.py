"""Progress: its figures, what failed and why, the levers, and its price at any number of rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from models.kept_sentence import keep_sentence, kept_sentence
from models.office_jobs import (
    MOST_ATTEMPTS,
    add_job,
    failure,
    finish,
    give_back,
    lease,
)
from models.office_progress import counts_of, failures, progress, retry_failed, some_entrants
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from tests.webapp.conftest import add_scan, form_token
from tests.webapp.furnished import furnish
from webapp.settings import Settings


@pytest.fixture
def files(settings: Settings, vault: Engine, round_id: int) -> list[int]:
    """Three files of 2, 3 and 5 pages of one applicant, waiting."""
    with Session(vault) as session, session.begin():
        entrant = session.scalars(select(Entrant).where(Entrant.number == 2)).one()
        made = []
        for pages in (2, 3, 5):
            file = add_scan(session, settings, entrant, f"{pages}.pdf", b"%d" % pages)
            file.pages = pages
            add_job(session, round_id=round_id, kind="redact", target=file.id, pages=pages)
            made.append(file.id)
        return made


def fail(vault: Engine, error: str = "MemoryError") -> int:
    """Lets the next job fail as often as it takes; its target."""
    target = 0
    with Session(vault) as session, session.begin():
        for _ in range(MOST_ATTEMPTS):
            job = lease(session, worker="w", kinds=("redact",))
            assert job is not None
            give_back(session, job_id=job.id, worker="w", error=error)
            target = job.target
    return target


def done(vault: Engine) -> int:
    with Session(vault) as session, session.begin():
        job = lease(session, worker="w", kinds=("redact",))
        assert job is not None
        assert finish(session, job_id=job.id, worker="w")
        session.get_one(SourceFile, job.target).state = "done"
        return job.target


def post(client: FlaskClient, address: str, **data: object) -> int:
    token = form_token(client.get("/account").text)
    return client.post(address, data={**data, "csrf_token": token}).status_code


def test_pages_are_counted_by_the_state_of_their_files(
    vault: Engine, round_id: int, files: list[int]
) -> None:
    first = done(vault)
    second = fail(vault)
    assert (first, second) == (files[0], files[1])
    with Session(vault) as session, session.begin():
        assert lease(session, worker="w") is not None
    with Session(vault) as session:
        found = progress(session, round_id=round_id)
        assert (found.done, found.failed, found.running, found.total) == (2, 3, 5, 10)
        assert found.per_minute > 0
        assert found.minutes_left == pytest.approx(5 / found.per_minute)
        assert found.at_work
        owner = session.scalars(select(Entrant.id).where(Entrant.number == 2)).one()
        count = counts_of(session, [owner])[owner]
        assert (count.files, count.total, count.done, count.failed) == (3, 10, 2, 3)


def test_a_matching_done_twice_counts_its_pages_once(
    vault: Engine, round_id: int, files: list[int]
) -> None:
    done(vault)
    with Session(vault) as session, session.begin():
        add_job(session, round_id=round_id, kind="redact", target=files[0], pages=2)
    with Session(vault) as session:
        assert progress(session, round_id=round_id).total == 10


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("lease", "中断"),
        ("the worker process died", "中断"),
        ("MemoryError", "MemoryError"),
        ("无法写入：磁盘已满。 请清理。", "磁盘已满"),
    ],
)
def test_a_failure_has_a_reason_and_a_remedy(error: str, said: str) -> None:
    assert said in failure(error).zh


def test_sentences_are_kept_in_both_languages() -> None:
    sentence = failure("lease")
    assert kept_sentence(keep_sentence(sentence)) == sentence
    for plain in ("", "无法读取", "[1]", "3", '{"zh": "x"}'):
        assert kept_sentence(plain).zh == kept_sentence(plain).en == plain


def test_a_file_that_failed_is_listed_tried_again_and_then_done(
    sign_in: Callable[[str], FlaskClient], vault: Engine, round_id: int, files: list[int]
) -> None:
    failed = fail(vault, "the worker process died")
    clerk = sign_in("clerk")
    page = clerk.get(f"/rounds/{round_id}/progress").text
    assert "2.pdf" in page
    assert "内存不足" in page
    clerk.get("/language/en")
    assert "memory may be short" in clerk.get(f"/rounds/{round_id}/progress").text
    assert post(clerk, f"/rounds/{round_id}/progress/retry", file=failed) == 303
    with Session(vault) as session:
        assert failures(session, round_id=round_id) == []
        assert session.get_one(SourceFile, failed).state == "waiting"
        states = session.scalars(select(Job.state).where(Job.target == failed)).all()
        assert sorted(states) == ["done", "waiting"]


def test_a_file_of_another_round_is_not_tried_again(
    vault: Engine, round_id: int, files: list[int]
) -> None:
    failed = fail(vault)
    with Session(vault) as session, session.begin():
        assert retry_failed(session, round_id=round_id + 1, file_id=failed, by="x") == 0
        assert session.get_one(SourceFile, failed).state == "failed"


def test_one_failed_page_sends_its_file_again(vault: Engine, settings: Settings) -> None:
    made = furnish(vault, settings, entrants=1, pages=7, pictures=False)
    with Session(vault) as session, session.begin():
        session.execute(update(SourceFile).values(state="done"))
        session.execute(update(Job).values(state="done"))
        bad = session.scalars(select(Page).where(Page.state == "failed")).all()
        listed = failures(session, round_id=made.round_id)
        assert [(f.file_id, f.page) for f in listed] == [(p.file_id, 1) for p in bad]
        assert retry_failed(session, round_id=made.round_id, by="x") == len(bad) > 0
        waiting = session.scalars(select(Job.target).where(Job.state == "waiting")).all()
        assert sorted(waiting) == sorted(page.file_id for page in bad)


def test_an_edit_that_failed_is_tried_again(vault: Engine, settings: Settings) -> None:
    made = furnish(vault, settings, entrants=1, pages=1, pictures=False)
    with Session(vault) as session, session.begin():
        session.execute(update(Job).values(state="done"))
        session.execute(update(SourceFile).values(state="done"))
        session.execute(update(Page).values(state="checking"))
        add_job(session, round_id=made.round_id, kind="remask", target=made.pages[0])
        for _ in range(MOST_ATTEMPTS):
            job = lease(session, worker="w")
            assert job is not None
            give_back(session, job_id=job.id, worker="w", error="MemoryError")
        assert progress(session, round_id=made.round_id).failed_jobs == 1
        assert retry_failed(session, round_id=made.round_id, by="x") == 1
        again = lease(session, worker="w")
        assert again is not None
        assert (again.kind, again.target) == ("remask", made.pages[0])
        assert progress(session, round_id=made.round_id).failed_jobs == 0


def test_a_round_is_paused_and_goes_on(
    sign_in: Callable[[str], FlaskClient], vault: Engine, round_id: int, files: list[int]
) -> None:
    clerk = sign_in("clerk")
    address = f"/rounds/{round_id}/progress"
    assert post(clerk, f"{address}/pause", paused="yes") == 303
    with Session(vault) as session, session.begin():
        assert session.get_one(OfficeRound, round_id).paused
        assert lease(session, worker="w") is None
    part = clerk.get(f"{address}/part").text
    assert "已暂停" in part
    assert 'hx-trigger="every 10s"' in part
    assert post(clerk, f"{address}/pause", paused="no") == 303
    assert 'hx-trigger="every 2s"' in clerk.get(f"{address}/part").text


def test_a_category_is_changed_for_a_file_and_its_pages(
    sign_in: Callable[[str], FlaskClient], vault: Engine, settings: Settings
) -> None:
    made = furnish(vault, settings, entrants=1, pages=2, pictures=False)
    clerk = sign_in("clerk")
    address = f"/rounds/{made.round_id}/files/{made.files[0]}/category"
    assert post(clerk, address, category="论文") == 303
    assert post(clerk, address, category="张三的论文") == 400
    assert post(clerk, f"/rounds/99/files/{made.files[0]}/category", category="论文") == 404
    with Session(vault) as session:
        assert session.get_one(SourceFile, made.files[0]).category == "论文"
        pages = session.scalars(select(Page.category).where(Page.file_id == made.files[0])).all()
        assert set(pages) == {"论文"}


def test_a_dossier_of_another_round_is_not_there(
    sign_in: Callable[[str], FlaskClient], round_id: int, files: list[int]
) -> None:
    clerk = sign_in("clerk")
    assert clerk.get(f"/rounds/{round_id}/dossiers/2").status_code == 200
    for address in (f"/rounds/{round_id}/dossiers/99", "/rounds/99/dossiers/2"):
        assert clerk.get(address).status_code == 404


def test_applicants_come_a_hundred_at_a_time(vault: Engine, settings: Settings) -> None:
    made = furnish(vault, settings, entrants=230, pages=1, pictures=False)
    with Session(vault) as session:
        seen, after = [], 0
        for _ in range(3):
            people, more = some_entrants(session, round_id=made.round_id, after=after)
            seen += [person.number for person in people]
            after = more or 0
        assert more is None
        assert len(seen) == len(set(seen)) == 230


@pytest.mark.parametrize(
    "page",
    ["", "/roster", "/uploads", "/unmatched", "/progress", "/progress/part", "/dossiers/{entrant}"],
)
def test_the_number_of_statements_does_not_grow_with_the_rows(
    sign_in: Callable[[str], FlaskClient], vault: Engine, settings: Settings, office: object,
    page: str,
) -> None:  # fmt: skip
    counts = []
    clerk = sign_in("clerk")
    for number, name in ((1, "少"), (30, "多")):
        made = furnish(vault, settings, entrants=number, pages=number, name=name, pictures=False)
        address = f"/rounds/{made.round_id}" + page.format(entrant=made.entrants[0])
        assert clerk.get(address).status_code == 200
        counts.append(statements(office, clerk, address))
    assert counts[0] == counts[1] > 1


def statements(office: object, client: FlaskClient, address: str) -> int:
    """How many statements the vault is asked for a page."""
    engine = office.extensions["vault"]  # type: ignore[attr-defined]
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        client.get(address)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)

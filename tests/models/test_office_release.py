"""When a dossier may leave the vault, who may let it, and what the review store keeps of it."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import utc_now
from models.check_links import link_of, make_links
from models.errors import RuleError
from models.migration import migrate
from models.office_checks import answer_page, decide_answer, open_answers
from models.office_release import ask_release, check_confirmation, receipt_of, released
from models.readiness import BLOCKS, obstacles, readiness
from models.released import BlindDossier, BlindPage, put_dossiers, released_codes, take_back
from models.review import Candidate, Recusal
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet
from models.rounds import OrderError, lock_round, record_recusal
from models.sheets import assign_sheets, save_draft
from models.vault_pages import Job, Page, Release
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from tests.models.rounds_sample import CODES, sample_round, submit_all

SHA = "a" * 64


@pytest.fixture
def vault(empty_store: Engine) -> Engine:
    migrate(empty_store, "vault")
    return empty_store


def add_round(session: Session, entrants: int = 1, pages: int = 2, two: bool = False) -> int:
    """A round whose dossiers are all ready."""
    made = OfficeRound(name=f"甲{two}", year=2024, policy_name="x", policy="", committee_members=9,
                       two_person_release=two, created_at=utc_now())  # fmt: skip
    session.add(made)
    session.flush()
    for number in range(1, entrants + 1):
        entrant = Entrant(round_id=made.id, number=number, name=f"李{number}", unit="局", row="{}",
                          code=f"K7QF-{number:02d}")  # fmt: skip
        session.add(entrant)
        session.flush()
        for page in range(pages):
            add_page(session, entrant, page)
    return made.id


def add_page(session: Session, entrant: Entrant, number: int, state: str = "clean") -> Page:
    path = f"{entrant.id}/{number}.jpg"
    file = SourceFile(
        round_id=entrant.round_id, entrant_id=entrant.id, path=path, folder="", category="其他",
        sha256=SHA, size=1, state="done", received_at="",
    )  # fmt: skip
    session.add(file)
    session.flush()
    page = Page(
        round_id=entrant.round_id, entrant_id=entrant.id, file_id=file.id, source_page=0,
        position=number, category="其他", state=state, staged_sha256=SHA,
        record=json.dumps({"staged": "p.jpg", "size": [100, 200], "masks": []}),
    )  # fmt: skip
    session.add(page)
    session.flush()
    return page


def first(session: Session) -> Entrant:
    return session.scalars(select(Entrant).order_by(Entrant.id)).first()  # type: ignore[return-value]


def block(session: Session, kind: str) -> None:
    """Puts one obstacle of a kind in the way of the first dossier."""
    entrant = first(session)
    page = session.scalars(select(Page).where(Page.entrant_id == entrant.id)).first()
    assert page is not None
    file = session.get_one(SourceFile, page.file_id)
    if kind == "no_pages":
        for gone in session.scalars(select(Page).where(Page.entrant_id == entrant.id)).all():
            session.delete(gone)
    elif kind == "away":
        entrant.returned_at = utc_now()
    elif kind == "files":
        file.state = "failed"
    elif kind == "jobs":
        session.add(Job(round_id=page.round_id, kind="consistency", target=file.id,
                        created_at=utc_now()))  # fmt: skip
    elif kind == "frozen":
        page.frozen = True
    elif kind == "returned":
        page.decision = "returned"
    elif kind == "answers":
        token = make_links(session, entrant_ids=[entrant.id], hours=1, by="a")[entrant.id]
        answer_page(session, link=link_of(session, token), number=1, shown_sha256=SHA,
                    answer="yes", remark="", places=[])  # fmt: skip
    else:
        page.state = kind
    session.flush()


@pytest.mark.parametrize("kind", BLOCKS)
def test_each_obstacle_keeps_a_dossier_in_and_the_overview_says_the_same(
    vault: Engine, kind: str
) -> None:
    with Session(vault) as session:
        round_id = add_round(session, entrants=2)
        mine, other = session.scalars(select(Entrant.id).order_by(Entrant.id)).all()
        assert obstacles(session, mine) == []
        assert readiness(session, round_id)[mine].state == "ready"
        block(session, kind)
        assert len(obstacles(session, mine)) == 1
        found = readiness(session, round_id)
        assert found[mine].blocks == ((kind, 1),)
        assert found[mine].state == "blocked"
        assert found[other].blocks == ()
        with pytest.raises(RuleError):
            ask_release(session, entrant_id=mine, by="a")


def test_pages_of_replaced_files_are_no_obstacle_and_do_not_leave(vault: Engine) -> None:
    with Session(vault) as session:
        round_id = add_round(session)
        entrant = first(session)
        page = add_page(session, entrant, 7, "failed")
        session.get_one(SourceFile, page.file_id).state = "replaced"
        session.flush()
        assert obstacles(session, entrant.id) == []
        assert readiness(session, round_id)[entrant.id].pages == 2
        release = ask_release(session, entrant_id=entrant.id, by="a")
        assert [name for _, name, _ in json.loads(release.hashes)] == ["001.jpg", "002.jpg"]


def test_the_overview_takes_as_many_queries_for_one_dossier_as_for_thirty(vault: Engine) -> None:
    counts = []
    with Session(vault) as session:
        rounds = [add_round(session, entrants=1), add_round(session, entrants=30, two=True)]
        session.commit()
        for round_id in rounds:
            seen: list[str] = []
            record = lambda _c, _cur, text, *_: seen.append(text)  # noqa: E731, B023
            event.listen(vault, "before_cursor_execute", record)
            assert len(readiness(session, round_id)) in (1, 30)
            event.remove(vault, "before_cursor_execute", record)
            counts.append(len([text for text in seen if text.startswith("SELECT")]))
    assert counts[0] == counts[1] <= 8


def test_nobody_confirms_alone_where_two_must(vault: Engine) -> None:
    with Session(vault) as session:
        add_round(session, two=True)
        release = ask_release(session, entrant_id=first(session).id, by="a")
        with pytest.raises(RuleError, match="由另一人确认"):
            check_confirmation(session, release, "a")
        check_confirmation(session, release, "b")
        released(session, release, "b")
        assert (release.state, release.confirmed_by) == ("released", "b")
        with pytest.raises(RuleError):
            check_confirmation(session, release, "b")


def test_a_page_that_changed_after_asking_does_not_leave(vault: Engine) -> None:
    with Session(vault) as session:
        add_round(session)
        release = ask_release(session, entrant_id=first(session).id, by="a")
        session.scalars(select(Page)).all()[0].staged_sha256 = "b" * 64
        session.flush()
        with pytest.raises(RuleError):
            check_confirmation(session, release, "a")


def test_an_answer_that_was_decided_is_no_obstacle(vault: Engine) -> None:
    with Session(vault) as session:
        round_id = add_round(session)
        block(session, "answers")
        (waiting,) = open_answers(session, round_id=round_id)
        with pytest.raises(RuleError):
            decide_answer(session, answer_id=waiting.answer.id, verdict="declined", reason=" ",
                          mask=False, by="a")  # fmt: skip
        decide_answer(session, answer_id=waiting.answer.id, verdict="declined", reason="不是本人",
                      mask=False, by="a")  # fmt: skip
        assert obstacles(session, first(session).id) == []


def dossier(code: str, pages: int = 2, sha: str = SHA) -> BlindDossier:
    listed = tuple(BlindPage(n, "其他", "jpg", 10, 20, sha) for n in range(1, pages + 1))
    return BlindDossier(code, "实验技术", "中级", listed, hashlib.sha256(code.encode()).hexdigest())


NEW = "A3XW-9T"


def test_the_review_store_gets_pages_once_and_its_audit_names_no_code(store: Engine) -> None:
    with Session(store) as session:
        round_id = sample_round(session)
        for _ in range(2):  # a release that was cut short is repeated
            put_dossiers(session, round_id=round_id, dossiers=[dossier(NEW)], by="office")
        pages = session.scalars(select(ReleasedPage).filter_by(code=NEW)).all()
        assert [page.number for page in pages] == [1, 2]
        assert session.get_one(Candidate, (round_id, NEW)).defence == "not_required"
        assert released_codes(session, round_id) == {NEW}
        with pytest.raises(OrderError):
            put_dossiers(session, round_id=round_id, dossiers=[dossier(NEW, sha="b" * 64)], by="o")
        told = session.scalars(select(AuditEvent).filter_by(action="release")).all()
        assert len(told) == 2
        assert all(NEW not in event.details for event in told)
        assert verify_audit(session).whole


def test_a_release_is_taken_back_until_somebody_scores(store: Engine) -> None:
    with Session(store) as session:
        round_id = sample_round(session)
        put_dossiers(session, round_id=round_id, dossiers=[dossier(NEW), dossier(CODES[0])], by="o")
        assign_sheets(session, round_id=round_id, pairs=[("R01", NEW)], by="o")
        assert take_back(session, round_id=round_id, code=NEW, receipt="r", by="o")
        assert not take_back(session, round_id=round_id, code=NEW, receipt="r", by="o")
        assert session.get(Candidate, (round_id, NEW)) is None
        assert session.scalars(select(Sheet).filter_by(code=NEW)).all() == []
        assert released_codes(session, round_id) == {CODES[0]}
        sheet = session.scalars(select(Sheet.id).filter_by(code=CODES[0])).first()
        assert sheet is not None
        save_draft(session, sheet_id=sheet, scores={}, comment="", base_version=0, by="R01")
        with pytest.raises(OrderError):
            take_back(session, round_id=round_id, code=CODES[0], receipt="r", by="o")


def test_nothing_comes_or_goes_once_the_scores_are_locked(store: Engine) -> None:
    with Session(store) as session:
        round_id = sample_round(session)
        put_dossiers(session, round_id=round_id, dossiers=[dossier(CODES[0])], by="o")
        submit_all(session, round_id)
        lock_round(session, round_id=round_id, min_sheets=1, by="o")
        for act in (
            lambda: put_dossiers(session, round_id=round_id, dossiers=[dossier(NEW)], by="o"),
            lambda: take_back(session, round_id=round_id, code=CODES[0], receipt="r", by="o"),
        ):
            with pytest.raises(OrderError):
                act()


def test_a_recusal_outlives_a_release_that_is_taken_back(store: Engine) -> None:
    with Session(store) as session:
        round_id = sample_round(session)
        put_dossiers(session, round_id=round_id, dossiers=[dossier(CODES[1])], by="o")
        record_recusal(session, round_id=round_id, reviewer="R01", code=CODES[1], reason="亲属",
                       by="o")  # fmt: skip
        assert take_back(session, round_id=round_id, code=CODES[1], receipt="r", by="o")
        assert session.scalars(select(ReleasedPage)).all() == []
        assert session.scalars(select(Recusal)).one().code == CODES[1]


def test_a_receipt_tells_releases_of_the_same_pages_apart(vault: Engine) -> None:
    with Session(vault) as session:
        add_round(session, entrants=2)
        releases = [
            ask_release(session, entrant_id=entrant, by="a")
            for entrant in session.scalars(select(Entrant.id)).all()
        ]
        assert len({release.salt for release in releases}) == 2
        assert len({receipt_of(release) for release in releases}) == 2
        assert session.scalars(select(Release)).all()[0].state == "asked"

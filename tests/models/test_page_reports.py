"""A page that a reviewer reports is frozen for all until the office has decided."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import AppendOnlyError
from models.errors import RuleError
from models.page_reports import (
    Replacement,
    open_reports,
    report_page,
    reports_of,
    settle_report,
)
from models.released import take_back
from models.review import Candidate, Round
from models.review_pages import PageReport, PageSettlement, ReleasedPage
from models.rounds import InputError, OrderError, record_recusal
from tests.models.rounds_sample import CODES, sample_round, to_phase

OLD, NEW = "a" * 64, "b" * 64
CODE, OTHER = CODES


@pytest.fixture
def round_id(store: Engine) -> int:
    """A round with two released dossiers of two pages each, each with every seat."""
    with Session(store) as session, session.begin():
        found = sample_round(session)
        session.add_all(
            ReleasedPage(round_id=found, code=code, number=number, category="其他", suffix="jpg",
                         width=100, height=200, sha256=OLD)
            for code in CODES
            for number in (1, 2)
        )  # fmt: skip
        return found


def report(session: Session, round_id: int, number: int = 1, **changed: str) -> PageReport:
    asked = {"code": CODE, "reason": "页眉", "by": "R01", **changed}
    return report_page(session, round_id=round_id, number=number, **asked)


def settle(session: Session, round_id: int, **changed: object) -> None:
    asked = {"code": CODE, "number": 1, "decision": "not_identifying", "reason": "是出版社名",
             "by": "clerk", **changed}  # fmt: skip
    settle_report(session, round_id=round_id, **asked)  # type: ignore[arg-type]


def frozen(session: Session, round_id: int) -> set[tuple[str, int]]:
    rows = session.scalars(select(ReleasedPage).filter_by(round_id=round_id, frozen=True))
    return {(page.code, page.number) for page in rows}


def test_a_report_freezes_that_page_alone_and_waits_for_the_office(
    store: Engine, round_id: int
) -> None:
    with Session(store) as session, session.begin():
        made = report(session, round_id, reason="  页眉有单位 ")
        assert (made.reason, made.reported_by) == ("页眉有单位", "R01")
        # A device that did not hear the answer sends it again.
        assert report(session, round_id).id == made.id
        report(session, round_id, by="R02")
        report(session, round_id, number=2)
    with Session(store) as session:
        assert frozen(session, round_id) == {(CODE, 1), (CODE, 2)}
        waiting = [(one.number, one.reported_by) for one in open_reports(session, round_id)]
        assert waiting == [(1, "R01"), (1, "R02"), (2, "R01")]
        assert open_reports(session, round_id + 1) == []
        told = session.scalars(select(AuditEvent.details).filter_by(action="report_page")).all()
        assert len(told) == 3
        assert not any("单位" in details for details in told)
        assert verify_audit(session).whole


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 3},
        {"code": "nobody"},
        {"by": "R09"},
        {"reason": " "},
        {"reason": "长" * 501},
    ],
)
def test_a_report_of_nothing_is_refused(
    store: Engine, round_id: int, wrong: dict[str, object]
) -> None:
    with Session(store) as session:
        with pytest.raises(InputError):
            report(session, round_id, **wrong)  # type: ignore[arg-type]
        assert frozen(session, round_id) == set()


def test_a_seat_reports_only_pages_on_its_own_desk(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        record_recusal(session, round_id=round_id, reviewer="R01", code=CODE, reason="同乡", by="s")
        with pytest.raises(InputError, match="没有"):
            report(session, round_id)
        report(session, round_id, code=OTHER)
        assert frozen(session, round_id) == {(OTHER, 1)}


@pytest.mark.parametrize(
    ("phase", "open_"), [("locked", True), ("voting", True), ("closed", False)]
)
def test_a_report_is_taken_until_the_round_is_closed(
    store: Engine, round_id: int, phase: str, open_: bool
) -> None:
    with Session(store) as session:
        to_phase(session, round_id, phase)
        if open_:
            report(session, round_id)
        else:
            with pytest.raises(OrderError):
                report(session, round_id)
        assert bool(frozen(session, round_id)) is open_


def test_a_page_that_shows_nobody_is_given_back_unchanged(store: Engine, round_id: int) -> None:
    with Session(store) as session, session.begin():
        report(session, round_id)
        report(session, round_id, by="R02")
        report(session, round_id, code=OTHER)
        settle(session, round_id)
    with Session(store) as session:
        assert frozen(session, round_id) == {(OTHER, 1)}
        assert [one.code for one in open_reports(session, round_id)] == [OTHER]
        page = session.get_one(ReleasedPage, (round_id, CODE, 1))
        assert (page.sha256, page.suffix) == (OLD, "jpg")
        settled = [one for one in reports_of(session, round_id, [CODE]) if one.settlement]
        assert [one.report.reported_by for one in settled] == ["R02", "R01"]
        for one in settled:
            assert one.settlement is not None
            assert (one.settlement.by, one.settlement.reason) == ("clerk", "是出版社名")
            assert one.settlement.before_sha256 == one.settlement.after_sha256 == OLD
        with pytest.raises(OrderError, match="没有待处理"):
            settle(session, round_id)
        # The same reviewer may look again and still find a name.
        report(session, round_id)
        assert frozen(session, round_id) == {(CODE, 1), (OTHER, 1)}


def test_a_replaced_page_has_new_pixels_and_both_hashes_are_kept(
    store: Engine, round_id: int
) -> None:
    with Session(store) as session, session.begin():
        report(session, round_id)
        new = Replacement("png", 90, 180, NEW, "receipt")
        settle(session, round_id, decision="replaced", reason="已遮盖页眉", new=new)
    with Session(store) as session:
        page = session.get_one(ReleasedPage, (round_id, CODE, 1))
        assert (page.sha256, page.suffix, page.width, page.height) == (NEW, "png", 90, 180)
        assert not page.frozen
        kept = session.scalars(select(PageSettlement)).one()
        assert (kept.decision, kept.before_sha256, kept.after_sha256) == ("replaced", OLD, NEW)
        told = session.scalars(select(AuditEvent.details).filter_by(action="settle_report")).one()
        assert OLD in told
        assert NEW in told
        assert "receipt" in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " "},
        {"decision": "withdrawn"},
        {"decision": "replaced"},
        {"new": Replacement("jpg", 1, 1, NEW, "")},
        {"decision": "replaced", "new": Replacement("jpg", 1, 1, OLD, "")},
        {"number": 2},
        {"code": "nobody"},
    ],
)
def test_a_decision_that_cannot_be_leaves_the_page_frozen(
    store: Engine, round_id: int, wrong: dict[str, object]
) -> None:
    with Session(store) as session:
        report(session, round_id)
        with pytest.raises(RuleError):
            settle(session, round_id, **wrong)
        assert frozen(session, round_id) == {(CODE, 1)}
        assert len(open_reports(session, round_id)) == 1


def test_taking_the_dossier_back_closes_its_reports_and_keeps_them(
    store: Engine, round_id: int
) -> None:
    with Session(store) as session, session.begin():
        report(session, round_id)
        report(session, round_id, code=OTHER)
        assert take_back(session, round_id=round_id, code=CODE, receipt="r", by="clerk")
    with Session(store) as session:
        assert [one.code for one in open_reports(session, round_id)] == [OTHER]
        (kept,) = reports_of(session, round_id, [CODE])
        assert kept.settlement is not None
        assert (kept.settlement.decision, kept.settlement.before_sha256) == ("withdrawn", OLD)
        # Evidence refers to the code; the dossier itself is gone.
        assert session.get(Candidate, (round_id, CODE)) is not None
        assert session.scalars(select(ReleasedPage.code).distinct()).all() == [OTHER]


def test_reports_are_evidence(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        made = report(session, round_id)
        session.commit()
        made.reason = "nothing"
        with pytest.raises(AppendOnlyError):
            session.flush()
    with pytest.raises(IntegrityError, match="replaced"), Session(store) as session:
        session.add(PageSettlement(report_id=1, decision="replaced", reason="x", by="a", at="",
                                   before_sha256=OLD, after_sha256=OLD))  # fmt: skip
        session.flush()


def test_reports_of_a_closed_round_can_still_be_settled(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        report(session, round_id)
        session.execute(update(Round).values(phase="closed"))
        settle(session, round_id)
        assert frozen(session, round_id) == set()

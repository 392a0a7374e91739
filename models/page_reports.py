"""Reports that a released page shows who it is: frozen for all experts until the office decides.

A report's reason is kept where experts' data is kept, so the page that asks for it must tell the
expert not to repeat the name or unit that was seen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import Sentence
from models.review_pages import SETTLEMENTS, PageReport, PageSettlement, ReleasedPage
from models.review_sheets import Sheet
from models.rounds import InputError, OrderError, get_round, get_seat, record_event, require_phase

LONGEST_REASON = 500
REPORT_PHASES = ("scoring", "locked", "defence", "voting")


@dataclass(frozen=True)
class Replacement:
    """A released page's new file: suffix without a dot, size in pixels, hash.

    `receipt`: of the release as it is now (models.office_release.receipt_of).
    """

    suffix: str
    width: int
    height: int
    sha256: str
    receipt: str


@dataclass(frozen=True)
class Settled:
    """A report and what was decided about it, None while it is open."""

    report: PageReport
    settlement: PageSettlement | None


def report_page(
    session: Session, *, round_id: int, code: str, number: int, reason: str, by: str
) -> PageReport:
    """Freezes a released page for every expert and puts it before the office.

    `by`: the seat, which must hold the dossier. The same seat's second report of a page that is
    still open is the first one, so that a device may send it again. InputError with everything
    that is wrong; OrderError once the round is closed.
    """
    require_phase(get_round(session, round_id, change=True), *REPORT_PHASES)
    get_seat(session, round_id, by)
    page = _page(session, round_id, code, number)
    problems = []
    if page is None or not _holds(session, round_id, by, code):
        problems.append(
            Sentence(
                f"您没有 {code} 第 {number:03d} 页，无法报告。",
                f"You have no page {number:03d} of {code} to report.",
            )
        )
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        problems.append(
            Sentence(
                f"请写明此页哪里显示了身份（{LONGEST_REASON} 字以内），不要写出姓名或单位。",
                f"Say where the page shows who it is, in {LONGEST_REASON} characters or fewer, "
                "without writing the name or unit.",
            )
        )
    if problems:
        raise InputError(problems)
    assert page is not None
    mine = session.scalars(
        _open(round_id).where(
            PageReport.code == code, PageReport.number == number, PageReport.reported_by == by
        )
    ).first()
    if mine is not None:
        return mine
    page.frozen = True
    at = record_event(
        session,
        by=by,
        action="report_page",
        round_id=round_id,
        details={"code": code, "number": number},
    )
    found = PageReport(
        round_id=round_id, code=code, number=number, reason=reason.strip(), reported_by=by, at=at
    )
    session.add(found)
    session.flush()
    return found


def open_reports(session: Session, round_id: int) -> list[PageReport]:
    """Reports of the round that nobody has decided, oldest first."""
    return list(session.scalars(_open(round_id).order_by(PageReport.id)))


def reports_of(
    session: Session, round_id: int, codes: Collection[str] | None = None
) -> list[Settled]:
    """All reports of the round, or of some dossiers, newest first, with what was decided."""
    chosen = (
        select(PageReport, PageSettlement)
        .outerjoin(PageSettlement, PageSettlement.report_id == PageReport.id)
        .where(PageReport.round_id == round_id)
        .order_by(PageReport.id.desc())
    )
    if codes is not None:
        chosen = chosen.where(PageReport.code.in_(codes))
    return [Settled(row[0], row[1]) for row in session.execute(chosen)]


def settle_report(
    session: Session,
    *,
    round_id: int,
    code: str,
    number: int,
    decision: str,
    reason: str,
    by: str,
    new: Replacement | None = None,
) -> None:
    """Decides all open reports of a page at once and gives the page back to the experts.

    `decision`: "not_identifying", or "replaced" with the `new` page that takes its place,
    which must differ. `by`: the office's login. InputError with everything that is wrong,
    OrderError when no report of the page is open.
    """
    get_round(session, round_id, change=True)
    page = _page(session, round_id, code, number)
    reports = session.scalars(
        _open(round_id).where(PageReport.code == code, PageReport.number == number)
    ).all()
    if page is None or not reports:
        raise OrderError(
            Sentence(
                f"{code} 第 {number:03d} 页没有待处理的报告，可能已由他人处理。",
                f"No report of {code} page {number:03d} waits; somebody else may have settled it.",
            )
        )
    problems = []
    if decision not in SETTLEMENTS[:2] or (decision == "replaced") != (new is not None):
        problems.append(
            Sentence(f"没有处理方式“{decision}”。", f'There is no decision "{decision}".')
        )
    if new is not None and new.sha256 == page.sha256:
        problems.append(
            Sentence(
                f"{code} 第 {number:03d} 页与已放行的页面相同。请先补充遮盖。",
                f"Page {number:03d} of {code} is the one that was released. Mask it first.",
            )
        )
    if not reason.strip():
        problems.append(Sentence("请写明处理理由。", "Give a reason for the decision."))
    if problems:
        raise InputError(problems)
    before = page.sha256
    if new is not None:
        page.suffix, page.sha256, page.width, page.height = (
            new.suffix,
            new.sha256,
            new.width,
            new.height,
        )
    page.frozen = False
    record_event(
        session,
        by=by,
        action="settle_report",
        round_id=round_id,
        details={
            "code": code,
            "number": number,
            "decision": decision,
            "before": before,
            "after": page.sha256,
            "receipt": new.receipt if new is not None else "",
        },
    )
    _settle(session, reports, (decision, reason.strip(), before, page.sha256), by)


def settle_withdrawn(session: Session, *, round_id: int, code: str, by: str) -> None:
    """Closes the open reports of a dossier that is being taken back from the experts."""
    pages = {
        page.number: page.sha256
        for page in session.scalars(select(ReleasedPage).filter_by(round_id=round_id, code=code))
    }
    for report in session.scalars(_open(round_id).where(PageReport.code == code)).all():
        sha256 = pages.get(report.number, "")
        _settle(session, [report], ("withdrawn", "", sha256, sha256), by)


def _settle(
    session: Session, reports: Collection[PageReport], said: tuple[str, str, str, str], by: str
) -> None:
    decision, reason, before, after = said
    session.add_all(
        PageSettlement(
            report_id=report.id,
            decision=decision,
            reason=reason,
            before_sha256=before,
            after_sha256=after,
            by=by,
            at=utc_now(),
        )
        for report in reports
    )
    session.flush()


def _open(round_id: int) -> Select[PageReport]:
    settled = select(PageSettlement.report_id)
    return select(PageReport).where(PageReport.round_id == round_id, PageReport.id.not_in(settled))


def _page(session: Session, round_id: int, code: str, number: int) -> ReleasedPage | None:
    return session.get(
        ReleasedPage, (round_id, code, number), with_for_update=True, populate_existing=True
    )


def _holds(session: Session, round_id: int, seat: str, code: str) -> bool:
    """Whether the dossier is on the seat's desk."""
    state = session.scalar(
        select(Sheet.state).filter_by(round_id=round_id, reviewer=seat, code=code)
    )
    return state in ("open", "submitted", "excluded")

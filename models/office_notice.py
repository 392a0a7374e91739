"""The public notice of a result: when it hung, the office's own calendar days, what was said."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.office_unsealing import require_unsealed
from models.vault_results import Complaint, OfficeDay, ResultNotice
from models.vault_rounds import OfficeRound

LEAST_DAYS = 5
"""National practice: results are public for at least five working days."""
LONGEST_TEXT = 5000


def notices_of(session: Session, round_id: int) -> list[ResultNotice]:
    """The notices of a round; the last one holds."""
    return list(
        session.scalars(select(ResultNotice).filter_by(round_id=round_id).order_by("number"))
    )


def post_notice(
    session: Session,
    *,
    round_id: int,
    tally: int,
    posted: date,
    working_days: int,
    place: str,
    contact: str,
    by: str,
) -> ResultNotice:
    """Notes that a notice of tally `tally` was posted. RuleError with everything that is wrong."""
    session.get_one(OfficeRound, round_id, with_for_update=True)
    require_unsealed(session, round_id)
    problems = []
    if working_days < LEAST_DAYS:
        problems.append(
            Sentence(
                f"公示不少于 {LEAST_DAYS} 个工作日，现为 {working_days}。",
                f"A notice hangs for at least {LEAST_DAYS} working days, not {working_days}.",
            )
        )
    for zh, en, text in (("公示地点", "place", place), ("受理方式", "contact", contact)):
        problems += _said(zh, en, text)
    if problems:
        raise RuleError(problems)
    last = session.scalar(select(func.max(ResultNotice.number)).filter_by(round_id=round_id)) or 0
    made = ResultNotice(
        round_id=round_id,
        number=last + 1,
        tally=tally,
        posted=posted.isoformat(),
        working_days=working_days,
        place=place.strip(),
        contact=contact.strip(),
        by=by,
        at=utc_now(),
    )
    session.add(made)
    session.flush()
    details = {"number": made.number, "tally": tally, "posted": made.posted, "days": working_days}
    record_event(session, actor=by, action="notice.post", round_id=round_id, details=details)
    return made


def days_of(session: Session, round_id: int) -> dict[date, bool]:
    """The days that the office set: date -> working."""
    rows = session.scalars(select(OfficeDay).filter_by(round_id=round_id).order_by(OfficeDay.day))
    return {date.fromisoformat(row.day): row.working for row in rows}


def set_day(session: Session, *, round_id: int, day: date, working: bool | None, by: str) -> None:
    """Marks a day as working or off, or leaves it to the published calendar (None)."""
    found = session.get(OfficeDay, (round_id, day.isoformat()))
    if working is None:
        if found is not None:
            session.delete(found)
    elif found is None:
        session.add(OfficeDay(round_id=round_id, day=day.isoformat(), working=working))
    else:
        found.working = working
    details = {"day": day.isoformat(), "working": working}
    record_event(session, actor=by, action="calendar.day", round_id=round_id, details=details)
    session.flush()


def complaints_of(session: Session, round_id: int) -> list[Complaint]:
    """What was said against the notice, in the order in which it was written down."""
    return list(session.scalars(select(Complaint).filter_by(round_id=round_id).order_by("number")))


def log_complaint(
    session: Session, *, round_id: int, received: date, sender: str, text: str, by: str
) -> Complaint:
    """Writes a complaint down under the next number."""
    session.get_one(OfficeRound, round_id, with_for_update=True)
    problems = [*_said("反映人", "sender", sender), *_said("内容", "text", text)]
    if len(sender.strip()) > 200:
        problems.append(Sentence("反映人超过 200 字。", "The sender is longer than 200 letters."))
    if problems:
        raise RuleError(problems)
    last = session.scalar(select(func.max(Complaint.number)).filter_by(round_id=round_id)) or 0
    made = Complaint(
        round_id=round_id,
        number=last + 1,
        received=received.isoformat(),
        sender=sender.strip(),
        text=text.strip(),
        by=by,
        at=utc_now(),
    )
    session.add(made)
    session.flush()
    details = {"number": made.number, "received": made.received}
    record_event(session, actor=by, action="complaint.log", round_id=round_id, details=details)
    return made


def answer_complaint(session: Session, *, round_id: int, number: int, answer: str, by: str) -> None:
    """Keeps the answer to a complaint; it is given once, RuleError else."""
    found = session.get(Complaint, (round_id, number), with_for_update=True)
    problems = _said("答复", "answer", answer)
    if found is None or found.answer:
        problems.append(
            Sentence(
                f"第 {number} 条反映不存在或已答复。",
                f"There is no complaint {number}, or it has been answered.",
            )
        )
    if problems or found is None:
        raise RuleError(problems)
    found.answer, found.answered_by, found.answered_at = answer.strip(), by, utc_now()
    details = {"number": number}
    record_event(session, actor=by, action="complaint.answer", round_id=round_id, details=details)
    session.flush()


def _said(zh: str, en: str, text: str) -> list[Sentence]:
    if not text.strip():
        return [Sentence(f"请填写{zh}。", f"Fill in the {en}.")]
    if len(text) > LONGEST_TEXT:
        return [Sentence(f"{zh}太长，请缩短。", f"The {en} is too long; shorten it.")]
    return []

"""Writes of a round: opening, policies, candidates, seats, and the order of its phases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audit import append_event
from models.base import utc_now
from models.errors import RuleError, Sentence
from models.review import (
    Candidate,
    PolicySnapshot,
    Recusal,
    Reviewer,
    Round,
)
from models.review_ballots import Ballot, BallotItem, VoterRoll
from models.review_sheets import Sheet

# The order of work (DOMAIN.md): blind scores are locked before anything reveals a person.
_NEXT: dict[str, tuple[str, ...]] = {
    "locked": ("defence", "voting", "closed"),
    "defence": ("voting", "closed"),
    "voting": ("closed",),
}
_PHASES_ZH = {
    "scoring": "盲评打分",
    "locked": "盲评已锁定",
    "defence": "答辩",
    "voting": "投票",
    "closed": "已结束",
}


class OrderError(RuleError):
    """An act out of the order of work, or a lock that something unfinished blocks."""


class InputError(RuleError):
    """Values that the store cannot take; every one of them is named."""


def scaled(text: str, places: int) -> int:
    """A decimal string as an integer of 10 ** -places points; InputError if it does not fit."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0 or value.adjusted() > 12:
        raise InputError(
            Sentence(
                f"分数 {text!r} 不是非负小数。请改正。",
                f"The score {text!r} is not a decimal number of 0 or more. Correct it.",
            )
        )
    shifted = value.scaleb(places)
    if shifted != shifted.to_integral_value():
        raise InputError(
            Sentence(
                f"分数 {text} 的小数位多于 {places} 位。请改正。",
                f"The score {text} has more than {places} decimal places. Correct it.",
            )
        )
    return int(shifted)


def open_round(
    session: Session,
    *,
    name: str,
    year: int,
    places: int,
    committee_members: int,
    policy_text: str,
    seats: Iterable[str],
    by: str,
) -> Round:
    """Open a round in phase `scoring` with its first policy snapshot and its seats."""
    found = Round(name=name, year=year, places=places, committee_members=committee_members)
    session.add(found)
    session.flush()
    session.add_all(Reviewer(round_id=found.id, seat=seat) for seat in sorted(set(seats)))
    append_event(session, actor=by, action="open_round", details={"round": found.id, "name": name})
    snapshot_policy(session, round_id=found.id, text=policy_text, by=by)
    return found


def snapshot_policy(
    session: Session,
    *,
    round_id: int,
    text: str,
    by: str,
    reason: str = "",
    confirmed_by: str = "",
) -> PolicySnapshot:
    """Keep the policy's text under the next number; the highest number holds."""
    get_round(session, round_id, change=True)
    last = session.scalar(
        select(func.max(PolicySnapshot.number)).where(PolicySnapshot.round_id == round_id)
    )
    number, digest = (last or 0) + 1, hashlib.sha256(text.encode()).hexdigest()
    why = {"reason": reason, "confirmed_by": confirmed_by}
    snapshot = PolicySnapshot(
        round_id=round_id,
        number=number,
        text=text,
        sha256=digest,
        by=by,
        at=record_event(
            session,
            by=by,
            action="snapshot_policy",
            round_id=round_id,
            details={"number": number, "sha256": digest, **{k: v for k, v in why.items() if v}},
        ),
    )
    session.add(snapshot)
    session.flush()
    return snapshot


def record_attendance(
    session: Session, *, round_id: int, seat: str, present: bool, by: str
) -> None:
    """Record whether a seat is present; refused while a ballot is open."""
    found = get_round(session, round_id, change=True)
    require_phase(found, "scoring", "locked", "defence", "voting")
    require_no_open_ballot(session, round_id)
    get_seat(session, round_id, seat).present = present
    record_event(
        session,
        by=by,
        action="record_attendance",
        round_id=round_id,
        details={"seat": seat, "present": present},
    )
    session.flush()


def record_recusal(
    session: Session, *, round_id: int, reviewer: str, code: str, reason: str, by: str
) -> None:
    """Take a reviewer out of a candidate's review; a sheet already begun is kept but not counted.

    Refused once the round is closed, while a ballot is open, and after the ballot on the candidate
    to somebody who was on its roll.
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "scoring", "locked", "defence", "voting")
    require_no_open_ballot(session, round_id)
    if not reason.strip():
        raise InputError(Sentence("回避须写明理由。", "A recusal needs a reason."))
    get_seat(session, round_id, reviewer)
    get_candidate(session, round_id, code)
    voted = (
        select(BallotItem.code)
        .join(VoterRoll, VoterRoll.ballot_id == BallotItem.ballot_id)
        .where(BallotItem.round_id == round_id, BallotItem.code == code)
        .where(VoterRoll.reviewer == reviewer)
    )
    if session.scalars(voted.limit(1)).first():
        # It would change the denominator of a ballot whose counts are known.
        raise OrderError(
            Sentence(
                f"{code} 的投票已结束且 {reviewer} 在出席名单上，不能再登记回避。",
                f"The ballot on {code} is closed with {reviewer} on its roll: too late to recuse.",
            )
        )
    if session.get(Recusal, (round_id, reviewer, code)) is not None:
        raise InputError(
            Sentence(
                f"{reviewer} 对 {code} 的回避已经记录。",
                f"The recusal of {reviewer} from {code} is already recorded.",
            )
        )
    at = record_event(
        session,
        by=by,
        action="record_recusal",
        round_id=round_id,
        details={"reviewer": reviewer, "code": code},
    )
    session.add(
        Recusal(round_id=round_id, reviewer=reviewer, code=code, reason=reason, by=by, at=at)
    )
    sheet = session.scalars(
        select(Sheet).filter_by(round_id=round_id, reviewer=reviewer, code=code)
    ).one_or_none()
    if sheet is not None:
        sheet.state, sheet.reason = "recused", reason
    session.flush()


def lock_round(session: Session, *, round_id: int, min_sheets: int, by: str) -> None:
    """Lock the blind scores: every sheet finished, every candidate with enough valid sheets.

    Raises OrderError with every unfinished sheet and every candidate below `min_sheets` (>= 1).
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "scoring")
    sheets = session.scalars(select(Sheet).filter_by(round_id=round_id)).all()
    problems = [
        Sentence(
            f"{sheet.reviewer} 对 {sheet.code} 的评分表尚未提交。请完成，或写明理由后排除。",
            f"{sheet.reviewer} has not submitted the sheet of {sheet.code}. Get it completed, or "
            "exclude it with a reason.",
        )
        for sheet in sorted(sheets, key=lambda s: (s.code, s.reviewer))
        if sheet.state == "open"
    ]
    candidates = session.scalars(select(Candidate).filter_by(round_id=round_id, disqualified=False))
    for code in sorted(candidate.code for candidate in candidates):
        valid = sum(s.code == code and s.state == "submitted" for s in sheets)
        if valid < max(min_sheets, 1):
            problems.append(
                Sentence(
                    f"{code} 只有 {valid} 份有效评分表，至少要 {max(min_sheets, 1)} 份。请补评。",
                    f"{code} has {valid} valid sheets of at least {max(min_sheets, 1)}. "
                    "Assign more reviewers.",
                )
            )
    if problems:
        raise OrderError(problems)
    found.phase = "locked"
    record_event(
        session, by=by, action="lock_round", round_id=round_id, details={"min_sheets": min_sheets}
    )
    session.flush()


def advance_round(session: Session, *, round_id: int, to: str, by: str) -> None:
    """Go on to defence, voting or closed; never back, and never past an open ballot."""
    found = get_round(session, round_id, change=True)
    if to not in _NEXT.get(found.phase, ()):
        raise OrderError(_wrong_phase(found, f"不能进入“{_PHASES_ZH.get(to, to)}”", f"enter {to}"))
    require_no_open_ballot(session, round_id)
    details = {"from": found.phase, "to": to}
    found.phase = to
    record_event(session, by=by, action="advance_round", round_id=round_id, details=details)
    session.flush()


def get_round(session: Session, round_id: int, *, change: bool = False) -> Round:
    """The round, locked against a change of phase while the caller's transaction lasts."""
    found = session.scalars(
        select(Round)
        .where(Round.id == round_id)
        .with_for_update(read=not change)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise InputError(
            Sentence(f"没有编号为 {round_id} 的评审轮次。", f"There is no round {round_id}.")
        )
    return found


def get_candidate(session: Session, round_id: int, code: str) -> Candidate:
    found = session.get(Candidate, (round_id, code))
    if found is None:
        raise InputError(
            Sentence(f"本轮没有编号为 {code} 的候选人。", f"This round has no candidate {code}.")
        )
    return found


def get_seat(session: Session, round_id: int, seat: str) -> Reviewer:
    found = session.get(Reviewer, (round_id, seat))
    if found is None:
        raise InputError(Sentence(f"本轮没有席位 {seat}。", f"This round has no seat {seat}."))
    return found


def is_recused(session: Session, round_id: int, reviewer: str, code: str) -> bool:
    return session.get(Recusal, (round_id, reviewer, code)) is not None


def require_phase(found: Round, *phases: str) -> None:
    """OrderError unless the round is in one of `phases`."""
    if found.phase not in phases:
        zh = "、".join(_PHASES_ZH[phase] for phase in phases)
        raise OrderError(
            _wrong_phase(found, f"此操作只能在“{zh}”阶段进行", f"this needs {' or '.join(phases)}")
        )


def require_no_open_ballot(session: Session, round_id: int) -> None:
    if session.scalars(select(Ballot.id).filter_by(round_id=round_id, state="open")).first():
        raise OrderError(
            Sentence(
                "有投票尚未结束。请先结束投票。", "A ballot is still open. Close the ballot first."
            )
        )


def _wrong_phase(found: Round, zh: str, en: str) -> Sentence:
    return Sentence(
        f"本轮处于“{_PHASES_ZH[found.phase]}”阶段，{zh}。",
        f"The round is in the phase {found.phase}: {en}.",
    )


def record_event(
    session: Session, *, by: str, action: str, round_id: int, details: Mapping[str, object]
) -> str:
    """An audit event of a round; returns the time for the row that it belongs to."""
    append_event(session, actor=by, action=action, details={"round": round_id, **details})
    return utc_now()

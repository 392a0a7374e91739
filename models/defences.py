"""Writes of the defence: scores and results, only after the blind scores are locked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import GROUNDS, Candidate, Recusal
from models.review_sheets import DefenceResult, DefenceScore
from models.rounds import (
    InputError,
    OrderError,
    get_candidate,
    get_round,
    get_seat,
    is_recused,
    record_event,
    require_phase,
)
from models.sheets import require_two

DEFENDING = ("attended", "waived")


@dataclass(frozen=True)
class PanelTask:
    """A candidate in front of a judge; `points`: the judge's scaled score, None before it."""

    code: str
    specialty: str
    level: str
    points: int | None


def panel_tasks(session: Session, round_id: int, judge: str) -> list[PanelTask]:
    """Whom a judge scores: those who came, without those the judge is recused from, by code."""
    away = select(Recusal.code).filter_by(round_id=round_id, reviewer=judge)
    found = session.scalars(
        select(Candidate)
        .where(
            Candidate.round_id == round_id,
            Candidate.defence.in_(DEFENDING),
            Candidate.disqualified.is_(False),
            Candidate.code.not_in(away),
        )
        .order_by(Candidate.code)
    )
    mine = {
        row.code: row.points
        for row in session.scalars(
            select(DefenceScore)
            .filter_by(round_id=round_id, judge=judge)
            .order_by(DefenceScore.number)
        )
    }
    return [PanelTask(one.code, one.specialty, one.level, mine.get(one.code)) for one in found]


def set_ground(
    session: Session, *, round_id: int, code: str, ground: str | None, reason: str, by: str
) -> None:
    """Record the ground on which a candidate is exempt, or that there is none, with the reason.

    Refused once the candidate has a defence score, and after the defence.
    """
    found = get_round(session, round_id)
    require_phase(found, "scoring", "locked", "defence")
    if (ground is not None and ground not in GROUNDS) or not reason.strip():
        raise InputError(
            Sentence(
                f"免答辩情形 {ground!r} 无效，或缺少理由。请改正。",
                f"The ground {ground!r} is not valid, or the reason is missing. Correct it.",
            )
        )
    if has_outcome(session, round_id, code):
        raise OrderError(
            Sentence(
                f"{code} 已有答辩成绩，不能再改免答辩情形。",
                f"{code} already has a defence score; its ground can no longer change.",
            )
        )
    candidate = get_candidate(session, round_id, code)
    details: dict[str, object] = {
        "code": code,
        "old": candidate.ground,
        "new": ground,
        "reason": reason,
    }
    candidate.ground = ground
    record_event(session, by=by, action="set_ground", round_id=round_id, details=details)
    session.flush()


def has_outcome(session: Session, round_id: int, code: str) -> bool:
    """Whether a candidate has a defence score or result."""
    return any(
        session.scalars(select(table.code).filter_by(round_id=round_id, code=code).limit(1)).first()
        for table in (DefenceScore, DefenceResult)
    )


def record_defence_score(
    session: Session, *, round_id: int, judge: str, code: str, points: int, maximum: int, by: str
) -> None:
    """Record a judge's scaled points (0 to `maximum`) for a candidate who attended.

    Raises OrderError out of the phase `defence` or where a score is recorded already.
    """
    require_phase(get_round(session, round_id), "defence")
    _check_defender(session, round_id, code)
    get_seat(session, round_id, judge)
    _check_points(points, maximum)
    if is_recused(session, round_id, judge, code):
        raise InputError(
            Sentence(f"{judge} 已回避 {code}，不能打分。", f"{judge} is recused from {code}.")
        )
    recorded = OrderError(
        Sentence(
            f"{judge} 对 {code} 的答辩分已经记录。如有误，请由两人更正。",
            f"{judge}'s defence score for {code} is recorded. Correct it with two persons.",
        )
    )
    if _last_score(session, round_id, judge, code) is not None:
        raise recorded
    session.add(
        DefenceScore(round_id=round_id, judge=judge, code=code, number=1, points=points, by=by)
    )
    try:
        session.flush()
    except IntegrityError as error:
        # Two tablets at once: the first one's score holds.
        raise recorded from error
    details: dict[str, object] = {"judge": judge, "code": code, "points": points}
    record_event(session, by=by, action="record_defence_score", round_id=round_id, details=details)
    session.flush()


def correct_defence_score(
    session: Session,
    *,
    round_id: int,
    judge: str,
    code: str,
    points: int,
    maximum: int,
    reason: str,
    by: str,
    confirmed_by: str,
) -> None:
    """Add a corrected score under the next number, with a reason and two persons."""
    require_phase(get_round(session, round_id), "defence", "voting", "closed")
    require_two(reason, by, confirmed_by)
    _check_points(points, maximum)
    last = _last_score(session, round_id, judge, code)
    if last is None:
        raise InputError(
            Sentence(
                f"{judge} 对 {code} 没有答辩分可更正。",
                f"There is no defence score of {judge} for {code} to correct.",
            )
        )
    session.add(
        DefenceScore(
            round_id=round_id,
            judge=judge,
            code=code,
            number=last.number + 1,
            points=points,
            reason=reason,
            by=by,
            confirmed_by=confirmed_by,
        )
    )
    details: dict[str, object] = {
        "judge": judge,
        "code": code,
        "old": last.points,
        "new": points,
        "reason": reason,
        "confirmed_by": confirmed_by,
    }
    record_event(session, by=by, action="correct_defence_score", round_id=round_id, details=details)
    session.flush()


def record_defence_result(
    session: Session,
    *,
    round_id: int,
    code: str,
    passed: bool,
    by: str,
    reason: str = "",
    confirmed_by: str | None = None,
) -> None:
    """Record pass or fail of an unscored defence; a change needs a reason and two persons."""
    found = get_round(session, round_id)
    last = session.scalar(
        select(func.max(DefenceResult.number)).filter_by(round_id=round_id, code=code)
    )
    if last is None:
        require_phase(found, "defence")
        _check_defender(session, round_id, code)
    else:
        require_phase(found, "defence", "voting", "closed")
        require_two(reason, by, confirmed_by or "")
    session.add(
        DefenceResult(
            round_id=round_id,
            code=code,
            number=(last or 0) + 1,
            passed=passed,
            reason=reason,
            by=by,
            confirmed_by=confirmed_by,
        )
    )
    details: dict[str, object] = {"code": code, "passed": passed, "reason": reason}
    record_event(session, by=by, action="record_defence_result", round_id=round_id, details=details)
    session.flush()


def defence_results(session: Session, round_id: int) -> dict[str, bool]:
    """Code -> whether the unscored defence was passed, as it holds."""
    rows = session.scalars(
        select(DefenceResult).filter_by(round_id=round_id).order_by(DefenceResult.number)
    )
    return {row.code: row.passed for row in rows}


def defence_scores(session: Session, round_id: int) -> dict[tuple[str, str], int]:
    """(judge, code) -> scaled points that hold."""
    rows = session.scalars(
        select(DefenceScore).filter_by(round_id=round_id).order_by(DefenceScore.number)
    )
    return {(row.judge, row.code): row.points for row in rows}


def _last_score(session: Session, round_id: int, judge: str, code: str) -> DefenceScore | None:
    return session.scalars(
        select(DefenceScore)
        .filter_by(round_id=round_id, judge=judge, code=code)
        .order_by(DefenceScore.number.desc())
        .limit(1)
    ).one_or_none()


def _check_defender(session: Session, round_id: int, code: str) -> None:
    standing = get_candidate(session, round_id, code).defence
    if standing not in DEFENDING:
        raise OrderError(
            Sentence(
                f"{code} 的答辩情形为 {standing}，不能记录答辩成绩。请先记录到场，或在答辩前记录"
                "放弃免答辩。",
                f"The defence standing of {code} is {standing}, so no result can be recorded. "
                "Record attendance, or a waiver before the defence.",
            )
        )


def _check_points(points: int, maximum: int) -> None:
    if not 0 <= points <= maximum:
        raise InputError(
            Sentence(
                "答辩分不在 0 至满分之间。请改正。",
                "The defence score is not between 0 and the maximum. Correct it.",
            )
        )

"""Writes of the defence: scores and results, only after the blind scores are locked."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Sentence
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


def record_defence_score(
    session: Session, *, round_id: int, judge: str, code: str, points: int, maximum: int, by: str
) -> None:
    """Record a judge's scaled points (0 to `maximum`) for a candidate who attended."""
    require_phase(get_round(session, round_id), "defence")
    _check_defender(session, round_id, code)
    get_seat(session, round_id, judge)
    _check_points(points, maximum)
    if is_recused(session, round_id, judge, code):
        raise InputError(
            Sentence(f"{judge} 已回避 {code}，不能打分。", f"{judge} is recused from {code}.")
        )
    if _last_score(session, round_id, judge, code) is not None:
        raise OrderError(
            Sentence(
                f"{judge} 对 {code} 的答辩分已经记录。如有误，请由两人更正。",
                f"{judge}'s defence score for {code} is recorded. Correct it with two persons.",
            )
        )
    session.add(
        DefenceScore(round_id=round_id, judge=judge, code=code, number=1, points=points, by=by)
    )
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
    if standing not in ("attended", "waived"):
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

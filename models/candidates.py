"""Writes of the candidates of a round: as released, their standing in the defence, taken out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import DEFENCE_STANDINGS, GROUNDS, Candidate
from models.review_sheets import DefenceResult, DefenceScore
from models.rounds import (
    InputError,
    OrderError,
    get_candidate,
    get_round,
    record_event,
    require_no_open_ballot,
    require_phase,
)
from models.sheets import require_two


@dataclass(frozen=True)
class NewCandidate:
    """A candidate as released: no name, no unit, no order."""

    code: str
    specialty: str
    level: str
    defence: str = "not_required"
    ground: str | None = None


def add_candidates(
    session: Session, *, round_id: int, candidates: Iterable[NewCandidate], by: str
) -> None:
    """Add released candidates, sorted by code so that no order of upload is kept."""
    require_phase(get_round(session, round_id), "scoring")
    rows = sorted(candidates, key=lambda candidate: candidate.code)
    problems = [
        Sentence(
            f"{row.code}：答辩情形 {row.defence!r} 或免答辩情形 {row.ground!r} 无效。请改正。",
            f"{row.code}: the defence standing {row.defence!r} or the ground {row.ground!r} is "
            "not valid. Correct it.",
        )
        for row in rows
        if row.defence not in DEFENCE_STANDINGS
        or (row.ground is not None and row.ground not in GROUNDS)
    ]
    known = set(session.scalars(select(Candidate.code).where(Candidate.round_id == round_id)))
    for row in rows:
        if row.code in known:
            problems.append(
                Sentence(
                    f"编号 {row.code} 重复。请删去重复的一行。",
                    f"The code {row.code} is given twice. Remove one of them.",
                )
            )
        known.add(row.code)
    if problems:
        raise InputError(problems)
    session.add_all(Candidate(round_id=round_id, **vars(row)) for row in rows)
    record_event(
        session,
        by=by,
        action="add_candidates",
        round_id=round_id,
        details={"codes": [row.code for row in rows]},
    )
    session.flush()


def set_defence_standing(
    session: Session, *, round_id: int, code: str, standing: str, reason: str, by: str
) -> None:
    """Record attended, exempt, absent, waived or not_required, with the reason.

    `attended` and `absent` are facts of the defence; a waiver or an exemption must stand before
    the candidate has any defence score (never the better of two).
    """
    found = get_round(session, round_id)
    if standing not in DEFENCE_STANDINGS or not reason.strip():
        raise InputError(
            Sentence(
                f"答辩情形 {standing!r} 无效，或缺少理由。请改正。",
                f"The defence standing {standing!r} is not valid, or the reason is missing. "
                "Correct it.",
            )
        )
    if standing in ("attended", "absent"):
        require_phase(found, "defence")
    else:
        require_phase(found, "scoring", "locked", "defence")
        scored = session.scalars(
            select(DefenceScore.code).filter_by(round_id=round_id, code=code).limit(1)
        ).first()
        judged = session.scalars(
            select(DefenceResult.code).filter_by(round_id=round_id, code=code).limit(1)
        ).first()
        if scored or judged:
            raise OrderError(
                Sentence(
                    f"{code} 已有答辩成绩，不能再改为免答辩或放弃免答辩。",
                    f"{code} already has a defence score; an exemption or a waiver must be "
                    "recorded before the defence.",
                )
            )
    candidate = get_candidate(session, round_id, code)
    details = {"code": code, "old": candidate.defence, "new": standing, "reason": reason}
    candidate.defence = standing
    record_event(session, by=by, action="set_defence_standing", round_id=round_id, details=details)
    session.flush()


def disqualify(
    session: Session, *, round_id: int, code: str, reason: str, by: str, confirmed_by: str = ""
) -> None:
    """Mark a candidate as disqualified; nothing is deleted and the frozen tallies stay.

    After the lock of the blind scores it takes a second person, `confirmed_by`.
    """
    if not reason.strip():
        raise InputError(Sentence("取消资格须写明理由。", "A disqualification needs a reason."))
    found = get_round(session, round_id, change=True)
    require_no_open_ballot(session, round_id)
    if found.phase != "scoring":
        require_two(reason, by, confirmed_by)
    candidate = get_candidate(session, round_id, code)
    if candidate.disqualified:
        raise InputError(Sentence(f"{code} 已被取消资格。", f"{code} is disqualified already."))
    candidate.disqualified = True
    confirmed = {"confirmed_by": confirmed_by} if confirmed_by else {}
    record_event(
        session,
        by=by,
        action="disqualify",
        round_id=round_id,
        details={"code": code, "reason": reason, **confirmed},
    )
    session.flush()

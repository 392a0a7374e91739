"""Another policy for a round whose scores nobody has begun: what was scored is never re-read."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import PolicySnapshot
from models.review_sheets import Sheet
from models.rounds import InputError, OrderError, get_round, require_phase, snapshot_policy


def sheets_begun(session: Session, round_id: int) -> int:
    """How many sheets of a round hold anything that a reviewer wrote."""
    chosen = select(func.count(Sheet.id)).where(Sheet.round_id == round_id, Sheet.version > 0)
    return session.scalar(chosen) or 0


def policies_of(session: Session, round_id: int) -> list[PolicySnapshot]:
    """Every policy that a round had, the one in force last."""
    chosen = select(PolicySnapshot).filter_by(round_id=round_id).order_by(PolicySnapshot.number)
    return list(session.scalars(chosen))


def replace_policy(
    session: Session, *, round_id: int, text: str, places: int, reason: str, by: str
) -> PolicySnapshot:
    """Let a round go by another policy, while it is being scored and no sheet is begun.

    `places`: decimal places of its points, 0 to 6. The policies before stay on record. Raises
    OrderError when it is too late, InputError without a reason or for the text in force.
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "scoring")
    begun = sheets_begun(session, round_id)
    if begun:
        raise OrderError(
            Sentence(
                f"已有 {begun} 份评分表动笔，不能再更换政策：已打的分数只对原来的评分项有效。",
                f"{begun} sheets are begun, so the policy can no longer be replaced: their scores "
                "are of the criteria that hold now.",
            )
        )
    problems = []
    if not reason.strip():
        problems.append(Sentence("更换政策须写明理由。", "Another policy needs a reason."))
    known = policies_of(session, round_id)
    if known and known[-1].text == text:
        problems.append(
            Sentence("这正是现行政策的文本，没有改变。", "This is the text of the policy in force.")
        )
    if problems:
        raise InputError(problems)
    found.places = places
    return snapshot_policy(session, round_id=round_id, text=text, by=by, reason=reason.strip())

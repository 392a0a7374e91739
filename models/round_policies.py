"""Another policy for an open round: what was scored or tallied by one is never read by another."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.errors import Sentence
from models.review import PolicySnapshot, Round, Tally
from models.review_sheets import Sheet
from models.rounds import (
    InputError,
    OrderError,
    get_round,
    require_no_open_ballot,
    require_phase,
    snapshot_policy,
)
from models.sheets import require_two


@dataclass(frozen=True)
class PolicyChange:
    """What another policy does to the one in force.

    `keeps_scores`: criteria and decimal places are the same. `completes`: nothing could be tallied
    by the policy in force, and the other one changes nothing that it states.
    """

    keeps_scores: bool
    completes: bool


@dataclass(frozen=True)
class KeptPolicy:
    """A policy that a round had or has. `reason`: why it replaced another, "" for the first."""

    snapshot: PolicySnapshot
    reason: str


def sheets_begun(session: Session, round_id: int) -> int:
    """How many sheets of a round hold anything that a reviewer wrote."""
    chosen = select(func.count(Sheet.id)).where(Sheet.round_id == round_id, Sheet.version > 0)
    return session.scalar(chosen) or 0


def policies_of(session: Session, round_id: int) -> list[KeptPolicy]:
    """Every policy that a round had, the one in force last; the reasons are in the audit."""
    chosen = select(PolicySnapshot).filter_by(round_id=round_id).order_by(PolicySnapshot.number)
    snapshots = session.scalars(chosen).all()
    reasons = {}
    for text in session.scalars(
        select(AuditEvent.details).where(AuditEvent.action == "snapshot_policy")
    ):
        details = json.loads(text)
        reasons[details["round"], details["number"]] = details.get("reason", "")
    return [KeptPolicy(one, reasons.get((round_id, one.number), "")) for one in snapshots]


def replace_policy(
    session: Session,
    *,
    round_id: int,
    text: str,
    places: int,
    change: PolicyChange,
    reason: str,
    by: str,
    confirmed_by: str = "",
) -> PolicySnapshot:
    """Let a round go by another policy; the policies before stay on record.

    `places`: decimal places of its points, 0 to 6. `change`: what it does to the policy in force.
    Anything may change until a sheet is begun, then all but criteria and places. After the lock it
    may only complete a policy by which nothing could be tallied, confirmed by a second person, and
    nothing changes once a tally stands. OrderError when it is too late for such a change,
    InputError without a reason, for the text in force, or for one person where it takes two.
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "scoring", "locked", "defence", "voting")
    require_no_open_ballot(session, round_id)
    _require_in_time(session, found, change)
    known = policies_of(session, round_id)
    problems = []
    if not reason.strip():
        problems.append(Sentence("更换政策须写明理由。", "Another policy needs a reason."))
    if known and known[-1].snapshot.text == text:
        problems.append(
            Sentence("这正是现行政策的文本，没有改变。", "This is the text of the policy in force.")
        )
    if problems:
        raise InputError(problems)
    if found.phase != "scoring":
        require_two(reason, by, confirmed_by)
    found.places = places
    return snapshot_policy(
        session,
        round_id=round_id,
        text=text,
        by=by,
        reason=reason.strip(),
        confirmed_by=confirmed_by.strip(),
    )


def _require_in_time(session: Session, found: Round, change: PolicyChange) -> None:
    begun = sheets_begun(session, found.id)
    if begun and not change.keeps_scores:
        raise OrderError(
            Sentence(
                f"已有 {begun} 份评分表动笔，不能再更换评分项和小数位数："
                "已打的分数只对原来的评分项有效。其余规定可以修改。",
                f"{begun} sheets are begun, so criteria and decimal places can no longer be "
                "replaced: the scores are of those that hold now. Other rules may change.",
            )
        )
    if found.phase == "scoring":
        return
    if session.scalars(select(Tally.number).filter_by(round_id=found.id).limit(1)).first():
        raise OrderError(
            Sentence(
                "汇总已按现行政策锁定，政策不能再更换。",
                "A tally is locked by the policy in force, so it can no longer be replaced.",
            )
        )
    if not change.completes:
        raise OrderError(
            Sentence(
                "盲评分数已锁定，只有现行政策缺少汇总所需的规定时才能补全，已写明的规定不能改动。",
                "The blind scores are locked: a policy may only be completed where it lacks what "
                "the tally needs, and nothing that it states may change.",
            )
        )

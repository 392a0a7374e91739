"""Writes of rulings and frozen tallies: numbered, append only, never overwritten."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import WITHDRAWN, Ruling, Tally
from models.rounds import (
    InputError,
    get_candidate,
    get_round,
    record_event,
    require_no_open_ballot,
    require_phase,
)
from models.sheets import require_two


def record_ruling(
    session: Session, *, round_id: int, code: str, subject: str, value: str, reason: str, by: str
) -> int:
    """Record the secretary's ruling under the next number; a later one on the subject holds.

    The value WITHDRAWN takes the ruling that holds back: what it decided may be settled since, and
    no tally takes a ruling that has nothing to decide. Both stay on record.
    """
    require_phase(
        get_round(session, round_id, change=True), "locked", "defence", "voting", "closed"
    )
    get_candidate(session, round_id, code)
    empty = [
        Sentence(f"裁定缺少{zh}。请填写。", f"The ruling lacks its {en}. Fill it in.")
        for zh, en, text in (
            ("事项", "subject", subject),
            ("结果", "value", value),
            ("理由", "reason", reason),
        )
        if not text.strip()
    ]
    if empty:
        raise InputError(empty)
    before = session.scalars(
        select(Ruling.value)
        .filter_by(round_id=round_id, code=code, subject=subject)
        .order_by(Ruling.number.desc())
        .limit(1)
    ).first()
    if value == WITHDRAWN and before in (None, WITHDRAWN):
        raise InputError(
            Sentence(f"{code} 没有可撤回的裁定。", f"There is no ruling on {code} to withdraw.")
        )
    number = (session.scalar(select(func.max(Ruling.number)).filter_by(round_id=round_id)) or 0) + 1
    at = record_event(
        session,
        by=by,
        action="record_ruling",
        round_id=round_id,
        details={"number": number, "code": code, "subject": subject, "value": value},
    )
    session.add(
        Ruling(
            round_id=round_id,
            number=number,
            code=code,
            subject=subject,
            value=value,
            reason=reason,
            by=by,
            at=at,
        )
    )
    session.flush()
    return number


def freeze_tally(
    session: Session,
    *,
    round_id: int,
    body: str,
    by: str,
    reason: str = "",
    confirmed_by: str | None = None,
) -> Tally:
    """Freeze RESULT.json as the next numbered tally; from the second on a reason and two persons.

    Refused before the lock and while a ballot is open. The hash of `body` goes into the audit
    chain, so that a changed record shows.
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "locked", "defence", "voting", "closed")
    require_no_open_ballot(session, round_id)
    number = (session.scalar(select(func.max(Tally.number)).filter_by(round_id=round_id)) or 0) + 1
    if number > 1:
        require_two(reason, by, confirmed_by or "")
    digest = hashlib.sha256(body.encode()).hexdigest()
    at = record_event(
        session,
        by=by,
        action="freeze_tally",
        round_id=round_id,
        details={
            "number": number,
            "sha256": digest,
            "reason": reason,
            "confirmed_by": confirmed_by,
        },
    )
    tally = Tally(
        round_id=round_id,
        number=number,
        body=body,
        body_sha256=digest,
        reason=reason,
        by=by,
        confirmed_by=confirmed_by,
        at=at,
    )
    session.add(tally)
    session.flush()
    return tally

"""Dossiers sent back and sent again: an applicant's log is only ever added to.

How often one may submit and how long a revision may take is the policy's (scoring.submissions);
its rule is handed in as `allow`, and asked while the applicant's row is locked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.release_lock import require_not_released
from models.vault_pages import Submission
from models.vault_rounds import Entrant, SourceFile

Allow = Callable[[Sequence[Submission]], None]
"""Raises RuleError when the log so far does not allow the next entry."""


def logs_of(session: Session, entrants: Sequence[Entrant]) -> dict[int, list[Submission]]:
    """Entrant -> the log, oldest first; a constant number of queries.

    Who was never sent back has no rows: the first scan that came is then the submission.
    """
    ids = [entrant.id for entrant in entrants]
    logs: dict[int, list[Submission]] = {entrant: [] for entrant in ids}
    rows = session.scalars(
        select(Submission).where(Submission.entrant_id.in_(ids)).order_by(Submission.id)
    )
    for row in rows:
        logs[row.entrant_id].append(row)
    first = session.execute(
        select(SourceFile.entrant_id, func.min(SourceFile.received_at))
        .where(SourceFile.entrant_id.in_(ids))
        .group_by(SourceFile.entrant_id)
    )
    for entrant_id, at in first:
        if entrant_id is not None and not logs[entrant_id]:
            logs[entrant_id] = [_entry(entrant_id, "submitted", at=at, by="")]
    return logs


def return_dossier(
    session: Session,
    *,
    entrant_id: int,
    reason: str,
    found: Sequence[str],
    allow: Allow,
    by: str,
) -> Submission:
    """Sends a dossier back; the policy's clock starts. `found`: what the applicant has to mend."""
    entrant = session.get_one(Entrant, entrant_id, with_for_update=True)
    if not reason.strip():
        raise RuleError(Sentence("退回须写明理由。", "A return needs a reason."))
    require_not_released(session, [entrant_id])
    log = logs_of(session, [entrant])[entrant_id]
    allow(log)
    if log and log[0] not in session:
        log[0].details = json.dumps(_files(session, entrant_id), ensure_ascii=False)
        session.add(log[0])
        session.flush()
    made = _entry(entrant_id, "returned", at=utc_now(), by=by, reason=reason, details=found)
    session.add(made)
    entrant.returned_at = made.at
    _note(session, entrant, made)
    return made


def submit_again(
    session: Session, *, entrant_id: int, at: str, allow: Allow, by: str
) -> Submission:
    """Notes that a returned dossier came again at `at` (UTC), with the hashes of its files."""
    entrant = session.get_one(Entrant, entrant_id, with_for_update=True)
    if at > utc_now() or at < entrant.returned_at:
        raise RuleError(
            Sentence(
                "重新提交的时间须在退回之后、现在之前。",
                "The time of the new submission lies after the return and not in the future.",
            )
        )
    log = logs_of(session, [entrant])[entrant_id]
    allow(log)
    files = _files(session, entrant_id)
    made = _entry(entrant_id, "submitted", at=at, by=by, details=files)
    session.add(made)
    entrant.returned_at = ""
    entrant.submissions = sum(entry.kind == "submitted" for entry in log) + 1
    _note(session, entrant, made)
    return made


def _entry(
    entrant_id: int, kind: str, *, at: str, by: str, reason: str = "", details: object = ()
) -> Submission:
    return Submission(
        entrant_id=entrant_id,
        kind=kind,
        at=at,
        by=by,
        reason=reason.strip(),
        details=json.dumps(details, ensure_ascii=False),
    )


def _files(session: Session, entrant_id: int) -> list[list[str]]:
    """[path, sha256] of what is there now; the files themselves stay beside those they replace."""
    rows = session.execute(
        select(SourceFile.path, SourceFile.sha256)
        .where(SourceFile.entrant_id == entrant_id, SourceFile.state != "replaced")
        .order_by(SourceFile.path)
    )
    return [[row.path, row.sha256] for row in rows]


def _note(session: Session, entrant: Entrant, made: Submission) -> None:
    session.flush()
    details: Mapping[str, object] = {"entrant": entrant.id, "at": made.at, "reason": made.reason}
    record_event(
        session,
        actor=made.by,
        action=f"dossier.{made.kind}",
        round_id=entrant.round_id,
        details=details,
    )

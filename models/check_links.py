"""Links of the applicant's self-check: random, for one dossier, expiring, withdrawable.

Only the sha256 of a token is stored, so that a copy of the vault opens no door.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.passwords import hashed
from models.vault_pages import CheckLink
from models.vault_rounds import Entrant

APPLICANT = "applicant"
"""Who acts under a link, in the log."""
LONGEST_LINK_HOURS = 30 * 24
Why = Literal["unknown", "expired", "withdrawn"]
_REFUSALS: dict[Why, Sentence] = {
    "unknown": Sentence(
        "此链接无效。请核对链接或二维码是否完整，或向评委会办公室索取新链接。",
        "This link does not exist. Check that it is complete, or ask the office for a new one.",
    ),
    "expired": Sentence(
        "此链接已过期。请向评委会办公室索取新链接。",
        "This link has expired. Ask the committee's office for a new one.",
    ),
    "withdrawn": Sentence(
        "此链接已被办公室收回。请使用最新的链接，或联系评委会办公室。",
        "The office took this link back. Use the newest one, or ask the committee's office.",
    ),
}


class LinkRefused(RuleError):
    """A token that opens nothing, and why."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(_REFUSALS[why])


def make_links(
    session: Session, *, entrant_ids: Iterable[int], hours: int, by: str
) -> dict[int, str]:
    """Entrant -> the token of a fresh link; earlier links of the same people end.

    The tokens can be read nowhere afterwards.
    """
    if not 1 <= hours <= LONGEST_LINK_HOURS:
        raise RuleError(
            Sentence(
                f"链接有效期须为 1 至 {LONGEST_LINK_HOURS} 小时。",
                f"A link holds for 1 to {LONGEST_LINK_HOURS} hours.",
            )
        )
    now = datetime.now(UTC)
    entrants = session.scalars(select(Entrant).where(Entrant.id.in_(list(entrant_ids)))).all()
    _end_links(session, [entrant.id for entrant in entrants], now)
    tokens = {}
    for entrant in entrants:
        tokens[entrant.id] = secrets.token_urlsafe(24)
        session.add(
            CheckLink(
                token_sha256=hashed(tokens[entrant.id]),
                entrant_id=entrant.id,
                created_by=by,
                created_at=_text(now),
                expires_at=_text(now + timedelta(hours=hours)),
            )
        )
        record_event(
            session,
            actor=by,
            action="check.link",
            round_id=entrant.round_id,
            details={"entrant": entrant.id, "hours": hours},
        )
    session.flush()
    return tokens


def withdraw_links(session: Session, *, entrant_id: int, by: str) -> int:
    """Ends the links of an applicant; how many were open."""
    entrant = session.get_one(Entrant, entrant_id)
    count = _end_links(session, [entrant_id], datetime.now(UTC))
    record_event(
        session,
        actor=by,
        action="check.withdraw",
        round_id=entrant.round_id,
        details={"entrant": entrant_id, "links": count},
    )
    return count


def link_of(session: Session, token: str) -> CheckLink:
    """The link that a token opens; LinkRefused when it opens nothing (any more)."""
    link = session.get(CheckLink, hashed(token))
    if link is None:
        raise LinkRefused("unknown")
    if link.withdrawn_at:
        raise LinkRefused("withdrawn")
    if link.expires_at <= utc_now():
        raise LinkRefused("expired")
    return link


def note_refusal(session: Session, *, why: str, address: str) -> None:
    """Logs that somebody knocked with a token that opens nothing. The token itself is not kept."""
    record_event(
        session, actor=APPLICANT, action="check.refused", details={"why": why, "from": address}
    )


def _end_links(session: Session, entrant_ids: Sequence[int], now: datetime) -> int:
    links = session.scalars(
        select(CheckLink).where(
            CheckLink.entrant_id.in_(entrant_ids),
            CheckLink.withdrawn_at == "",
            CheckLink.expires_at > _text(now),
        )
    ).all()
    for link in links:
        link.withdrawn_at = _text(now)
    return len(links)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")

"""Writes down who did what in the office; every domain function of the vault calls it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.vault_accounts import OfficeEvent


def record_event(
    session: Session,
    *,
    actor: str,
    action: str,
    round_id: int | None = None,
    page_id: int | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Adds an event in the caller's transaction. `details` must be JSON values."""
    session.add(
        OfficeEvent(
            at=utc_now(),
            actor=actor,
            action=action,
            round_id=round_id,
            page_id=page_id,
            details=json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True),
        )
    )


def events_of(session: Session, *, page_id: int, limit: int = 100) -> list[OfficeEvent]:
    """What was done to a page, newest first."""
    chosen = select(OfficeEvent).where(OfficeEvent.page_id == page_id)
    return list(session.scalars(chosen.order_by(OfficeEvent.id.desc()).limit(limit)))

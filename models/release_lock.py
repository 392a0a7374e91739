"""Keeps a dossier that is with the experts from being changed under their eyes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant


def require_not_released(session: Session, entrant_ids: Sequence[int]) -> None:
    """RuleError when a dossier is with the experts: it must be taken back before it changes."""
    codes = session.scalars(
        select(Entrant.code)
        .join(Release, Release.entrant_id == Entrant.id)
        .where(Entrant.id.in_(entrant_ids), Release.state.in_(("asked", "released")))
        .order_by(Entrant.code)
    ).all()
    if codes:
        raise RuleError(
            [
                Sentence(
                    f"{code} 已放行或正等待放行，请先撤回放行再修改。",
                    f"{code} is released or waits to be; take the release back before you change "
                    "it.",
                )
                for code in codes
            ]
        )


def require_page_may_change(session: Session, page: Page) -> None:
    """The same for one page. One that a reviewer reported is with no expert: it may be mended."""
    if not page.frozen:
        require_not_released(session, [page.entrant_id])

"""The only door from the vault to the experts: asked, confirmed, withdrawn, with hashes.

The vault's half is written here; the pages themselves go through webapp/office/door.py.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant, OfficeRound, SourceFile


@dataclass(frozen=True)
class Obstacle:
    """Why a dossier cannot leave yet: a file or a page with its state."""

    what: str
    page_id: int | None
    sentence: Sentence


def obstacles(session: Session, entrant_id: int) -> list[Obstacle]:
    """Everything that keeps a dossier in the vault, all at once; [] when it may leave."""
    files = session.scalars(
        select(SourceFile).where(
            SourceFile.entrant_id == entrant_id, SourceFile.state.not_in(("done", "replaced"))
        )
    ).all()
    found = [
        Obstacle(
            file.path,
            None,
            Sentence(
                f"文件 {file.path} 尚未处理完成或处理失败。",
                f"The file {file.path} is not done yet or has failed.",
            ),
        )
        for file in files
    ]
    pages = session.scalars(select(Page).where(Page.entrant_id == entrant_id)).all()
    if not pages:
        found.append(
            Obstacle("", None, Sentence("此材料没有任何页面。", "The dossier has no pages."))
        )
    for page in pages:
        if page.frozen:
            sentence = Sentence(
                "评委报告此页泄露身份，请先处理。",
                "A reviewer reported that this page shows who it is; decide that first.",
            )
        elif page.decision == "returned":
            sentence = Sentence("此页已退回申报人。", "This page was returned to the applicant.")
        elif page.state in ("failed", "checking"):
            sentence = Sentence(
                "此页处理失败或正在复核。", "This page has failed or is being checked."
            )
        elif page.state == "review" and page.decision != "accepted":
            sentence = Sentence("此页待人工查看。", "This page needs a person's look.")
        else:
            continue
        found.append(Obstacle(f"{page.position}", page.id, sentence))
    return found


def ask_release(session: Session, *, entrant_id: int, by: str) -> Release:
    """Asks for a dossier's release with the hashes of its pages as they are now.

    RuleError with every obstacle. Without the round's two-person setting nobody need confirm.
    """
    problems = obstacles(session, entrant_id)
    if problems:
        raise RuleError([problem.sentence for problem in problems])
    entrant = session.get_one(Entrant, entrant_id)
    if _open_release(session, entrant_id) is not None:
        raise RuleError(
            Sentence(
                f"{entrant.code} 已放行或正等待确认。",
                f"{entrant.code} is released or waits to be confirmed.",
            )
        )
    pages = session.scalars(
        select(Page).where(Page.entrant_id == entrant_id).order_by(Page.position)
    )
    hashes = [[page.id, page.staged_sha256] for page in pages]
    release = Release(
        round_id=entrant.round_id,
        entrant_id=entrant_id,
        hashes=json.dumps(hashes),
        salt=secrets.token_hex(32),
        asked_by=by,
        asked_at=utc_now(),
    )
    session.add(release)
    session.flush()
    record_event(
        session,
        actor=by,
        action="release.ask",
        round_id=entrant.round_id,
        details={"code": entrant.code, "pages": len(hashes)},
    )
    return release


def check_confirmation(session: Session, release: Release, by: str) -> None:
    """RuleError unless `by` may let the release out: asked, unchanged, and by a second person."""
    problems = obstacles(session, release.entrant_id)
    if problems:
        raise RuleError([problem.sentence for problem in problems])
    two = session.get_one(OfficeRound, release.round_id).two_person_release
    if release.state != "asked":
        raise RuleError(Sentence("此放行申请已处理。", "This release was dealt with already."))
    if two and release.asked_by == by:
        raise RuleError(
            Sentence(
                "须由另一人确认放行，申请人本人不能确认。",
                "Another person must confirm the release; whoever asked for it cannot.",
            )
        )
    pages = session.scalars(
        select(Page).where(Page.entrant_id == release.entrant_id).order_by(Page.position)
    )
    if [[page.id, page.staged_sha256] for page in pages] != json.loads(release.hashes):
        raise RuleError(
            Sentence(
                "申请放行后页面有改动。请撤回申请，核对后重新申请。",
                "Pages changed after the release was asked for. Withdraw it, look again, and ask "
                "anew.",
            )
        )


def released(session: Session, release: Release, by: str) -> None:
    """Notes that a release's pages are with the experts."""
    two = session.get_one(OfficeRound, release.round_id).two_person_release
    release.state, release.released_at = "released", utc_now()
    release.confirmed_by = by if two else None
    record_event(
        session,
        actor=by,
        action="release.out",
        round_id=release.round_id,
        details={"release": release.id, "hashes": json.loads(release.hashes)},
    )


def withdrawn(session: Session, release: Release, *, reason: str, by: str) -> None:
    """Notes that a release was taken back; RuleError without a reason."""
    if not reason.strip():
        raise RuleError(Sentence("请写明撤回理由。", "Give a reason to take it back."))
    if release.state == "withdrawn":
        raise RuleError(Sentence("此放行已撤回。", "This release was taken back already."))
    release.state, release.withdrawn_by, release.withdrawn_at = "withdrawn", by, utc_now()
    release.reason = reason.strip()
    record_event(
        session,
        actor=by,
        action="release.withdraw",
        round_id=release.round_id,
        details={"release": release.id, "reason": reason.strip()},
    )


def _open_release(session: Session, entrant_id: int) -> Release | None:
    return session.scalar(
        select(Release).where(
            Release.entrant_id == entrant_id, Release.state.in_(("asked", "released"))
        )
    )

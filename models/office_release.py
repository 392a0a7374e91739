"""The vault's half of the only door to the experts: ready or not, asked, let out, taken back.

The pages themselves go through webapp/office/door.py; the review store's half is models.released.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_checks import live_pages
from models.office_log import record_event
from models.readiness import Obstacle, obstacles
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant, OfficeRound


def listed_pages(session: Session, entrant_id: int) -> list[tuple[Page, str]]:
    """The pages of a dossier in order, each with its blind file name, such as 001.jpg."""
    pages = session.scalars(live_pages(entrant_id, records=True))
    return [(page, f"{at:03d}{_suffix(page)}") for at, page in enumerate(pages, 1)]


def hashes_of(session: Session, entrant_id: int) -> list[list[object]]:
    """[page id, blind file name, sha256] of the pages as they are now."""
    return [[page.id, name, page.staged_sha256] for page, name in listed_pages(session, entrant_id)]


def receipt_of(release: Release) -> str:
    """What the review store's audit holds of a release: it tells nothing without the salt."""
    return hashlib.sha256(f"{release.salt}|{release.hashes}".encode()).hexdigest()


def ask_release(session: Session, *, entrant_id: int, by: str) -> Release:
    """Asks for a dossier's release with the hashes of its pages as they are now.

    RuleError with every obstacle. Without the round's two-person setting nobody need confirm.
    """
    entrant = session.get_one(Entrant, entrant_id, with_for_update=True)
    problems = obstacles(session, entrant_id)
    if problems:
        raise RuleError([_placed(entrant.code, problem) for problem in problems])
    if open_release(session, entrant_id) is not None:
        raise RuleError(
            Sentence(
                f"{entrant.code} 已放行或正等待确认。",
                f"{entrant.code} is released or waits to be confirmed.",
            )
        )
    hashes = hashes_of(session, entrant_id)
    release = Release(
        round_id=entrant.round_id,
        entrant_id=entrant_id,
        state="asked",
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
    code = session.get_one(Entrant, release.entrant_id).code
    found = [_placed(code, problem) for problem in obstacles(session, release.entrant_id)]
    if release.state != "asked":
        found.append(
            Sentence(f"{code}：此放行申请已处理。", f"{code}: this release was dealt with already.")
        )
    if needs_other(session, release, by):
        found.append(
            Sentence(
                f"{code}：须由另一人确认放行，申请人本人不能确认。",
                f"{code}: another person must confirm the release; whoever asked for it cannot.",
            )
        )
    if hashes_of(session, release.entrant_id) != json.loads(release.hashes):
        found.append(
            Sentence(
                f"{code}：申请放行后页面有改动。请撤回申请，核对后重新申请。",
                f"{code}: pages changed after the release was asked for. Withdraw it, look again, "
                "and ask anew.",
            )
        )
    if found:
        raise RuleError(found)


def needs_other(session: Session, release: Release, by: str) -> bool:
    """Whether the round wants a second person and `by` is the first."""
    two = session.get_one(OfficeRound, release.round_id).two_person_release
    return two and release.asked_by == by


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


def check_withdrawal(release: Release, reason: str) -> None:
    """RuleError unless a release may be taken back, as far as the vault can tell."""
    problems = []
    if not reason.strip():
        problems.append(Sentence("请写明撤回理由。", "Give a reason to take it back."))
    if release.state == "withdrawn":
        problems.append(Sentence("此放行已撤回。", "This release was taken back already."))
    if problems:
        raise RuleError(problems)


def withdrawn(session: Session, release: Release, *, reason: str, by: str) -> None:
    """Notes that a release was taken back; RuleError without a reason."""
    check_withdrawal(release, reason)
    release.state, release.withdrawn_by, release.withdrawn_at = "withdrawn", by, utc_now()
    release.reason = reason.strip()
    record_event(
        session,
        actor=by,
        action="release.withdraw",
        round_id=release.round_id,
        details={"release": release.id, "reason": reason.strip()},
    )


def asked_releases(session: Session, round_id: int) -> list[tuple[Release, str]]:
    """(release, code) of everything that waits to go out, in the order of codes."""
    chosen = (
        select(Release, Entrant.code)
        .join(Entrant, Entrant.id == Release.entrant_id)
        .where(Release.round_id == round_id, Release.state == "asked")
        .order_by(Entrant.code)
    )
    return [(row[0], row[1]) for row in session.execute(chosen)]


def releases_of(session: Session, entrant_id: int) -> list[Release]:
    """All releases of a dossier, newest first."""
    chosen = select(Release).where(Release.entrant_id == entrant_id)
    return list(session.scalars(chosen.order_by(Release.id.desc())))


def open_release(session: Session, entrant_id: int) -> Release | None:
    """The release that is asked for or out, None without one."""
    return session.scalar(
        select(Release).where(
            Release.entrant_id == entrant_id, Release.state.in_(("asked", "released"))
        )
    )


def _placed(code: str, obstacle: Obstacle) -> Sentence:
    where = f"{code} {obstacle.what}" if obstacle.page_id else code
    return Sentence(f"{where}：{obstacle.sentence.zh}", f"{where}: {obstacle.sentence.en}")


def _suffix(page: Page) -> str:
    staged = json.loads(page.record).get("staged") or ""
    return PurePosixPath(staged).suffix

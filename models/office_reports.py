"""The vault's half of a page that a reviewer reported: taken up, masked anew, given back.

A page that is taken up may be edited although its dossier is with the experts, who see nothing of
it until it is given back. The review store's half is models.page_reports.
"""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.office_release import receipt_of
from models.readiness import page_obstacle
from models.vault_pages import Page, PageEdit, Release
from models.vault_rounds import OfficeRound

NO_REASON = Sentence("请写明处理理由。", "Give a reason for the decision.")


def release_of(session: Session, page: Page) -> Release | None:
    """The release with which the experts have the page, None when they have not."""
    return session.scalar(
        select(Release).where(Release.entrant_id == page.entrant_id, Release.state == "released")
    )


def number_of(release: Release, page_id: int) -> int | None:
    """The page's number in its released dossier, from 1."""
    ids = [kept[0] for kept in json.loads(release.hashes)]
    return ids.index(page_id) + 1 if page_id in ids else None


def page_numbered(release: Release, number: int) -> int | None:
    """The inverse: the page's id in the vault."""
    kept = json.loads(release.hashes)
    return int(kept[number - 1][0]) if 1 <= number <= len(kept) else None


def take_up(session: Session, *, page_id: int, by: str) -> Page:
    """Opens a reported page for editing; it cannot leave until the report is decided."""
    page = session.get_one(Page, page_id, with_for_update=True)
    if not page.frozen:
        page.frozen = True
        record_event(
            session, actor=by, action="page.reported", round_id=page.round_id, page_id=page.id
        )
    return page


def let_be(session: Session, *, page_id: int, reason: str, by: str) -> Page:
    """Notes that a reported page shows nobody, or nobody any more.

    RuleError without a reason, and for a page with the experts that was masked anew: they must get
    it as it is now.
    """
    page = session.get_one(Page, page_id, with_for_update=True)
    release = release_of(session, page)
    problems = [] if reason.strip() else [NO_REASON]
    obstacle = page_obstacle(page, reported=False)
    if release is not None and obstacle is not None:
        problems.append(obstacle)
    elif release is not None and page.staged_sha256 != _released_sha256(release, page):
        problems.append(
            Sentence(
                "此页已重新遮盖，与评委手中的不同。请用新页替换，或先撤销改动。",
                "The page was masked anew and is not what the experts have. Replace it, or undo "
                "the change first.",
            )
        )
    if problems:
        raise RuleError(problems)
    page.frozen = False
    _note(session, page, "page.let_be", reason, by)
    return page


def check_replacement(session: Session, page: Page, *, reason: str, by: str) -> tuple[Release, int]:
    """(release, page number) of a page that may take the released one's place, else RuleError."""
    release = release_of(session, page)
    number = number_of(release, page.id) if release is not None else None
    if release is None or number is None or not page.frozen:
        raise RuleError(
            Sentence(
                "此页没有待处理的泄露报告，或材料已撤回。请刷新页面。",
                "No report of this page is being dealt with, or its dossier was taken back. Reload "
                "the page.",
            )
        )
    problems = [] if reason.strip() else [NO_REASON]
    obstacle = page_obstacle(page, reported=False)
    if obstacle is not None:
        problems.append(obstacle)
    elif page.staged_sha256 == _released_sha256(release, page):
        problems.append(
            Sentence(
                "此页与评委手中的相同。请先补充遮盖。",
                "The page is the one that the experts have. Mask it first.",
            )
        )
    if needs_other(session, page, by):
        problems.append(
            Sentence(
                "须由另一人替换：本轮放行需两人，改动此页的人不能自己放行。",
                "Another person must replace it: this round's releases take two, and whoever "
                "changed the page cannot let it out.",
            )
        )
    if problems:
        raise RuleError(problems)
    return release, number


def needs_other(session: Session, page: Page, by: str) -> bool:
    """Whether the round wants a second person and `by` made the masks that are in force."""
    if not session.get_one(OfficeRound, page.round_id).two_person_release:
        return False
    edit = session.get(PageEdit, (page.id, page.revision))
    return edit is not None and edit.by == by


def note_replacement(
    session: Session, release: Release, page: Page, *, name: str, reason: str, by: str
) -> None:
    """Writes the new hash into the release, both hashes into the log, and lets the page be.

    `name`: its blind file name now.
    """
    hashes = json.loads(release.hashes)
    at = [kept[0] for kept in hashes].index(page.id)
    before, hashes[at] = hashes[at], [page.id, name, page.staged_sha256]
    release.hashes = json.dumps(hashes)
    page.frozen = False
    details = {"release": release.id, "before": before, "after": hashes[at],
               "receipt": receipt_of(release)}  # fmt: skip
    _note(session, page, "page.replaced", reason, by, details)


def _released_sha256(release: Release, page: Page) -> str:
    return next((str(sha) for kept, _, sha in json.loads(release.hashes) if kept == page.id), "")


def _note(
    session: Session,
    page: Page,
    action: str,
    reason: str,
    by: str,
    details: dict[str, object] | None = None,
) -> None:
    record_event(
        session,
        actor=by,
        action=action,
        round_id=page.round_id,
        page_id=page.id,
        details={"reason": reason.strip(), **(details or {})},
    )

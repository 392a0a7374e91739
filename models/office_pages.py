"""Pages: results of the runner, a person's edits with undo and redo, decisions, the queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_jobs import EDIT, add_job
from models.office_log import record_event
from models.release_lock import require_page_may_change
from models.vault_pages import DECISIONS, Page, PageEdit, PageLook
from models.vault_rounds import SourceFile

Record = Mapping[str, Any]
Mask = Mapping[str, Any]
Merge = Callable[[Sequence[Mask], Sequence[Mask], Sequence[Mask]], list[dict[str, Any]]]
"""(masks in force, found before, found now) -> the masks that shall be in force."""
CHANGED_MEANWHILE = Sentence(
    "此页刚被他人或另一窗口修改，您的操作未保存。请看过现在的页面后重做。",
    "Somebody else, or another window, has just changed this page; what you did was not kept. "
    "Look at the page as it is now and do it again.",
)
LONGEST_LOOK = 600
"""Seconds of one look at a page that count; whoever takes longer was called away."""


def keep_records(
    session: Session, *, file_id: int, records: Sequence[Record], merge: Merge
) -> list[Page]:
    """What the redactor says of a file's pages.

    A page that somebody edited keeps the edited masks; what the redactor finds now and did not
    find before is added by `merge` and makes an edit of its own. A decision falls when the page
    under it changed.
    """
    file = session.get_one(SourceFile, file_id)
    if file.entrant_id is None:
        raise RuleError(
            Sentence(
                "此文件尚未对应到申报人，结果未保存。",
                "This file belongs to nobody yet; its results were not kept.",
            )
        )
    there = {
        page.source_page: page
        for page in session.scalars(select(Page).where(Page.file_id == file_id))
    }
    kept = []
    for record in records:
        page = there.get(record["source_page"])
        if page is None:
            page = Page(
                round_id=file.round_id,
                entrant_id=file.entrant_id,
                file_id=file_id,
                source_page=record["source_page"],
                position=file.position * 10_000 + record["source_page"],
                category=file.category,
            )
            session.add(page)
        if page.revision and record["state"] != "failed":
            before, now = json.loads(page.found), list(record["masks"])
            mine = masks_of(session, page)
            merged = merge(mine, before, now)
            page.found = json.dumps(now, ensure_ascii=False)
            if merged != mine:
                _put_edit(session, page, merged, what="rematch", by="redactor")
        else:
            page.found = json.dumps(list(record["masks"]), ensure_ascii=False)
            set_record(page, record)
        kept.append(page)
    for number, page in there.items():
        if number not in {record["source_page"] for record in records}:
            session.delete(page)
    failed = [record for record in records if record["state"] == "failed"]
    file.state = "failed" if failed and len(failed) == len(records) else "done"
    file.reason = failed[0]["reason"] if failed else ""
    session.flush()
    return kept


def set_record(page: Page, record: Record) -> None:
    """Makes `record` the present state of a page."""
    if page.staged_sha256 and page.staged_sha256 != record["sha256"] and page.decision:
        page.decision = page.decided_by = page.decided_at = page.decision_reason = ""
    page.state = record["state"]
    page.staged_sha256 = record["sha256"]
    page.record = json.dumps(record, ensure_ascii=False)
    page.kinds = json.dumps(Counter(mask["kind"] for mask in record["masks"]), sort_keys=True)
    page.reason = record["reason"]
    page.risk = risk_of(record)
    page.faults = len(record["quality"].get("flags", ()))


def risk_of(record: Record) -> int:
    """How urgently a person should look, 0 to 1000: the order of the queue."""
    if record["state"] == "failed":
        return 1000
    hits = len(record["verify"]["hits"])
    if record["state"] == "review":
        return min(990, 800 + 20 * hits)
    masks = record["masks"]
    if not masks:
        return 300  # nothing to hide is possible, but rare in a dossier
    weakest = min(mask["score"] for mask in masks)
    return round(250 * (1 - max(0.0, min(1.0, weakest))))


def edit_masks(
    session: Session, *, page_id: int, masks: Sequence[Mask], what: str, on: int, by: str
) -> Page:
    """A person's new set of masks for a page; its job to mask it so is queued.

    `on`: the revision that the person saw. RuleError when somebody else was quicker, and for a page
    that is with the experts.
    """
    page = _seen_page(session, page_id, on)
    _put_edit(session, page, masks, what=what, by=by)
    return page


def _put_edit(session: Session, page: Page, masks: Sequence[Mask], *, what: str, by: str) -> None:
    newest = session.scalar(select(func.max(PageEdit.number)).where(PageEdit.page_id == page.id))
    number = (newest or 0) + 1
    session.add(
        PageEdit(
            page_id=page.id,
            number=number,
            previous=page.revision,
            what=what,
            masks=json.dumps(list(masks), ensure_ascii=False),
            by=by,
            at=utc_now(),
        )
    )
    _go_to(session, page, number)
    record_event(session, actor=by, action=f"page.{what}", round_id=page.round_id, page_id=page.id)


def undo(session: Session, *, page_id: int, by: str, on: int | None = None) -> Page:
    """Back to the masks before the newest edit that holds; nothing when there is none.

    `on`: the revision that the person saw, None for whatever holds now.
    """
    page = _seen_page(session, page_id, on)
    edit = session.get(PageEdit, (page_id, page.revision))
    if edit is not None:
        _go_to(session, page, edit.previous)
        record_event(session, actor=by, action="page.undo", round_id=page.round_id, page_id=page.id)
    return page


def redo(session: Session, *, page_id: int, by: str, on: int | None = None) -> Page:
    """Forward to the newest edit that was made on the present masks; nothing without one."""
    page = _seen_page(session, page_id, on)
    following = following_edit(session, page)
    if following is not None:
        _go_to(session, page, following)
        record_event(session, actor=by, action="page.redo", round_id=page.round_id, page_id=page.id)
    return page


def following_edit(session: Session, page: Page) -> int | None:
    """Number of the newest edit that was made on the present masks, None without one."""
    return session.scalar(
        select(func.max(PageEdit.number)).where(
            PageEdit.page_id == page.id, PageEdit.previous == page.revision
        )
    )


def masks_of(session: Session, page: Page) -> list[dict[str, Any]]:
    """The masks in force: those of the newest edit that holds, else the redactor's own."""
    edit = session.get(PageEdit, (page.id, page.revision)) if page.revision else None
    return list(json.loads(edit.masks if edit is not None else page.found))


def decide(
    session: Session, *, page_id: int, decision: str, reason: str, by: str, seen: str | None = None
) -> Page:
    """A person's word on a page: accepted, returned, or "" to take it back.

    `seen`: the first characters of the sha256 of the masked page that the person looked at.
    RuleError for a page that is with the experts, one that has changed since, one without an
    output, one still being checked, one in review that is accepted without a reason, and one that
    is returned without telling the applicant why.
    """
    page = session.get_one(Page, page_id, with_for_update=True)
    require_page_may_change(session, page)
    if seen is not None and seen != page.staged_sha256[: len(seen) or None]:
        raise RuleError(CHANGED_MEANWHILE)
    if decision not in DECISIONS:
        raise RuleError(Sentence(f"没有决定“{decision}”。", f'There is no decision "{decision}".'))
    if decision == "returned" and not reason.strip():
        raise RuleError(
            Sentence(
                "退回申报人时请写明原因，以便其补正。",
                "Say why the page is returned, so that the applicant can mend it.",
            )
        )
    if decision == "accepted":
        if page.state in ("failed", "checking"):
            raise RuleError(
                Sentence(
                    "此页尚无可放行的输出（处理失败或正在复核），不能通过。",
                    "This page has no output to let out yet: it failed or is being checked.",
                )
            )
        if page.state == "review" and not reason.strip():
            raise RuleError(
                Sentence(
                    "此页待人工查看，通过时请写明理由。",
                    "This page needs a look; give a reason to accept it.",
                )
            )
    page.decision, page.decision_reason = decision, reason.strip()
    page.decided_by, page.decided_at = (by, utc_now()) if decision else ("", "")
    record_event(
        session,
        actor=by,
        action=f"page.{decision or 'undecided'}",
        round_id=page.round_id,
        page_id=page.id,
        details={"reason": reason.strip(), "state": page.state},
    )
    return page


def looked_at(session: Session, *, page_id: int, seconds: float, by: str) -> None:
    """Adds to the time that people, and this one, spent on a page."""
    page = session.get_one(Page, page_id)
    counted = max(0, min(LONGEST_LOOK, round(seconds)))
    look = session.get(PageLook, (page_id, by))
    if look is None:
        look = PageLook(page_id=page_id, login=by, round_id=page.round_id, seconds=0)
        session.add(look)
    look.seconds += counted
    page.seconds += counted


def _seen_page(session: Session, page_id: int, on: int | None) -> Page:
    """The page, locked; RuleError when its revision is not the one that the person saw."""
    page = session.get_one(Page, page_id, with_for_update=True)
    require_page_may_change(session, page)
    if on is not None and page.revision != on:
        raise RuleError(CHANGED_MEANWHILE)
    return page


def _go_to(session: Session, page: Page, revision: int) -> None:
    page.revision, page.state = revision, "checking"
    page.decision = page.decided_by = page.decided_at = page.decision_reason = ""
    session.flush()
    add_job(session, round_id=page.round_id, kind="remask", target=page.id, priority=EDIT)

"""Versions of a score sheet: each save is the next one, over the one that its author had seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.review_sheets import Sheet, SheetNote, SheetScore, SheetVersion


@dataclass(frozen=True)
class SheetContent:
    """What a reviewer wrote: scaled points by criterion, a comment, notes by page number.

    `notes` None: as they were.
    """

    scores: Mapping[str, int]
    comment: str
    notes: Mapping[int, str] | None = None


@dataclass(frozen=True)
class StoredSheet:
    """A version of a sheet; number 0 is the empty one that nobody saved."""

    number: int
    kind: str
    scores: Mapping[str, int]
    comment: str
    notes: Mapping[int, str] = field(default_factory=dict)
    at: str = ""

    def holds(self, content: SheetContent) -> bool:
        """Whether it says just what `content` says."""
        return (
            dict(self.scores) == dict(content.scores)
            and self.comment == content.comment
            and (content.notes is None or dict(self.notes) == written(content.notes))
        )


@dataclass(frozen=True)
class Kept:
    """The version that holds a save. `again`: it was kept before and is not written twice."""

    number: int
    again: bool = False


class ConflictError(RuleError):
    """Another device saved first; `stored` is what it saved, nothing was overwritten."""

    def __init__(self, stored: StoredSheet) -> None:
        self.stored = stored
        super().__init__(
            Sentence(
                f"此评分表已在另一处保存为第 {stored.number} 版。请对照两版后再保存。",
                f"This sheet was saved elsewhere as version {stored.number}. Compare both and "
                "save again.",
            )
        )


def read_version(session: Session, sheet_id: int, number: int) -> StoredSheet:
    """A version as it was saved."""
    version = session.execute(
        select(SheetVersion.kind, SheetVersion.comment, SheetVersion.at).where(
            SheetVersion.sheet_id == sheet_id, SheetVersion.number == number
        )
    ).one_or_none()
    if version is None:
        return StoredSheet(0, "draft", {}, "")
    scores = session.execute(
        select(SheetScore.criterion, SheetScore.points).where(
            SheetScore.sheet_id == sheet_id, SheetScore.number == number
        )
    )
    return StoredSheet(
        number,
        version.kind,
        {row.criterion: row.points for row in scores},
        version.comment,
        _notes(session, sheet_id, number),
        version.at,
    )


def version_of_save(session: Session, sheet_id: int, save_id: str | None, kind: str) -> int | None:
    """The number under which a save was kept, None when it never arrived."""
    if save_id is None:
        return None
    return session.scalar(
        select(SheetVersion.number).where(
            SheetVersion.sheet_id == sheet_id,
            SheetVersion.save_id == save_id,
            SheetVersion.kind == kind,
        )
    )


def add_version(
    session: Session,
    *,
    sheet_id: int,
    state: str,
    to_state: str | None = None,
    kind: str,
    content: SheetContent,
    base_version: int,
    by: str,
    reason: str = "",
    confirmed_by: str | None = None,
    save_id: str | None = None,
) -> Kept:
    """Write the next version if the sheet is still in `state` at `base_version`.

    A save that was kept before is not written again: known by its `save_id`, a draft also by
    saying what the newest version says. Else ConflictError.
    """
    number, to_state = base_version + 1, to_state or state
    # One atomic update decides between two devices.
    taken = session.execute(
        update(Sheet)
        .where(Sheet.id == sheet_id, Sheet.version == base_version, Sheet.state == state)
        .values(version=number, state=to_state)
        .returning(Sheet.id)
        .execution_options(synchronize_session="fetch")
    ).scalar()
    if taken is None:
        return _kept_before(session, sheet_id, to_state, kind, content, save_id)
    old = {} if content.notes is None else _notes(session, sheet_id, base_version)
    session.execute(
        insert(SheetVersion).values(
            sheet_id=sheet_id,
            number=number,
            kind=kind,
            comment=content.comment,
            reason=reason,
            by=by,
            confirmed_by=confirmed_by,
            at=utc_now(),
            save_id=save_id,
        )
    )
    key = {"sheet_id": sheet_id, "number": number}
    scores = [{**key, "criterion": c, "points": p} for c, p in sorted(content.scores.items())]
    if scores:
        session.execute(insert(SheetScore), scores)
    changed = {} if content.notes is None else _changes(old, written(content.notes))
    if changed:
        notes = [{**key, "page": page, "text": text} for page, text in sorted(changed.items())]
        session.execute(insert(SheetNote), notes)
    return Kept(number)


def written(notes: Mapping[int, str]) -> dict[int, str]:
    """The notes that say something."""
    return {page: text for page, text in notes.items() if text}


def _kept_before(
    session: Session,
    sheet_id: int,
    state: str,
    kind: str,
    content: SheetContent,
    save_id: str | None,
) -> Kept:
    row = session.execute(select(Sheet.version, Sheet.state).where(Sheet.id == sheet_id)).one()
    kept = version_of_save(session, sheet_id, save_id, kind)
    # A sheet that was submitted and opened again is not submitted by the old save.
    if kept is not None and row.state == state:
        return Kept(kept, again=True)
    stored = read_version(session, sheet_id, row.version)
    if kind == "draft" and row.state == state and stored.holds(content):
        return Kept(stored.number, again=True)
    raise ConflictError(stored)


def _notes(session: Session, sheet_id: int, number: int) -> dict[int, str]:
    """The notes that hold in a version."""
    last = (
        select(SheetNote.page, func.max(SheetNote.number).label("number"))
        .where(SheetNote.sheet_id == sheet_id, SheetNote.number <= number)
        .group_by(SheetNote.page)
        .subquery()
    )
    rows = session.execute(
        select(SheetNote.page, SheetNote.text)
        .join(last, (last.c.page == SheetNote.page) & (last.c.number == SheetNote.number))
        .where(SheetNote.sheet_id == sheet_id)
        .order_by(SheetNote.page)
    )
    return written({row.page: row.text for row in rows})


def _changes(old: Mapping[int, str], new: Mapping[int, str]) -> dict[int, str]:
    """What a version must say about notes so that `new` holds after `old`; "" for no note."""
    pages = old.keys() | new.keys()
    return {page: new.get(page, "") for page in pages if old.get(page) != new.get(page)}

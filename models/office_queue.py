"""The queue of a round's pages: the riskiest first, filtered, paged by key, next and previous."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from models.vault_pages import Page
from models.vault_rounds import Entrant, SourceFile

PAGE_LENGTH = 100
STATES = ("todo", "review", "failed", "checking", "clean", "leak", "all")
"""todo: nobody has decided and the machine is not sure. leak: a reviewer reported the page."""
UNSURE = ("review", "failed")


@dataclass(frozen=True)
class Key:
    """A place in the queue: it holds even when the page there has moved on since."""

    risk: int
    page_id: int

    def __str__(self) -> str:
        return f"{self.risk}.{self.page_id}"


@dataclass(frozen=True)
class Filter:
    """Which of a round's pages are wanted. `decision`: None for any. `entrant_id`: None for all."""

    round_id: int
    state: str = "todo"
    decision: str | None = None
    entrant_id: int | None = None


@dataclass(frozen=True)
class Listed:
    """What the queue shows of a page."""

    id: int
    risk: int
    state: str
    decision: str
    decided_by: str
    frozen: bool
    reason: str
    kinds: str
    category: str
    position: int
    seconds: int
    version: str
    source: str
    source_page: int
    code: str
    name: str

    @property
    def key(self) -> Key:
        return Key(self.risk, self.id)


def key_from(text: str) -> Key | None:
    """The inverse of str(key); None for anything else."""
    risk, _, page_id = text.partition(".")
    return Key(int(risk), int(page_id)) if risk.isdecimal() and page_id.isdecimal() else None


def queue(session: Session, wanted: Filter, after: Key | None = None) -> list[Listed]:
    """The next PAGE_LENGTH pages and one more, if there is one, behind `after`; riskiest first."""
    keys = select(Page.id).where(*_conditions(wanted))
    if after is not None:
        keys = keys.where(_behind(after))
    # The keys come from an index alone; only the rows that are shown are fetched.
    keys = keys.order_by(Page.risk.desc(), Page.id).limit(PAGE_LENGTH + 1)
    ids = list(session.scalars(keys))
    rows = session.execute(
        select(
            Page.id, Page.risk, Page.state, Page.decision, Page.decided_by, Page.frozen,
            Page.reason, Page.kinds, Page.category, Page.position, Page.seconds,
            Page.staged_sha256, SourceFile.sha256, Page.source_page, Entrant.code, Entrant.name,
        )
        .join(Entrant, Entrant.id == Page.entrant_id)
        .join(SourceFile, SourceFile.id == Page.file_id)
        .where(Page.id.in_(ids))
        .order_by(Page.risk.desc(), Page.id)
    )  # fmt: skip
    return [Listed(*tuple(row)) for row in rows]


def waiting(session: Session, wanted: Filter) -> int:
    """How many pages the filter lets through."""
    return session.scalar(select(func.count()).select_from(Page).where(*_conditions(wanted))) or 0


def neighbours(session: Session, wanted: Filter, at: Key) -> tuple[Key | None, Key | None]:
    """(previous, next) pages of the queue as seen from a place in it."""
    chosen = select(Page.risk, Page.id).where(*_conditions(wanted))
    before = chosen.where(_before(at)).order_by(Page.risk, Page.id.desc()).limit(1)
    behind = chosen.where(_behind(at)).order_by(Page.risk.desc(), Page.id).limit(1)
    return _key(session.execute(before).first()), _key(session.execute(behind).first())


def entrant_with(session: Session, round_id: int, code_or_name: str) -> int | None:
    """The applicant of a round whose code or name this is; None when there is none."""
    text = code_or_name.strip()
    chosen = select(Entrant.id).where(
        Entrant.round_id == round_id, or_(Entrant.code == text.upper(), Entrant.name == text)
    )
    return session.scalar(chosen.order_by(Entrant.number).limit(1))


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions = [Page.round_id == wanted.round_id]
    if wanted.entrant_id is not None:
        conditions.append(Page.entrant_id == wanted.entrant_id)
    if wanted.decision is not None:
        conditions.append(Page.decision == wanted.decision)
    if wanted.state == "todo":
        conditions += [Page.decision == "", Page.state.in_(UNSURE)]
    elif wanted.state == "leak":
        conditions.append(Page.frozen.is_(True))
    elif wanted.state != "all":
        conditions.append(Page.state == wanted.state)
    return conditions


def _behind(key: Key) -> ColumnElement[bool]:
    return or_(Page.risk < key.risk, and_(Page.risk == key.risk, Page.id > key.page_id))


def _before(key: Key) -> ColumnElement[bool]:
    return or_(Page.risk > key.risk, and_(Page.risk == key.risk, Page.id < key.page_id))


def _key(row: Row[int, int] | None) -> Key | None:
    return None if row is None else Key(row.risk, row.id)

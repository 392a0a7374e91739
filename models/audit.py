"""Audit events in a hash chain: edits, deletions and reordering show; the head shows truncation.

A chain alone cannot show that its end was cut off. The head (number and hash) is therefore printed
on the signed minutes, and `verify_audit` is given it back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import AppendOnly, ReviewBase, utc_now
from models.errors import Sentence

_START = "0" * 64


class AuditEvent(AppendOnly, ReviewBase):
    """One act. `details` is canonical JSON; `hash` covers every other column."""

    __tablename__ = "audit_event"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(50))
    details: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(ReviewBase):
    """The chain's newest event; its single row is the lock that puts writers in line."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Head:
    """What is printed on the minutes: the number of events and the last event's hash."""

    number: int
    hash: str


@dataclass(frozen=True)
class ChainEvent:
    """An event outside of any store; `details` is the very text that was hashed."""

    number: int
    at: str
    actor: str
    action: str
    details: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Walk:
    """A chain hashed again: its end, the stored hash by number, what does not fit."""

    head: Head
    hashes: Mapping[int, str]
    problems: tuple[Sentence, ...]


@dataclass(frozen=True)
class AuditCheck:
    """Whether the chain is whole; `problems` name the events that are not."""

    head: Head
    problems: tuple[Sentence, ...]

    @property
    def whole(self) -> bool:
        return not self.problems


def append_event(
    session: Session, *, actor: str, action: str, details: Mapping[str, object]
) -> Head:
    """Add an event in the caller's transaction and return the new head.

    `details` must be JSON values and must not hold who voted when.
    """
    head = session.scalars(
        select(AuditHead).where(AuditHead.id == 1).with_for_update()
    ).one_or_none()
    if head is None:
        head = AuditHead(id=1, number=0, hash=_START)
        session.add(head)
    number, at, previous = head.number + 1, utc_now(), head.hash
    text = _canonical(dict(details))
    digest = _digest(number, at, actor, action, text, previous)
    session.add(
        AuditEvent(
            number=number,
            at=at,
            actor=actor,
            action=action,
            details=text,
            previous=previous,
            hash=digest,
        )
    )
    head.number, head.hash = number, digest
    session.flush()
    return Head(number, digest)


def audit_head(session: Session) -> Head:
    """The head as stored; number 0 and 64 zeros for an empty chain."""
    stored = session.get(AuditHead, 1, populate_existing=True)
    return Head(0, _START) if stored is None else Head(stored.number, stored.hash)


def verify_audit(session: Session, *, printed: Head | None = None) -> AuditCheck:
    """Walk the whole chain; with the `printed` head of the minutes, truncation shows as well."""
    walked = walk_chain(chain_events(session))
    problems = list(walked.problems)
    if audit_head(session) != walked.head:
        problems.append(
            Sentence(
                "审计链的末尾与库中登记的链头不符：末尾的记录被删除或替换。",
                "The end of the chain is not the stored head: its last events were removed or "
                "replaced.",
            )
        )
    if printed is not None and walked.hashes.get(printed.number) != printed.hash:
        problems.append(not_in_chain(printed.hash, f"第 {printed.number} 条，"))
    return AuditCheck(walked.head, tuple(problems))


def chain_events(session: Session) -> Iterator[ChainEvent]:
    """Every event of the store in the order of numbers."""
    for row in session.execute(select(AuditEvent.__table__).order_by("number")):
        yield ChainEvent(**row._mapping)


def walk_chain(events: Iterable[ChainEvent]) -> Walk:
    """Hash events again, from the first; what was changed, removed or reordered is a problem."""
    problems: list[Sentence] = []
    expected, previous = 1, _START
    hashes: dict[int, str] = {0: _START}
    for event in events:
        if event.number > expected:
            problems.append(
                Sentence(
                    f"审计记录缺少第 {expected} 至 {event.number - 1} 条。",
                    f"Audit events {expected} to {event.number - 1} are missing.",
                )
            )
        elif event.number < expected:
            problems.append(
                Sentence(
                    f"审计记录第 {event.number} 条次序不对：有记录被增加或调换。",
                    f"Audit event {event.number} is out of order: events were added or reordered.",
                )
            )
        if event.previous != previous:
            problems.append(
                Sentence(
                    f"审计记录第 {event.number} 条与前一条不相接：有记录被删除、调换或修改。",
                    f"Audit event {event.number} does not follow the one before it: something was "
                    "deleted, reordered or changed.",
                )
            )
        if event.hash != _digest(
            event.number, event.at, event.actor, event.action, event.details, event.previous
        ):
            problems.append(
                Sentence(
                    f"审计记录第 {event.number} 条的内容被修改过。",
                    f"The content of audit event {event.number} was changed.",
                )
            )
        expected, previous = event.number + 1, event.hash
        hashes[event.number] = event.hash
    return Walk(Head(expected - 1, previous), hashes, tuple(problems))


def not_in_chain(printed: str, place: str = "") -> Sentence:
    """That a head printed on paper is not among a chain's events."""
    return Sentence(
        f"会议纪要上的链头（{place}{printed[:12]}…）不在审计链中：记录被截断或重写。"
        "请以纪要为准，恢复备份。",
        f"The head on the minutes ({printed[:12]}...) is not in the chain: it was cut off or "
        "rewritten. Trust the minutes and restore a backup.",
    )


def _canonical(details: Mapping[str, object]) -> str:
    return json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(number: int, at: str, actor: str, action: str, details: str, previous: str) -> str:
    # A JSON list keeps the fields apart, so that no two events can share one text.
    parts = json.dumps([number, at, actor, action, details, previous], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()

"""Retention of the vault: when a round's part is due, and how its rows are destroyed by two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, append_event
from models.base import VaultBase, utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.review import Round
from models.seat_access import revoke_cards
from models.sheets import require_two
from models.vault_accounts import Account
from models.vault_destruction import Destruction
from models.vault_pages import Job
from models.vault_rounds import OfficeRound

NOT_OF_A_ROUND = frozenset({"account", "sign_in", "setup_link", "destruction", "runner_beat"})
"""Tables that a destruction leaves alone; every other one holds rows of rounds."""
MOST_DAYS = 36500
BATCH = 1000


@dataclass(frozen=True)
class Due:
    """When a round's part of the vault is to be destroyed; None where no period is set.

    `over_on`: the day (UTC) on which it was closed, or declared abandoned where it never was.
    """

    round_id: int
    review_round_id: int | None
    name: str
    over_on: date
    given_up: bool
    due_on: date | None

    def by(self, today: date) -> bool:
        """Whether the period is over on that day."""
        return self.due_on is not None and self.due_on <= today


def set_retention(session: Session, *, round_id: int, days: int | None, by: str) -> None:
    """How many days a round's part of the vault is kept when it is over; None: no period yet."""
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise RuleError(
            Sentence(
                f"保存期应为 0 至 {MOST_DAYS} 天。",
                f"The period must be from 0 to {MOST_DAYS} days.",
            )
        )
    found = session.get_one(OfficeRound, round_id)
    details = {"before": found.retention_days, "now": days}
    found.retention_days = days
    record_event(session, actor=by, action="round.retention", round_id=round_id, details=details)


def give_up(
    vault: Session, review: Session, *, round_id: int, reason: str, by: str, today: date
) -> None:
    """Declares a round abandoned: its period begins, its work stops. RuleError for a closed one.

    Should it be closed nevertheless, the period counts from its close.
    """
    found = vault.get_one(OfficeRound, round_id, with_for_update=True, populate_existing=True)
    problems = []
    if not reason.strip():
        problems.append(Sentence("请写明中止的理由。", "Say why the round is given up."))
    if found.given_up_on is not None:
        problems.append(
            Sentence("本批次已登记为中止。", "The round is declared abandoned already.")
        )
    if found.review_round_id in _closed(review):
        problems.append(
            Sentence(
                "本批次已结束，保存期从结束之日起算，不必登记中止。",
                "The round is closed: its period runs from that day, nothing is given up.",
            )
        )
    if problems:
        raise RuleError(problems)
    found.given_up_on, found.paused = today.isoformat(), True
    details = {"reason": reason.strip()}
    record_event(vault, actor=by, action="round.give_up", round_id=round_id, details=details)


def take_up_again(session: Session, *, round_id: int, by: str) -> None:
    """Takes the declaration back; what was paused by it is started again by the office."""
    found = session.get_one(OfficeRound, round_id, with_for_update=True, populate_existing=True)
    if found.given_up_on is None:
        raise RuleError(Sentence("本批次没有登记中止。", "The round is not declared abandoned."))
    details = {"given_up_on": found.given_up_on}
    found.given_up_on = None
    record_event(session, actor=by, action="round.take_up", round_id=round_id, details=details)


def destruction_due(vault: Session, review: Session) -> list[Due]:
    """Every closed or abandoned round that is still in the vault, the earliest first."""
    closed, found = _closed(review), []
    for row in vault.scalars(select(OfficeRound).order_by(OfficeRound.id)):
        day = closed.get(row.review_round_id or 0)
        given_up = day is None and row.given_up_on is not None
        if given_up:
            day = date.fromisoformat(row.given_up_on or "")
        if day is None:
            continue
        kept = row.retention_days
        due_on = None if kept is None else day + timedelta(days=kept)
        found.append(Due(row.id, row.review_round_id, row.name, day, given_up, due_on))
    return sorted(found, key=lambda due: (due.due_on is None, due.due_on or due.over_on))


def _closed(review: Session) -> dict[int, date]:
    """Closed rounds of the review store, with the day (UTC) of the close."""
    days: dict[int, date] = {}
    events = review.scalars(
        select(AuditEvent).where(AuditEvent.action == "advance_round").order_by(AuditEvent.number)
    )
    for event in events:
        details = json.loads(event.details)
        if details.get("to") == "closed":
            days[details["round"]] = datetime.fromisoformat(event.at).date()
    shown = set(review.scalars(select(Round.id).where(Round.phase == "closed")))
    return {round_id: day for round_id, day in days.items() if round_id in shown}


def begin_destruction(
    vault: Session,
    review: Session,
    *,
    round_id: int,
    reason: str,
    by: str,
    confirmed_by: str,
    today: date,
) -> Destruction:
    """Notes that two persons destroy a round's part of the vault, and stops its work.

    One that was cut short is given back, to go on with. RuleError with everything in the way:
    not due, not two people of the office, redacting that is under way.
    """
    office_round = vault.get(OfficeRound, round_id, with_for_update=True)
    if office_round is None:
        raise RuleError(Sentence("没有这个批次。", "There is no such round."))
    begun = vault.scalar(
        select(Destruction).where(
            Destruction.office_round_id == round_id, Destruction.state != "done"
        )
    )
    if begun is not None:
        return begun
    problems = _problems(vault, reason, by, confirmed_by)
    due = next((d for d in destruction_due(vault, review) if d.round_id == round_id), None)
    if due is None or not due.by(today):
        said = "" if due is None or due.due_on is None else f"（{due.due_on.isoformat()}）"
        problems.append(
            Sentence(
                f"本批次的保存期未到{said}，或尚未结束（也未登记中止）、未设保存期，不能销毁。",
                f"The round's period is not over{said}, or it is not closed (nor declared "
                "abandoned), or no period is set: it cannot be destroyed.",
            )
        )
    if vault.scalar(select(Job.id).where(Job.round_id == round_id, Job.state == "running")):
        problems.append(
            Sentence(
                "本批次还有正在处理的文件。请先暂停处理，等它们完成。",
                "Files of the round are being redacted. Pause the round and wait for them.",
            )
        )
    if problems or due is None or due.due_on is None:
        raise RuleError(problems)
    office_round.paused = True
    vault.execute(delete(Job).where(Job.round_id == round_id))
    certificate = {
        "format": "mangping-destruction",
        "version": 1,
        "round": {"office": round_id, "review": due.review_round_id, "year": office_round.year,
                  "name": _name(review, office_round)},
        "given_up_on" if due.given_up else "closed_on": due.over_on.isoformat(),
        "retention_days": office_round.retention_days,
        "due_on": due.due_on.isoformat(),
        "reason": reason.strip(),
        "asked_by": by,
        "confirmed_by": confirmed_by,
    }  # fmt: skip
    begun = Destruction(
        office_round_id=round_id,
        review_round_id=due.review_round_id,
        asked_by=by,
        confirmed_by=confirmed_by,
        begun_at=utc_now(),
        certificate=_canonical(certificate),
    )
    vault.add(begun)
    vault.flush()
    return begun


def empty_rows(vault: Session, begun: Destruction, found: Mapping[str, Any]) -> None:
    """Deletes every row of the round but its own, which is left without a name until the end.

    `found`: what the certificate says of the files, which were looked through before.
    """
    rows: dict[str, Any] = {}
    tables = [table for table in bound_tables() if table.name != "office_round"]
    for table in tables:
        digest, count = hashlib.sha256(), 0
        chosen = select(table).where(rows_of_round(table, begun.office_round_id))
        for row in vault.execute(chosen.order_by(*table.primary_key.columns)):
            digest.update(_canonical(list(row)).encode() + b"\n")
            count += 1
        if count:
            rows[table.name] = {"rows": count, "sha256": digest.hexdigest()}
    for table in reversed(tables):
        vault.execute(delete(table).where(rows_of_round(table, begun.office_round_id)))
    office_round = vault.get_one(OfficeRound, begun.office_round_id)
    office_round.name, office_round.policy = f"destroyed-{begun.id}", ""
    office_round.policy_name = ""
    certificate = {**json.loads(begun.certificate), "rows": rows, **found}
    begun.certificate, begun.state = _canonical(certificate), "emptied"
    vault.flush()


def finish_destruction(
    vault: Session, review: Session, begun: Destruction, done: Mapping[str, Any]
) -> None:
    """Completes the certificate, writes it into the logs of both stores, and ends all cards.

    The caller commits the review store first: an event without an end is repeated, an end without
    an event would stay unseen.
    """
    begun.done_at = utc_now()
    certificate = {
        **json.loads(begun.certificate),
        "begun_at": begun.begun_at,
        "done_at": begun.done_at,
        **done,
    }
    begun.certificate, begun.state = _canonical(certificate), "done"
    begun.certificate_sha256 = hashlib.sha256(begun.certificate.encode()).hexdigest()
    details = {"certificate": begun.certificate_sha256, "confirmed_by": begun.confirmed_by}
    if begun.review_round_id is not None:
        # Of an abandoned round, tablets may still be signed in.
        revoke_cards(review, round_id=begun.review_round_id, by=begun.asked_by)
        append_event(
            review,
            actor=begun.asked_by,
            action="destroy_vault",
            details={"round": begun.review_round_id, **details},
        )
    vault.execute(delete(OfficeRound).where(OfficeRound.id == begun.office_round_id))
    record_event(
        vault,
        actor=begun.asked_by,
        action="vault.destroy",
        details={"destruction": begun.id, **details},
    )
    vault.flush()


def destructions(vault: Session) -> list[Destruction]:
    """All destructions, newest first."""
    return list(vault.scalars(select(Destruction).order_by(Destruction.id.desc())))


def bound_tables() -> list[Table]:
    """The vault's tables that hold rows of rounds, referred tables first."""
    tables = VaultBase.metadata.sorted_tables
    return [table for table in tables if table.name not in NOT_OF_A_ROUND]


def rows_of_round(table: Table, round_id: int) -> ColumnElement[bool]:
    """Which rows of a table are of a round: by its column, or by the row that they belong to."""
    if table.name == "office_round":
        return table.c.id == round_id
    if "round_id" in table.c:
        return table.c.round_id == round_id
    for key in sorted(table.foreign_keys, key=lambda key: str(key.parent)):
        if key.column.table.name not in NOT_OF_A_ROUND:
            parents = select(key.column).where(rows_of_round(key.column.table, round_id))
            return key.parent.in_(parents)
    raise TypeError(f"nothing says to which round a row of {table.name} belongs")


def _name(review: Session, office_round: OfficeRound) -> str:
    """What a certificate calls a round: as experts know it, if they ever did."""
    shown = office_round.review_round_id
    return office_round.name if shown is None else review.get_one(Round, shown).name


def _problems(vault: Session, reason: str, by: str, confirmed_by: str) -> list[Sentence]:
    problems: list[Sentence] = []
    try:
        require_two(reason, by, confirmed_by)
    except RuleError as error:
        problems += error.sentences
    known = vault.scalar(
        select(func.count())
        .select_from(Account)
        .where(Account.login.in_({by, confirmed_by}), Account.active)
    )
    if known != len({by, confirmed_by}):
        problems.append(
            Sentence(
                "销毁须由办公室的两名在用账号确认。",
                "A destruction needs two persons with active accounts of the office.",
            )
        )
    return problems


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

"""Rounds and their applicants as the office sets them up; writes happen only in these functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_rounds import Entrant, OfficeRound

PROFILES = ("strict", "notice")


@dataclass(frozen=True)
class EntrantRow:
    """An applicant of a roster. `row`: JSON of everything that the roster says."""

    number: int
    name: str
    unit: str
    specialty: str
    level: str
    row: str


def make_round(
    session: Session,
    *,
    name: str,
    year: int,
    policy_name: str,
    policy: str,
    profile: str,
    committee_members: int,
    submit_until: str = "",
    two_person_release: bool = False,
    by: str,
) -> OfficeRound:
    """A new round; RuleError with everything that is wrong with its settings."""
    problems = []
    if not name.strip():
        problems.append(Sentence("批次名称不能为空。", "The round needs a name."))
    if session.scalar(select(OfficeRound.id).where(OfficeRound.name == name.strip())):
        problems.append(
            Sentence(
                f"已有名为“{name.strip()}”的批次，请换一个名称。",
                f'There is a round named "{name.strip()}" already; choose another name.',
            )
        )
    if not 2000 <= year <= 2100:
        problems.append(Sentence(f"年度 {year} 不对。", f"The year {year} is wrong."))
    if committee_members < 1:
        problems.append(Sentence("评委会人数至少为 1。", "A committee has at least one member."))
    if profile not in PROFILES:
        problems.append(Sentence(f"没有遮盖方案“{profile}”。", f'There is no profile "{profile}".'))
    if problems:
        raise RuleError(problems)
    made = OfficeRound(
        name=name.strip(),
        year=year,
        policy_name=policy_name,
        policy=policy,
        profile=profile,
        committee_members=committee_members,
        submit_until=submit_until,
        two_person_release=two_person_release,
        created_at=utc_now(),
    )
    session.add(made)
    session.flush()
    record_event(session, actor=by, action="round.make", round_id=made.id)
    return made


def pause_round(session: Session, *, round_id: int, paused: bool, by: str) -> None:
    """Lets the runner leave a round's jobs alone, or go on with them."""
    session.get_one(OfficeRound, round_id).paused = paused
    action = "round.pause" if paused else "round.go_on"
    record_event(session, actor=by, action=action, round_id=round_id)


def put_entrants(
    session: Session,
    *,
    round_id: int,
    rows: Sequence[EntrantRow],
    codes: Mapping[int, str],
    by: str,
) -> tuple[list[Entrant], list[Entrant]]:
    """(new applicants, those whose row changed) of an imported roster.

    `codes`: a fresh blind code for each new number. Applicants that the new roster lacks stay:
    nothing that was sent is ever lost by an import.
    """
    there = {
        entrant.number: entrant
        for entrant in session.scalars(select(Entrant).where(Entrant.round_id == round_id))
    }
    new, changed = [], []
    for row in rows:
        entrant = there.get(row.number)
        if entrant is None:
            entrant = Entrant(round_id=round_id, number=row.number, code=codes[row.number])
            session.add(entrant)
            new.append(entrant)
        elif entrant.row != row.row:
            changed.append(entrant)
        else:
            continue
        _set(entrant, row)
    session.flush()
    record_event(
        session,
        actor=by,
        action="roster.import",
        round_id=round_id,
        details={"new": len(new), "changed": len(changed), "rows": len(rows)},
    )
    return new, changed


def change_entrant(session: Session, *, entrant_id: int, row: EntrantRow, by: str) -> bool:
    """Whether the applicant's row changed; the number stays."""
    entrant = session.get_one(Entrant, entrant_id)
    if entrant.row == row.row:
        return False
    _set(entrant, row)
    record_event(
        session,
        actor=by,
        action="entrant.change",
        round_id=entrant.round_id,
        details={"entrant": entrant.id},
    )
    return True


def entrants_of(session: Session, round_id: int) -> list[Entrant]:
    """All applicants of a round in roster order."""
    chosen = select(Entrant).where(Entrant.round_id == round_id).order_by(Entrant.number)
    return list(session.scalars(chosen))


def _set(entrant: Entrant, row: EntrantRow) -> None:
    entrant.name, entrant.unit = row.name, row.unit
    entrant.specialty, entrant.level = row.specialty, row.level
    entrant.row = row.row

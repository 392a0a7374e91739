"""Writes of the committee in the vault: who sits where, and how dossiers are given out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_experts import AssignmentRule, Expert

MOST_SEATS = 999
MOST_REVIEWS = 99
LONGEST = {"name": 100, "unit": 200, "phone": 40}
_NAMES = {
    "name": Sentence("姓名", "name"),
    "unit": Sentence("工作单位", "unit"),
    "phone": Sentence("电话", "phone"),
}


@dataclass(frozen=True)
class ExpertRow:
    """An expert as a list gives one. `seat` "": the next free one. `row`: its line there."""

    row: int
    name: str
    seat: str = ""
    unit: str = ""
    former_units: str = ""
    specialties: str = ""
    relatives: str = ""
    phone: str = ""
    capacity: int | None = None


_COLUMNS = tuple(f.name for f in fields(ExpertRow) if f.name not in ("row", "seat"))


def experts_of(session: Session, round_id: int) -> list[Expert]:
    """The committee in the order of seats."""
    chosen = select(Expert).where(Expert.round_id == round_id)
    return sorted(session.scalars(chosen), key=lambda expert: seat_order(expert.seat))


def seat_order(seat: str) -> tuple[int, str]:
    """R2 before R10, whatever the number of digits."""
    digits = seat.lstrip("R")
    return (int(digits) if digits.isdecimal() else MOST_SEATS + 1, seat)


def is_seat(text: str) -> bool:
    """Whether it is a seat's name: R and a number from 1."""
    digits = text[1:]
    plain = text[:1] == "R" and digits.isascii() and digits.isdecimal() and len(digits) <= 4
    return plain and 1 <= int(digits) <= MOST_SEATS


def put_experts(
    session: Session,
    *,
    round_id: int,
    rows: Sequence[ExpertRow],
    held: Iterable[str] = (),
    by: str,
) -> list[str]:
    """Seats of the rows; a row with a seat that is there changes who sits on it.

    `held`: seats that the review store has and the vault may not know; a new expert never gets
    one of them. RuleError with everything that is wrong; nothing is written then.
    """
    there = {expert.seat: expert for expert in experts_of(session, round_id)}
    problems = _problems(rows, there)
    if problems:
        raise RuleError(problems)
    taken = {*there, *held, *(row.seat for row in rows)}
    free = (seat for n in range(1, MOST_SEATS + 1) if (seat := f"R{n:02d}") not in taken)
    seats = []
    for row in rows:
        seat = row.seat or next(free, "")
        if not seat:
            raise RuleError(
                Sentence(f"席位已满 {MOST_SEATS} 个。", f"All {MOST_SEATS} seats are taken.")
            )
        expert = there.get(seat) or Expert(round_id=round_id, seat=seat)
        for name in _COLUMNS:
            setattr(expert, name, getattr(row, name))
        session.add(expert)
        seats.append(seat)
    session.flush()
    record_event(
        session,
        actor=by,
        action="experts.put",
        round_id=round_id,
        details={
            "new": sorted(set(seats) - there.keys()),
            "changed": sorted(there.keys() & set(seats)),
        },
    )
    return seats


def _problems(rows: Sequence[ExpertRow], there: dict[str, Expert]) -> list[Sentence]:
    found: list[Sentence] = []
    if not rows:
        found.append(Sentence("名单中没有任何专家。", "The list holds no expert."))
    seats: set[str] = set()
    people = {(e.name, e.unit): e.seat for e in there.values()}
    for row in rows:
        zh, en = f"第 {row.row} 行", f"Row {row.row}"
        if not row.name:
            found.append(Sentence(f"{zh}缺少姓名。", f"{en} has no name."))
        for column, longest in LONGEST.items():
            if len(getattr(row, column)) > longest:
                said = _NAMES[column]
                found.append(
                    Sentence(
                        f"{zh}的{said.zh}超过 {longest} 个字，请缩短。",
                        f"{en}: the {said.en} is longer than {longest} characters; shorten it.",
                    )
                )
        if row.seat and not is_seat(row.seat):
            found.append(
                Sentence(
                    f"{zh}的席位“{row.seat}”不对，应为 R01、R02 等；可留空由程序编号。",
                    f'{en}: the seat "{row.seat}" is none; write R01, R02 and so on, or leave it '
                    "empty.",
                )
            )
        if row.seat and row.seat in seats:
            found.append(
                Sentence(f"{zh}的席位 {row.seat} 重复。", f"{en}: the seat {row.seat} is doubled.")
            )
        seats.add(row.seat)
        holder = people.setdefault((row.name, row.unit), row.seat or f"#{row.row}")
        if row.name and holder not in (row.seat, f"#{row.row}"):
            where = holder.removeprefix("#")
            found.append(
                Sentence(
                    f"{zh}：{row.name}（{row.unit or '单位未填'}）已在名单中（{where}）。"
                    "同一专家只占一个席位。",
                    f"{en}: {row.name} ({row.unit or 'no unit'}) is on the list already ({where}); "
                    "an expert has one seat.",
                )
            )
        if row.capacity is not None and not 0 <= row.capacity <= 99_999:
            found.append(
                Sentence(f"{zh}的评审份数上限不对。", f"{en}: the limit of dossiers is wrong.")
            )
    return found


def remove_expert(session: Session, *, round_id: int, seat: str, by: str) -> None:
    """Takes somebody off the committee; the name goes, the log keeps the seat."""
    expert = session.get(Expert, (round_id, seat))
    if expert is None:
        raise RuleError(Sentence(f"没有席位 {seat}。", f"There is no seat {seat}."))
    session.delete(expert)
    record_event(
        session, actor=by, action="experts.remove", round_id=round_id, details={"seat": seat}
    )
    session.flush()


def set_rule(
    session: Session, *, round_id: int, reviews: int, by_specialty: bool, seed: int, by: str
) -> AssignmentRule:
    """How dossiers are given out from now on. `seed` >= 0 is kept with the rule, for the record."""
    if not 1 <= reviews <= MOST_REVIEWS:
        raise RuleError(
            Sentence(
                f"每份材料的评委数应为 1 至 {MOST_REVIEWS}。",
                f"A dossier goes to 1 to {MOST_REVIEWS} experts.",
            )
        )
    rule = session.get(AssignmentRule, round_id) or AssignmentRule(round_id=round_id)
    rule.reviews, rule.by_specialty, rule.seed = reviews, by_specialty, seed
    session.add(rule)
    details = {"reviews": reviews, "by_specialty": by_specialty, "seed": seed}
    record_event(session, actor=by, action="assignment.rule", round_id=round_id, details=details)
    session.flush()
    return rule


def note_recusals(
    session: Session, *, round_id: int, grounds: Sequence[tuple[str, str, str]], by: str
) -> None:
    """Keeps why the office recused: (seat, code, sentence). It names units: for the vault alone."""
    record_event(
        session,
        actor=by,
        action="experts.recused",
        round_id=round_id,
        details={"grounds": [list(ground) for ground in grounds]},
    )

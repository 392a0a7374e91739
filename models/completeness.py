"""How far the blind scores are: dossier by reviewer, seat by seat, and what keeps the lock open.

Everything is counted in the database, so that no page costs more than the rows it shows. Codes
and seats only: no score of anybody is read here, and no name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.review import Candidate, Recusal
from models.review_sheets import Sheet

STANDINGS = ("submitted", "begun", "untouched", "excluded", "recused")
"""How far a sheet is. `begun`: a draft was saved; `untouched`: nothing was."""
SHOWN = 100


@dataclass(frozen=True)
class BoardSheet:
    """A sheet on the board. `sheet_id` 0: a recusal without a sheet."""

    sheet_id: int
    reviewer: str
    standing: str
    reason: str


@dataclass(frozen=True)
class BoardRow:
    """A dossier with its sheets by seat. `valid`: submitted; `active`: submitted or still open."""

    code: str
    specialty: str
    level: str
    disqualified: bool
    sheets: Mapping[str, BoardSheet]
    counts: Mapping[str, int]

    @property
    def valid(self) -> int:
        return self.counts["submitted"]

    @property
    def active(self) -> int:
        return self.counts["submitted"] + self.counts["begun"] + self.counts["untouched"]


@dataclass(frozen=True)
class Totals:
    """Sheets of a round by standing, and how many dossiers it has."""

    dossiers: int
    counts: Mapping[str, int]

    @property
    def wanted(self) -> int:
        """Sheets that are or will be counted."""
        return self.counts["submitted"] + self.counts["begun"] + self.counts["untouched"]


@dataclass(frozen=True)
class Blockers:
    """What keeps the lock open. `open_sheets`, `short`: the first ones; the numbers are of all.

    `open_sheets`: (code, seat, standing). `short`: (code, valid sheets).
    """

    open_count: int
    open_sheets: Sequence[tuple[str, str, str]] = ()
    short_count: int = 0
    short: Sequence[tuple[str, int]] = field(default=())

    @property
    def none(self) -> bool:
        return not self.open_count and not self.short_count


_STANDING: ColumnElement[str] = case(
    (and_(Sheet.state == "open", Sheet.version > 0), "begun"),
    (Sheet.state == "open", "untouched"),
    else_=Sheet.state,
)


def board_rows(
    session: Session,
    round_id: int,
    *,
    after: str = "",
    only: str = "",
    reviews: int = 0,
    limit: int = SHOWN,
) -> tuple[list[BoardRow], str | None]:
    """(dossiers in the order of codes after `after`, the code after which the next page begins).

    `only`: "open" for those with an unsubmitted sheet, "short" for fewer than `reviews` active
    sheets, "" for all. Three queries.
    """
    chosen = select(Candidate).where(Candidate.round_id == round_id, Candidate.code > after)
    if only == "open":
        chosen = chosen.where(
            Candidate.code.in_(select(Sheet.code).filter_by(round_id=round_id, state="open"))
        )
    elif only == "short":
        enough = (
            select(Sheet.code)
            .where(Sheet.round_id == round_id, Sheet.state.in_(("open", "submitted")))
            .group_by(Sheet.code)
            .having(func.count() >= reviews)
        )
        chosen = chosen.where(Candidate.code.not_in(enough), ~Candidate.disqualified)
    found = session.scalars(chosen.order_by(Candidate.code).limit(limit + 1)).all()
    listed = found[:limit]
    sheets = _sheets_by_code(session, round_id, [candidate.code for candidate in listed])
    rows = [_row(candidate, sheets) for candidate in listed]
    return rows, listed[-1].code if len(found) > limit else None


def board_row(session: Session, round_id: int, code: str) -> BoardRow | None:
    """One dossier of the board, None when the round has no such code."""
    candidate = session.get(Candidate, (round_id, code))
    if candidate is None:
        return None
    return _row(candidate, _sheets_by_code(session, round_id, [code]))


def totals(session: Session, round_id: int) -> Totals:
    """How far the whole round is."""
    dossiers = session.scalar(
        select(func.count()).select_from(Candidate).where(Candidate.round_id == round_id)
    )
    counts = dict.fromkeys(STANDINGS, 0)
    for standing, count in session.execute(
        select(_STANDING, func.count()).where(Sheet.round_id == round_id).group_by(_STANDING)
    ):
        if standing in counts:
            counts[standing] = count
    return Totals(dossiers or 0, counts)


def loads(session: Session, round_id: int) -> dict[str, dict[str, int]]:
    """Seat -> how many of its sheets stand how; seats without any are left out."""
    found: dict[str, dict[str, int]] = {}
    for seat, standing, count in session.execute(
        select(Sheet.reviewer, _STANDING, func.count())
        .where(Sheet.round_id == round_id)
        .group_by(Sheet.reviewer, _STANDING)
    ):
        if standing in STANDINGS:
            found.setdefault(seat, dict.fromkeys(STANDINGS, 0))[standing] = count
    return found


def open_codes(session: Session, round_id: int, seat: str = "") -> dict[str, list[str]]:
    """Seat -> the codes that it still has to submit, sorted; of one seat, or of all."""
    chosen = select(Sheet.reviewer, Sheet.code).filter_by(round_id=round_id, state="open")
    if seat:
        chosen = chosen.where(Sheet.reviewer == seat)
    found: dict[str, list[str]] = {}
    for reviewer, code in session.execute(chosen.order_by(Sheet.code)):
        found.setdefault(reviewer, []).append(code)
    return found


def left_out(
    session: Session, round_id: int, *, after: tuple[str, str] = ("", ""), limit: int = SHOWN
) -> list[Sheet]:
    """Excluded and recused sheets in the order of codes and seats, after a (code, seat)."""
    code, seat = after
    return list(
        session.scalars(
            select(Sheet)
            .where(
                Sheet.round_id == round_id,
                Sheet.state.in_(("excluded", "recused")),
                or_(Sheet.code > code, and_(Sheet.code == code, Sheet.reviewer > seat)),
            )
            .order_by(Sheet.code, Sheet.reviewer)
            .limit(limit)
        )
    )


def blockers(session: Session, round_id: int, min_sheets: int) -> Blockers:
    """Everything that `models.rounds.lock_round` would refuse for, as codes and seats."""
    least = max(min_sheets, 1)
    open_count = session.scalar(
        select(func.count(Sheet.id)).filter_by(round_id=round_id, state="open")
    )
    open_sheets = session.execute(
        select(Sheet.code, Sheet.reviewer, _STANDING)
        .where(Sheet.round_id == round_id, Sheet.state == "open")
        .order_by(Sheet.code, Sheet.reviewer)
        .limit(SHOWN)
    )
    submitted = (
        select(Sheet.code, func.count().label("valid"))
        .where(Sheet.round_id == round_id, Sheet.state == "submitted")
        .group_by(Sheet.code)
        .subquery()
    )
    valid = func.coalesce(submitted.c.valid, 0)
    short = session.execute(
        select(Candidate.code, valid)
        .outerjoin(submitted, submitted.c.code == Candidate.code)
        .where(Candidate.round_id == round_id, ~Candidate.disqualified, valid < least)
        .order_by(Candidate.code)
    ).all()
    return Blockers(
        open_count or 0,
        [(row[0], row[1], row[2]) for row in open_sheets],
        len(short),
        [(row[0], row[1]) for row in short[:SHOWN]],
    )


def _row(candidate: Candidate, sheets: Mapping[str, Mapping[str, BoardSheet]]) -> BoardRow:
    mine = sheets.get(candidate.code, {})
    counts = dict.fromkeys(STANDINGS, 0)
    for sheet in mine.values():
        counts[sheet.standing] += 1
    return BoardRow(
        candidate.code,
        candidate.specialty,
        candidate.level,
        candidate.disqualified,
        mine,
        counts,
    )


def _sheets_by_code(
    session: Session, round_id: int, codes: Sequence[str]
) -> dict[str, dict[str, BoardSheet]]:
    found: dict[str, dict[str, BoardSheet]] = {}
    for seat, code, reason in session.execute(
        select(Recusal.reviewer, Recusal.code, Recusal.reason).where(
            Recusal.round_id == round_id, Recusal.code.in_(codes)
        )
    ):
        found.setdefault(code, {})[seat] = BoardSheet(0, seat, "recused", reason)
    for sheet_id, code, seat, standing, reason in session.execute(
        select(Sheet.id, Sheet.code, Sheet.reviewer, _STANDING, Sheet.reason)
        .where(Sheet.round_id == round_id, Sheet.code.in_(codes), Sheet.state != "withdrawn")
        .order_by(Sheet.reviewer)
    ):
        found.setdefault(code, {})[seat] = BoardSheet(sheet_id, seat, standing, reason)
    return found

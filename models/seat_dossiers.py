"""What a seat may see of its dossiers: codes, pages by category, and how far its sheet is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.review_pages import ReleasedPage
from models.review_sheets import Sheet, SheetScore

ASSIGNED = ("open", "submitted", "excluded", "recused")
READABLE = ("open", "submitted", "excluded")
"""States of a sheet whose dossier its seat may read."""
NAME_LENGTH = 32
"""Characters of a page's hash that name its pictures."""


@dataclass(frozen=True)
class SeatDossier:
    """A dossier on a seat's list. `categories`: category -> number of pages that can be opened.

    `state`: open, submitted, excluded or recused, of the sheet; `version` 0: nothing saved yet.
    """

    code: str
    sheet_id: int
    state: str
    version: int
    categories: Mapping[str, int]


def dossiers_of(session: Session, round_id: int, seat: str) -> list[SeatDossier]:
    """The dossiers that are assigned to a seat, sorted by code: random, so it tells nothing."""
    sheets = session.scalars(
        select(Sheet)
        .where(Sheet.round_id == round_id, Sheet.reviewer == seat, Sheet.state.in_(ASSIGNED))
        .order_by(Sheet.code)
    ).all()
    counts: dict[str, dict[str, int]] = {}
    pages = (
        select(ReleasedPage.code, ReleasedPage.category, func.count())
        .where(
            ReleasedPage.round_id == round_id,
            ReleasedPage.code.in_([sheet.code for sheet in sheets]),
            ReleasedPage.frozen.is_(False),
        )
        .group_by(ReleasedPage.code, ReleasedPage.category)
    )
    for code, category, count in session.execute(pages):
        counts.setdefault(code, {})[category] = count
    return [
        SeatDossier(sheet.code, sheet.id, sheet.state, sheet.version, counts.get(sheet.code, {}))
        for sheet in sheets
    ]


@dataclass(frozen=True)
class SeatPage:
    """A page as the reader lists it; `width`, `height` in pixels.

    `name`: of its pixels, so a page that is replaced has another one. `frozen`: not to be shown;
    also when the same pixels are frozen elsewhere in the dossier.
    """

    number: int
    category: str
    name: str
    width: int
    height: int
    frozen: bool


def seat_pages(session: Session, round_id: int, seat: str, code: str) -> list[SeatPage] | None:
    """The pages of a dossier, category by category; None when the seat may not read it."""
    # One question, and columns, not rows of the mapper: every tablet asks every few seconds.
    found = session.execute(
        select(
            ReleasedPage.number,
            ReleasedPage.category,
            ReleasedPage.sha256,
            ReleasedPage.width,
            ReleasedPage.height,
            ReleasedPage.frozen,
        )
        .select_from(Sheet)
        .outerjoin(
            ReleasedPage,
            (ReleasedPage.round_id == Sheet.round_id) & (ReleasedPage.code == Sheet.code),
        )
        .where(
            Sheet.round_id == round_id,
            Sheet.reviewer == seat,
            Sheet.code == code,
            Sheet.state.in_(READABLE),
        )
        .order_by(ReleasedPage.number)
    ).all()
    if not found:
        return None
    rows = [row for row in found if row.number is not None]
    frozen = {row.sha256 for row in rows if row.frozen}
    first = {row.category: row.number for row in reversed(rows)}
    return [
        SeatPage(
            row.number,
            row.category,
            row.sha256[:NAME_LENGTH],
            row.width,
            row.height,
            row.sha256 in frozen,
        )
        for row in sorted(rows, key=lambda row: (first[row.category], row.number))
    ]


@dataclass(frozen=True)
class StoredPage:
    """Where the pixels of a released page lie, and whether nobody may see them now."""

    number: int
    suffix: str
    width: int
    sha256: str
    frozen: bool


def stored_page(
    session: Session, round_id: int, seat: str, code: str, name: str
) -> StoredPage | None:
    """The page of a dossier with those pixels; None when the seat may not read it.

    `name`: as in SeatPage. Pixels that are frozen anywhere in the dossier are frozen.
    """
    if len(name) != NAME_LENGTH:
        return None
    rows = session.execute(
        select(
            ReleasedPage.number,
            ReleasedPage.suffix,
            ReleasedPage.width,
            ReleasedPage.sha256,
            ReleasedPage.frozen,
        )
        .join(Sheet, (Sheet.round_id == ReleasedPage.round_id) & (Sheet.code == ReleasedPage.code))
        .where(
            ReleasedPage.round_id == round_id,
            ReleasedPage.code == code,
            ReleasedPage.sha256.startswith(name, autoescape=True),
            Sheet.reviewer == seat,
            Sheet.state.in_(READABLE),
        )
        .order_by(ReleasedPage.frozen.desc())
    )
    found = rows.first()
    return None if found is None else StoredPage(*found)


def scored_criteria(session: Session, round_id: int, seat: str) -> dict[int, frozenset[str]]:
    """Sheet id -> the criteria that its newest version has points for; a seat's sheets only."""
    rows = session.execute(
        select(SheetScore.sheet_id, SheetScore.criterion)
        .join(Sheet, (Sheet.id == SheetScore.sheet_id) & (Sheet.version == SheetScore.number))
        .where(Sheet.round_id == round_id, Sheet.reviewer == seat)
    )
    found: dict[int, set[str]] = {}
    for sheet_id, criterion in rows:
        found.setdefault(sheet_id, set()).add(criterion)
    return {sheet_id: frozenset(criteria) for sheet_id, criteria in found.items()}

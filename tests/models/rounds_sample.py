"""A small made-up round for the tests of the review store."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidates import NewCandidate, add_candidates
from models.review import Round
from models.review_sheets import Sheet
from models.rounds import advance_round, lock_round, open_round, record_attendance
from models.sheets import CriterionRule, assign_sheets, submit_sheet

RULES = (CriterionRule("业绩", 4000, 50), CriterionRule("论文", 2000, 50))
SCORES = {"业绩": 3150, "论文": 1200}
SEATS = ("R01", "R02", "R03")
CODES = ("K7QF-3M", "B2XW-9T")


def sample_round(session: Session) -> int:
    """Three seats, two candidates, every dossier with every seat."""
    found: Round = open_round(
        session,
        name="2024 科技",
        year=2024,
        places=2,
        committee_members=3,
        policy_text="[notice]",
        seats=SEATS,
        by="office",
    )
    add_candidates(
        session,
        round_id=found.id,
        candidates=[NewCandidate(code, "实验技术", "中级", "attended") for code in CODES],
        by="office",
    )
    pairs = [(seat, code) for seat in SEATS for code in CODES]
    assign_sheets(session, round_id=found.id, pairs=pairs, by="office")
    return found.id


def sheet_id(session: Session, round_id: int, seat: str, code: str) -> int:
    return session.scalars(
        select(Sheet.id).filter_by(round_id=round_id, reviewer=seat, code=code)
    ).one()


def submit_all(session: Session, round_id: int) -> None:
    open_ids = session.scalars(select(Sheet).filter_by(round_id=round_id, state="open")).all()
    for sheet in open_ids:
        submit_sheet(
            session,
            sheet_id=sheet.id,
            scores=SCORES,
            comment="业绩突出",
            base_version=sheet.version,
            rules=RULES,
            by=sheet.reviewer,
        )


def to_phase(session: Session, round_id: int, phase: str) -> None:
    """Finish the sheets and go on to `phase`, with everybody present."""
    submit_all(session, round_id)
    lock_round(session, round_id=round_id, min_sheets=1, by="office")
    for seat in SEATS:
        record_attendance(session, round_id=round_id, seat=seat, present=True, by="office")
    for step in ("defence", "voting", "closed"):
        if phase == "locked":
            return
        advance_round(session, round_id=round_id, to=step, by="office")
        if step == phase:
            return

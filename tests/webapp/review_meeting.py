"""Brings a furnished round to its meeting: sheets submitted, scores locked, members present."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.ballots import open_ballot
from models.review_sheets import Sheet
from models.rounds import (
    advance_round,
    lock_round,
    record_attendance,
    set_defence_standing,
    snapshot_policy,
)
from models.sheets import CriterionRule, submit_sheet
from tests.webapp.review_round import POLICY, ReviewRound

RULES = (CriterionRule("achievements", 6000, 50), CriterionRule("papers", 4000, 50))
MEETING_POLICY = (
    POLICY
    + """
[defence]
mode = "scored"
max = "30"
step = "0.5"

[vote]
used = true

[decision]
rule = "vote"
"""
)


def to_meeting(
    store: Engine, made: ReviewRound, phase: str, absent: Iterable[str] = (), came: int = 0
) -> None:
    """The round in `phase` (locked, defence or voting); `came` candidates came to the defence."""
    with Session(store) as session, session.begin():
        snapshot_policy(session, round_id=made.round_id, text=MEETING_POLICY, by="office")
        sheets = session.scalars(select(Sheet).filter_by(round_id=made.round_id, state="open"))
        for sheet in sheets.all():
            submit_sheet(
                session,
                sheet_id=sheet.id,
                scores={"achievements": 4000, "papers": 2000},
                comment="",
                base_version=sheet.version,
                rules=RULES,
                by=sheet.reviewer,
            )
        lock_round(session, round_id=made.round_id, min_sheets=1, by="office")
        for seat in set(made.cards) - {*absent}:
            record_attendance(session, round_id=made.round_id, seat=seat, present=True, by="office")
        if phase == "locked":
            return
        advance_round(session, round_id=made.round_id, to="defence", by="office")
        for code in made.codes[:came]:
            set_defence_standing(
                session,
                round_id=made.round_id,
                code=code,
                standing="attended",
                reason="到场",
                by="office",
            )
        if phase == "voting":
            advance_round(session, round_id=made.round_id, to="voting", by="office")


def opened(store: Engine, made: ReviewRound) -> str:
    """A ballot over all candidates, open."""
    with Session(store) as session, session.begin():
        return open_ballot(session, round_id=made.round_id, codes=made.codes, by="office")

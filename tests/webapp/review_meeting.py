"""Brings a furnished round to its meeting: sheets submitted, scores locked, members present."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.ballots import open_ballot
from models.candidates import set_defence_standing
from models.review import Candidate, Reviewer
from models.review_sheets import Sheet
from models.rounds import advance_round, lock_round, record_attendance, snapshot_policy
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
    bring_to_meeting(store, made.round_id, phase, absent=absent, came=came)


def bring_to_meeting(
    store: Engine,
    round_id: int,
    phase: str,
    *,
    absent: Iterable[str] = (),
    came: int = 0,
    policy: str = MEETING_POLICY,
) -> None:
    """The same for a round by its id; the first codes come to the defence."""
    with Session(store) as session, session.begin():
        snapshot_policy(session, round_id=round_id, text=policy, by="office")
        sheets = session.scalars(select(Sheet).filter_by(round_id=round_id, state="open"))
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
        lock_round(session, round_id=round_id, min_sheets=1, by="office")
        seats = session.scalars(select(Reviewer.seat).filter_by(round_id=round_id)).all()
        for seat in set(seats) - {*absent}:
            record_attendance(session, round_id=round_id, seat=seat, present=True, by="office")
        if phase == "locked":
            return
        advance_round(session, round_id=round_id, to="defence", by="office")
        codes = session.scalars(select(Candidate.code).filter_by(round_id=round_id)).all()
        for code in sorted(codes)[:came]:
            set_defence_standing(
                session,
                round_id=round_id,
                code=code,
                standing="attended",
                reason="到场",
                by="office",
            )
        if phase == "voting":
            advance_round(session, round_id=round_id, to="voting", by="office")


def opened(store: Engine, made: ReviewRound) -> str:
    """A ballot over all candidates, open."""
    with Session(store) as session, session.begin():
        return open_ballot(session, round_id=made.round_id, codes=made.codes, by="office")

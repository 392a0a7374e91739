"""All tables of the review store in one place; importing it fills ReviewBase.metadata."""

from __future__ import annotations

from models.audit import AuditEvent, AuditHead
from models.base import ReviewBase
from models.review import Candidate, PolicySnapshot, Recusal, Reviewer, Round, Ruling, Tally
from models.review_ballots import Ballot, BallotItem, Vote, VoterRoll
from models.review_sheets import DefenceResult, DefenceScore, Sheet, SheetScore, SheetVersion

REVIEW_TABLES: tuple[type[ReviewBase], ...] = (
    Round,
    PolicySnapshot,
    Candidate,
    Reviewer,
    Recusal,
    Sheet,
    SheetVersion,
    SheetScore,
    DefenceScore,
    DefenceResult,
    Ruling,
    Ballot,
    BallotItem,
    VoterRoll,
    Vote,
    Tally,
    AuditHead,
    AuditEvent,
)

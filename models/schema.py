"""All tables of both stores in one place; importing it fills the metadata of their bases."""

from __future__ import annotations

from models.audit import AuditEvent, AuditHead
from models.base import ReviewBase, VaultBase
from models.review import Candidate, PolicySnapshot, Recusal, Reviewer, Round, Ruling, Tally
from models.review_access import AccessEvent, SeatCard, SeatDevice
from models.review_ballots import (
    Ballot,
    BallotItem,
    PaperCount,
    PaperEntry,
    Receipt,
    Vote,
    VoterRoll,
)
from models.review_pages import PageReport, PageSettlement, ReleasedPage
from models.review_sheets import (
    DefenceResult,
    DefenceScore,
    Sheet,
    SheetNote,
    SheetScore,
    SheetVersion,
)
from models.vault_accounts import Account, OfficeEvent, SetupLink, SignIn
from models.vault_destruction import Destruction
from models.vault_experts import AssignmentRule, Expert
from models.vault_pages import (
    CheckAnswer,
    CheckLink,
    CheckVerdict,
    Job,
    Page,
    PageEdit,
    PageLook,
    Release,
    Submission,
)
from models.vault_results import (
    AuditDraw,
    Complaint,
    OfficeDay,
    RekeyedTotal,
    ResultNotice,
    RosterFile,
    SignedScan,
    Unsealing,
)
from models.vault_rounds import Entrant, OfficeRound, SourceFile, Upload
from models.vault_runners import RunnerBeat

REVIEW_TABLES: tuple[type[ReviewBase], ...] = (
    Round,
    PolicySnapshot,
    Candidate,
    Reviewer,
    Recusal,
    Sheet,
    SheetVersion,
    SheetScore,
    SheetNote,
    DefenceScore,
    DefenceResult,
    Ruling,
    Ballot,
    BallotItem,
    VoterRoll,
    Vote,
    Receipt,
    PaperEntry,
    PaperCount,
    Tally,
    AuditHead,
    AuditEvent,
    SeatCard,
    SeatDevice,
    AccessEvent,
    ReleasedPage,
    PageReport,
    PageSettlement,
)
VAULT_TABLES: tuple[type[VaultBase], ...] = (
    Account,
    SignIn,
    SetupLink,
    OfficeEvent,
    OfficeRound,
    Entrant,
    Upload,
    SourceFile,
    Page,
    PageEdit,
    PageLook,
    Job,
    RunnerBeat,
    CheckLink,
    CheckAnswer,
    CheckVerdict,
    Submission,
    Release,
    Destruction,
    Expert,
    AssignmentRule,
    RosterFile,
    Unsealing,
    ResultNotice,
    OfficeDay,
    Complaint,
    SignedScan,
    AuditDraw,
    RekeyedTotal,
)

"""A round as the tally sees it: candidates by code, sheets, defence, ballots and rulings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Attendance = Literal["attended", "exempt", "absent", "waived", "not_required"]
ATTENDANCE: dict[str, str] = {
    "attended": "参加答辩",
    "exempt": "免答辩",
    "absent": "缺席",
    "waived": "放弃免试",
    "not_required": "不需答辩",
}

Subject = Literal["defence_points", "defence_result", "exemption", "pool_member", "tie_order"]
SUBJECTS: dict[str, str] = {
    "defence_points": "答辩得分",
    "defence_result": "答辩结果",
    "exemption": "免答辩资格",
    "pool_member": "平均分人员",
    "tie_order": "同分排序",
}


@dataclass(frozen=True, slots=True)
class Committee:
    """Members of the committee and those present; `attendance` names those present, if known."""

    members: int
    present: int
    attendance: tuple[str, ...] = ()
    chair: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One applicant, known by a code only.

    `ground` is the exemption ground. `waived` means that an exempt candidate recorded a waiver
    before the defence and defended. `disqualified_after_lock` leaves the locked averages as they
    were; only a numbered re-tally (`Round.version` > 1) may change them.
    """

    code: str
    specialty: str
    level: str
    defence: Attendance
    ground: str | None = None
    disqualified: bool = False
    disqualified_after_lock: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One reviewer's scores of one candidate, by criterion id; excluded sheets have a reason."""

    reviewer: str
    code: str
    scores: Mapping[str, Fraction]
    excluded: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recusal:
    """A reviewer who must not judge a candidate (回避)."""

    reviewer: str
    code: str


@dataclass(frozen=True, slots=True)
class DefenceScore:
    """One judge's points for one defence."""

    judge: str
    code: str
    score: Fraction


@dataclass(frozen=True, slots=True)
class Ballot:
    """Counted ballots on one candidate; who voted how is not known to anyone.

    `attendance`: who was present at this ballot, where that was not the same at all of them; ()
    means those of the committee.
    """

    yes: int
    no: int
    abstain: int
    spoiled: int
    attendance: tuple[str, ...] = ()

    @property
    def cast(self) -> int:
        return self.yes + self.no + self.abstain + self.spoiled


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision that the secretary recorded where notice and policy leave a case open.

    `value` by subject: defence_points: points; defence_result: "pass" or "fail"; exemption:
    "revoked"; pool_member: "keep" or "drop" a disqualified defender in the averages of others;
    tie_order: the place among those who tie at the cut-off, from 1.
    """

    code: str
    subject: Subject
    value: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction after lock, made by two persons, that a new version of the round holds."""

    item: str
    old: str
    new: str
    reason: str
    by: tuple[str, str]


@dataclass(frozen=True)
class Round:
    """Everything that a tally reads. `round_json` and `round_xlsx` make checked ones.

    `version` numbers re-tallies from 1; `replaces` is the sha256 of the tally before.
    """

    year: int
    candidates: tuple[Candidate, ...]
    committee: Committee | None = None
    sheets: tuple[Sheet, ...] = ()
    recusals: frozenset[Recusal] = frozenset()
    defence_scores: tuple[DefenceScore, ...] = ()
    defence_results: Mapping[str, bool] = field(default_factory=dict)
    ballots: Mapping[str, Ballot] = field(default_factory=dict)
    rulings: tuple[Ruling, ...] = ()
    version: int = 1
    replaces: str = ""
    corrections: tuple[Correction, ...] = ()

    def ruling(self, code: str, subject: Subject) -> Ruling | None:
        """The ruling on this subject for this candidate, if the secretary recorded one."""
        return next((r for r in self.rulings if r.code == code and r.subject == subject), None)

    def recused(self, code: str) -> frozenset[str]:
        """Reviewers who are recused for this candidate."""
        return frozenset(r.reviewer for r in self.recusals if r.code == code)

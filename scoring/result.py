"""What a tally says: exact figures with the way they were reached and the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Basis = Literal["own", "substituted", "ruling", "pass", "fail", "zero", "none", "undetermined"]
Outcome = Literal["pass", "fail", "undetermined"]

BASIS: dict[str, str] = {
    "own": "本人答辩",
    "substituted": "平均分代入",
    "ruling": "裁定",
    "pass": "通过",
    "fail": "未通过",
    "zero": "缺席计零分",
    "none": "无答辩分",
    "undetermined": "待裁定",
}
OUTCOME: dict[str, str] = {"pass": "通过", "fail": "未通过", "undetermined": "待裁定"}


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence about one candidate or the round, with the clause it rests on ("" if none)."""

    zh: str
    en: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Mean:
    """An exact mean and the number of values in it."""

    value: Fraction
    n: int


@dataclass(frozen=True, slots=True)
class Review:
    """Review points of one candidate; None while there are too few valid sheets."""

    criteria: Mapping[str, Mean]
    points: Fraction | None
    sheets: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several averages that a ruling has to choose from."""

    ruling: Literal["keep", "drop"]
    points: Fraction | None
    n: int


@dataclass(frozen=True, slots=True)
class DefenceOutcome:
    """The defence of one candidate: points where it is scored, `passed` where it is judged.

    `passed` is None where nobody judged it or the policy does not ask. `pool` are the codes of
    those whose average was taken. `bars` means that it fails the application whatever the total.
    """

    basis: Basis
    points: Fraction | None = None
    passed: bool | None = None
    pool: tuple[str, ...] = ()
    formula: str = ""
    n: int = 0
    bars: bool = False
    veto_open: bool = False
    alternatives: tuple[Alternative, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class VoteOutcome:
    """A counted ballot: yes votes against the denominator, in whole numbers."""

    yes: int
    no: int
    abstain: int
    spoiled: int
    denominator: int
    quorum_met: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """Everything about one candidate; `total` and `rank` are None while something is open."""

    code: str
    specialty: str
    level: str
    review: Review
    defence: DefenceOutcome
    total: Fraction | None
    vote: VoteOutcome | None
    rank: int | None
    decision: Outcome
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Result:
    """A tally: candidates by code, the ranking with those who tie together, and warnings."""

    candidates: tuple[CandidateResult, ...]
    ranking: tuple[tuple[str, ...], ...]
    warnings: tuple[Reason, ...]

"""What the review store's round gives by the policy in force, for every screen of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from models.errors import RuleError, Sentence
from models.review import Round, Tally
from models.round_export import export_round
from models.vault_rounds import OfficeRound
from scoring.policy import Policy
from scoring.policy_files import policy_from_document
from scoring.result import Result
from scoring.result_json import tally_document
from scoring.round import Round as ScoredRound
from scoring.round_json import round_from_document, strict_json
from scoring.tally import tally
from webapp.language import t
from webapp.office.app import review
from webapp.office.committee import policy_in_force

BASIS_WORDS = {
    "own": Sentence("本人答辩", "own defence"),
    "substituted": Sentence("平均分代入", "average put in"),
    "ruling": Sentence("裁定", "ruling"),
    "pass": Sentence("通过", "passed"),
    "fail": Sentence("未通过", "failed"),
    "zero": Sentence("缺席计零分", "absent: 0"),
    "none": Sentence("无答辩分", "none"),
    "undetermined": Sentence("待裁定", "undetermined"),
}
DECISION_WORDS = {
    "pass": Sentence("通过", "passed"),
    "fail": Sentence("未通过", "not passed"),
    "undetermined": Sentence("待裁定", "undetermined"),
}


@dataclass(frozen=True)
class Outcome:
    """A round with its policy and what they come to. `document`: RESULT.json as plain values."""

    round: ScoredRound
    policy: Policy
    result: Result
    document: dict[str, Any]

    @property
    def hashes(self) -> tuple[str, str]:
        """sha256 of the tally and of its input, as minutes and workbook print them."""
        return self.document["sha256"], self.document["input_sha256"]


def outcome_of(found: OfficeRound, there: Round, *, version: int | None = None) -> Outcome:
    """The round as it stands, for the next tally or as tally `version` would be made now.

    RuleError before the blind scores are locked, while a ballot is open, and where the policy
    lacks what the arithmetic needs.
    """
    if there.phase == "scoring":
        raise RuleError(
            Sentence(
                "盲评分数锁定后才能查看汇总。",
                "Results are shown when the blind scores are locked.",
            )
        )
    policy = policy_in_force(found)
    if policy is None:
        raise RuleError(
            Sentence(
                "本批次没有政策文件，无法汇总。请在设置中选择。",
                "The round has no policy to tally by. Choose one in the settings.",
            )
        )
    return outcome_from(export_round(review(), there.id, version=version), policy)


def outcome_from(document: object, policy: Policy) -> Outcome:
    """The same of a ROUND document."""
    round_ = round_from_document(document, policy)
    result = tally(round_, policy)
    return Outcome(round_, policy, result, tally_document(round_, policy, result))


def kept_outcome(kept: Tally) -> Outcome:
    """A frozen tally as it was computed, from the input and the policy inside it."""
    given = strict_json(kept.body)
    return outcome_from(given["input"], policy_from_document(given["policy"]))


def tallies_of(there: Round) -> list[Tally]:
    """The frozen tallies of a round, by number."""
    chosen = select(Tally).filter_by(round_id=there.id).order_by(Tally.number)
    return list(review().scalars(chosen))


def basis_word(basis: str) -> str:
    """What a defence rests on, in the language of this request."""
    said = BASIS_WORDS[basis]
    return t(said.zh, said.en)


def decision_word(decision: str) -> str:
    """A decision in the language of this request."""
    said = DECISION_WORDS[decision]
    return t(said.zh, said.en)

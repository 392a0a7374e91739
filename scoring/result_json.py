"""RESULT.json: the result with input, policy and hashes, and the proof that it re-computes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scoring.canonical import canonical_json, sha256
from scoring.errors import InputError, problem
from scoring.points import exact_text, rounded_text
from scoring.policy import Policy
from scoring.policy_files import policy_from_document
from scoring.result import CandidateResult, Reason, Result
from scoring.round import Round
from scoring.round_json import round_document, round_from_document, strict_json
from scoring.tally import tally

VERSION = 1


def tally_document(round_: Round, policy: Policy, result: Result) -> dict[str, Any]:
    """The whole RESULT.json as plain values; `sha256` covers input, policy and result."""
    places = policy.places
    answer: dict[str, Any] = {
        "version": VERSION,
        "candidates": [_candidate(item, places) for item in result.candidates],
        "ranking": [list(group) for group in result.ranking],
        "warnings": [_reason(item) for item in result.warnings],
    }
    source = round_document(round_)
    rules = policy.document()
    return {
        **answer,
        "input": source,
        "policy": rules,
        "input_sha256": sha256(source),
        "sha256": sha256({"input": source, "policy": rules, "result": answer}),
    }


@dataclass(frozen=True)
class Verification:
    """Whether a RESULT.json re-computes to itself, and where it first differs ("" if not)."""

    equal: bool
    sha256: str
    difference: str


def verify_document(text: str) -> Verification:
    """Re-compute a RESULT.json from the input and policy inside it and compare all of it.

    `sha256` is that of the re-computed tally, to hold against the one on the signed minutes.
    Raises InputError or PolicyError if input or policy can no longer be read at all.
    """
    given = strict_json(text)
    if not isinstance(given, dict) or "input" not in given or "policy" not in given:
        raise InputError(
            problem(
                "不是 RESULT.json：缺少 input 或 policy。请用 mangping tally --json 生成的文件。",
                "Not a RESULT.json: input or policy is missing. Use what `mangping tally --json` "
                "wrote.",
            )
        )
    policy = policy_from_document(given["policy"])
    round_ = round_from_document(given["input"], policy)
    again = tally_document(round_, policy, tally(round_, policy))
    equal = canonical_json(given) == canonical_json(again)
    return Verification(equal, again["sha256"], "" if equal else _difference(given, again, ""))


def figure(value: Fraction | None, places: int) -> dict[str, str] | None:
    """A value as {"exact", "rounded"}, or None."""
    if value is None:
        return None
    return {"exact": exact_text(value), "rounded": rounded_text(value, places)}


def _candidate(item: CandidateResult, places: int) -> dict[str, Any]:
    defence, vote = item.defence, item.vote
    return {
        "code": item.code,
        "specialty": item.specialty,
        "level": item.level,
        "rank": item.rank,
        "criteria": {
            key: {**(figure(mean.value, places) or {}), "n": mean.n}
            for key, mean in item.review.criteria.items()
        },
        "review_points": figure(item.review.points, places),
        "sheets": item.review.sheets,
        "defence": {
            "basis": defence.basis,
            "points": figure(defence.points, places),
            "passed": defence.passed,
            "pool": list(defence.pool),
            "n": defence.n,
            "formula": defence.formula,
            "alternatives": [
                {"ruling": a.ruling, "points": figure(a.points, places), "n": a.n}
                for a in defence.alternatives
            ],
        },
        "total": figure(item.total, places),
        "vote": None
        if vote is None
        else {
            "yes": vote.yes,
            "no": vote.no,
            "abstain": vote.abstain,
            "spoiled": vote.spoiled,
            "denominator": vote.denominator,
            "quorum_met": vote.quorum_met,
            "passed": vote.passed,
        },
        "decision": item.decision,
        "reasons": [_reason(reason) for reason in item.reasons],
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {"text": reason.zh, "text_en": reason.en, "clause": reason.clause}


def _difference(given: Any, again: Any, path: str) -> str:
    """The path of the first value that differs."""
    if isinstance(given, dict) and isinstance(again, dict):
        for key in sorted({*given, *again}):
            if key not in given or key not in again:
                return f"{path}.{key}".lstrip(".")
            found = _difference(given[key], again[key], f"{path}.{key}")
            if found:
                return found
        return ""
    if isinstance(given, list) and isinstance(again, list):
        for index, (one, other) in enumerate(zip(given, again, strict=False)):
            found = _difference(one, other, f"{path}[{index}]")
            if found:
                return found
        return "" if len(given) == len(again) else path.lstrip(".")
    same = type(given) is type(again) and given == again
    return "" if same else path.lstrip(".")

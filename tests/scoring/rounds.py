"""Small made-up rounds and policies for the tests of the tally, as an office would write them."""

from __future__ import annotations

from typing import Any

from scoring.policy import Policy
from scoring.result import CandidateResult, Result
from scoring.round_json import round_from_document
from scoring.tally import tally

ALL_GROUNDS = ["service", "remote_county", "below_county", "junior", "non_public"]
CLAUSE = "测试通知，免答辩人员取平均分"


def policy(**sections: dict[str, Any]) -> Policy:
    """A complete policy; each section given is laid over the same section of it."""
    base: dict[str, Any] = {
        "name": "test",
        "notice": {"title": "测试通知", "year": 2024},
        "exemption": [
            {"ground": ground, "clause": f"测试通知，免答辩：{ground}"}
            for ground in ALL_GROUNDS[:4]
        ],
        "defence": {
            "mode": "scored",
            "max": "30",
            "substitution": {"grounds": ALL_GROUNDS[:4], "clause": CLAUSE},
        },
        "criterion": [
            {"id": "work", "name": "业绩", "max": "40", "step": "0.5"},
            {"id": "papers", "name": "论文", "max": "30", "step": "0.5"},
        ],
        "decision": {"rule": "score", "pass_score": "60"},
    }
    for key, value in sections.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged = {**base[key], **value}
            base[key] = {name: item for name, item in merged.items() if item is not None}
        else:
            base[key] = value
    return Policy(**base)


def candidate(code: str, defence: str = "attended", **more: Any) -> dict[str, Any]:
    ground = "service" if defence == "exempt" else None
    base = {"code": code, "specialty": "林学", "level": "中级", "defence": defence}
    return {**base, "ground": ground, **more}


def sheet(reviewer: str, code: str, work: str = "30", papers: str = "20", **more: Any) -> Any:
    return {
        "reviewer": reviewer,
        "code": code,
        "scores": {"work": work, "papers": papers},
        **more,
    }


def document(
    candidates: list[dict[str, Any]],
    defence: dict[str, list[str]] | None = None,
    sheets: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A ROUND; without `sheets` three equal ones (30 + 20) for each candidate."""
    if sheets is None:
        sheets = [sheet(f"R{n}", c["code"]) for c in candidates for n in (1, 2, 3)]
    scores = [
        {"judge": f"J{n}", "code": code, "score": score}
        for code, given in (defence or {}).items()
        for n, score in enumerate(given, start=1)
    ]
    return {
        "year": 2024,
        "candidates": candidates,
        "sheets": sheets,
        "defence_scores": scores,
        **more,
    }


def tallied(doc: dict[str, Any], rules: Policy | None = None) -> Result:
    rules = rules or policy()
    return tally(round_from_document(doc, rules), rules)


def results(doc: dict[str, Any], rules: Policy | None = None) -> dict[str, CandidateResult]:
    return {item.code: item for item in tallied(doc, rules).candidates}


def ruling(code: str, subject: str, value: str) -> dict[str, str]:
    return {
        "code": code,
        "subject": subject,
        "value": value,
        "reason": "评委会集体研究",
        "by": "秘书 S1",
    }


def said(item: CandidateResult) -> str:
    """All reasons of a candidate in one text, clauses included."""
    return "\n".join(f"{r.zh} {r.en} [{r.clause}]" for r in item.reasons)

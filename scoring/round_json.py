"""A round as JSON (CONTRACT): read with the path of every problem, write in one fixed order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scoring.errors import InputError, problem
from scoring.points import decimal_text
from scoring.policy import Policy
from scoring.round import Ballot, Round
from scoring.round_reading import build_round
from scoring.round_rows import PathPlace, RoundRows, Row

_LISTS: tuple[str, ...] = ("candidates", "sheets", "recusals", "defence_scores", "defence_results")
_LISTS += ("rulings", "corrections")


def strict_json(text: str) -> Any:
    """JSON without doubled keys, decimals or NaN: nothing that could be read in two ways.

    Raises InputError that says what is wrong.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            names = [key for key, _ in items]
            twice = sorted({key for key in names if names.count(key) > 1})
            raise ValueError(f"doubled key: {', '.join(twice)}")
        return found

    def refuse(token: str) -> Any:
        raise ValueError(f'number {token}: write scores as text in quotes, "31.5"')

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(
            problem(f"JSON 无法读取：{error}。", f"The JSON cannot be read: {error}.")
        ) from error


def read_round_json(path: Path, policy: Policy) -> Round:
    """The checked round in a JSON file; InputError with every problem."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            problem(f"文件 {path} 无法读取：{error}。", f"Cannot read {path}: {error}.")
        ) from error
    return round_from_document(strict_json(text), policy)


def round_from_document(document: object, policy: Policy) -> Round:
    """The checked round in an object shaped as CONTRACT's ROUND; InputError with every problem."""
    if not isinstance(document, dict):
        raise InputError(problem("ROUND 应为一个 JSON 对象。", "ROUND must be a JSON object."))
    problems = []
    lists: dict[str, list[Row]] = {}
    for name in _LISTS:
        items = document.get(name) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            problems.append(problem(f"{name} 应为对象的列表。", f"{name} must list objects."))
            items = []
        lists[name] = [Row(item, PathPlace(f"{name}[{i}]")) for i, item in enumerate(items)]
    ballots = document.get("ballots") or {}
    if not isinstance(ballots, dict) or not all(isinstance(b, dict) for b in ballots.values()):
        problems.append(problem("ballots 应为“编码: 票数”。", "ballots must map code to counts."))
        ballots = {}
    if problems:
        raise InputError(problems)
    counted = [Row({"code": c, **b}, PathPlace(f"ballots.{c}")) for c, b in ballots.items()]
    return build_round(RoundRows(Row(document, PathPlace("")), ballots=counted, **lists), policy)


def round_document(round_: Round) -> dict[str, Any]:
    """The round as CONTRACT's ROUND, sorted and in shortest decimals: one form for one round."""
    document: dict[str, Any] = {
        "year": round_.year,
        "version": round_.version,
        "replaces": round_.replaces,
        "committee": None,
        "candidates": [
            {
                "code": item.code,
                "specialty": item.specialty,
                "level": item.level,
                "defence": item.defence,
                "ground": item.ground,
                "disqualified": item.disqualified,
                "disqualified_after_lock": item.disqualified_after_lock,
            }
            for item in sorted(round_.candidates, key=lambda c: c.code)
        ],
        "sheets": [
            {
                "reviewer": item.reviewer,
                "code": item.code,
                "scores": {key: decimal_text(value) for key, value in item.scores.items()},
                "excluded": item.excluded,
                "reason": item.reason,
            }
            for item in sorted(round_.sheets, key=lambda s: (s.code, s.reviewer))
        ],
        "recusals": [
            {"reviewer": item.reviewer, "code": item.code}
            for item in sorted(round_.recusals, key=lambda r: (r.code, r.reviewer))
        ],
        "defence_scores": [
            {"judge": item.judge, "code": item.code, "score": decimal_text(item.score)}
            for item in sorted(round_.defence_scores, key=lambda s: (s.code, s.judge))
        ],
        "defence_results": [
            {"code": code, "passed": passed}
            for code, passed in sorted(round_.defence_results.items())
        ],
        "ballots": {code: _ballot(item) for code, item in sorted(round_.ballots.items())},
        "rulings": [
            {
                "code": item.code,
                "subject": item.subject,
                "value": item.value,
                "reason": item.reason,
                "by": item.by,
            }
            for item in sorted(round_.rulings, key=lambda r: (r.code, r.subject))
        ],
        "corrections": [
            {
                "item": item.item,
                "old": item.old,
                "new": item.new,
                "reason": item.reason,
                "by": list(item.by),
            }
            for item in round_.corrections
        ],
    }
    if round_.committee:
        document["committee"] = {
            "members": round_.committee.members,
            "present": round_.committee.present,
            "attendance": list(round_.committee.attendance),
            "chair": round_.committee.chair,
        }
    return document


def _ballot(item: Ballot) -> dict[str, Any]:
    counts = {"yes": item.yes, "no": item.no, "abstain": item.abstain, "spoiled": item.spoiled}
    return {**counts, "attendance": list(item.attendance)} if item.attendance else counts

"""What a numbered re-tally changed: candidate by candidate, old beside new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scoring.errors import InputError, Problem, problem

_SHOWN = ("rank", "review_points", "defence", "total", "vote", "decision")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of one candidate that differs between two tallies ("-": not there)."""

    code: str
    item: str
    old: str
    new: str


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Every difference of rank, points, total, vote and decision of two RESULT documents."""
    before = {item["code"]: item for item in old["candidates"]}
    after = {item["code"]: item for item in new["candidates"]}
    found = []
    for code in sorted({*before, *after}):
        one, other = _values(before.get(code)), _values(after.get(code))
        found += [
            Difference(code, key, one.get(key, "-"), other.get(key, "-"))
            for key in sorted({*one, *other})
            if one.get(key, "-") != other.get(key, "-")
        ]
    return tuple(found)


def check_succession(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """InputError unless `new` is the version after `old` and says that it replaces it."""
    problems: list[Problem] = []
    first, second = old["input"]["version"], new["input"]["version"]
    if second != first + 1:
        problems.append(
            problem(
                f"上一版是第 {first} 版，本版 version 应为 {first + 1}，现为 {second}。",
                f"The previous tally is version {first}: version must be {first + 1}, "
                f"not {second}.",
            )
        )
    if new["input"]["replaces"] != old["sha256"]:
        problems.append(
            problem(
                f"replaces 应为上一版的校验码 {old['sha256']}。",
                f"replaces must be the sha256 of the previous tally, {old['sha256']}.",
            )
        )
    if not new["input"]["corrections"] and not new["input"]["rulings"]:
        problems.append(
            problem(
                "重新汇总须写明更正（corrections，两人签认）或裁定（rulings）。",
                "A re-tally must hold its corrections (signed by two) or rulings.",
            )
        )
    if problems:
        raise InputError(problems)


def _values(item: Mapping[str, Any] | None) -> dict[str, str]:
    if item is None:
        return {}
    return {key: _text(key, item[key]) for key in _SHOWN}


def _text(key: str, value: Any) -> str:
    if value is None:
        return "-"
    if key == "defence":
        points = value["points"]
        return value["basis"] + (f" {points['rounded']} ({points['exact']})" if points else "")
    if key == "vote":
        return f"{value['yes']}/{value['denominator']}"
    return f"{value['rounded']} ({value['exact']})" if isinstance(value, dict) else str(value)

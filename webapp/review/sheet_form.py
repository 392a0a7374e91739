"""What a tablet sends of a score sheet, checked: texts become scaled points, or sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from models.errors import Sentence
from models.rounds import InputError
from models.sheets import CriterionRule
from scoring.points import decimal_text, parse_points
from webapp.policy_texts import policy_from_text

LONGEST_COMMENT = 4000
LONGEST_NOTE = 1000
LAST_PAGE = 9999
LARGEST = 2**31 - 1
"""What a column holds."""
_SAVE_ID = re.compile(r"[A-Za-z0-9-]{8,40}")


@dataclass(frozen=True)
class Line:
    """A criterion on a sheet. `maximum`, `step`: scaled by the round's places."""

    id: str
    name: str
    guidance: str
    maximum: int
    step: int

    @property
    def rule(self) -> CriterionRule:
        return CriterionRule(self.id, self.maximum, self.step)


@dataclass(frozen=True)
class Draft:
    """A sheet as a tablet sent it; `save_id` names the save, so that sending it twice is seen."""

    scores: Mapping[str, int]
    comment: str
    notes: Mapping[int, str]
    base_version: int
    save_id: str


@lru_cache(maxsize=32)
def lines_of(policy_text: str, places: int) -> tuple[Line, ...]:
    """The criteria of a policy. InputError when there are none, or finer than the round counts."""
    lines, problems = [], []
    for item in policy_from_text(policy_text, "office").criterion:
        maximum = item.max * 10**places
        step = Fraction(1) if item.step is None else item.step * 10**places
        if maximum.denominator != 1 or step.denominator != 1:
            problems.append(
                Sentence(
                    f"评分项“{item.name}”的满分或步长的小数位多于本轮的 {places} 位，无法打分。"
                    "请联系办公室改正政策。",
                    f'The maximum or step of "{item.name}" has more than the {places} decimal '
                    "places of this round, so it cannot be scored. Ask the office to correct the "
                    "policy.",
                )
            )
            continue
        lines.append(Line(item.id, item.name, item.guidance or "", int(maximum), int(step)))
    if not lines and not problems:
        problems.append(
            Sentence(
                "本轮政策没有评分项，暂不能打分。请联系办公室设置带评分项的政策。",
                "The policy of this round has no criteria, so nothing can be scored yet. Ask the "
                "office to set a policy with criteria.",
            )
        )
    if problems:
        raise InputError(problems)
    return tuple(lines)


def points_text(points: int, places: int) -> str:
    """Scaled points as people write them: "31.5"."""
    return decimal_text(Fraction(points, 10**places))


def draft_of(body: Mapping[str, Any], lines: tuple[Line, ...], places: int) -> Draft:
    """The draft in a request's JSON; InputError with everything in it that is wrong."""
    problems: list[Sentence] = []
    names = {line.id: line.name for line in lines}
    scores = {}
    for key, text in _table(body, "scores", problems).items():
        if key not in names:
            problems.append(
                Sentence(
                    f"没有名为 {key[:50]} 的评分项：政策可能已更改。请刷新页面。",
                    f"There is no criterion {key[:50]}: the policy may have changed. Reload the "
                    "page.",
                )
            )
        elif (points := _points(text, names[key], places, problems)) is not None:
            scores[key] = points
    notes = {}
    for key, text in _table(body, "notes", problems).items():
        if not key.isascii() or not key.isdigit() or not 1 <= int(key[:9]) <= LAST_PAGE:
            problems.append(Sentence(f"没有第 {key[:9]} 页。", f"There is no page {key[:9]}."))
            continue
        notes[int(key)] = _text(text, LONGEST_NOTE, f"第 {key} 页的备注", f"page {key}", problems)
    comment = _text(body.get("comment", ""), LONGEST_COMMENT, "评语", "the comment", problems)
    base, save_id = body.get("base_version"), body.get("save_id")
    known = isinstance(base, int) and not isinstance(base, bool) and 0 <= base < LARGEST
    if not known or not isinstance(save_id, str) or not _SAVE_ID.fullmatch(save_id):
        problems.append(
            Sentence(
                "请求中缺少版本号或保存编号。请刷新页面。",
                "The request lacks its version or its save's id. Reload the page.",
            )
        )
    if problems:
        raise InputError(problems)
    assert isinstance(base, int) and isinstance(save_id, str)
    return Draft(scores, comment, notes, base, save_id)


def check_complete(scores: Mapping[str, int], lines: tuple[Line, ...], places: int) -> None:
    """InputError naming every criterion that is missing, too high or off its step."""
    problems = []
    for line in lines:
        if line.id not in scores:
            problems.append(
                Sentence(
                    f"“{line.name}”还没有打分。缺项不作 0 分，请补打。",
                    f'"{line.name}" has no score yet. A gap is never a 0; score it.',
                )
            )
        elif scores[line.id] > line.maximum:
            top = points_text(line.maximum, places)
            problems.append(
                Sentence(
                    f"“{line.name}”超过满分 {top}。请改正。",
                    f'"{line.name}" is above its maximum of {top}. Correct it.',
                )
            )
        elif scores[line.id] % line.step:
            step = points_text(line.step, places)
            problems.append(
                Sentence(
                    f"“{line.name}”须为 {step} 的倍数。请改正。",
                    f'"{line.name}" must be a multiple of {step}. Correct it.',
                )
            )
    if problems:
        raise InputError(problems)


def _table(body: Mapping[str, Any], name: str, problems: list[Sentence]) -> dict[str, Any]:
    value = body.get(name, {})
    if isinstance(value, dict):
        return value
    problems.append(
        Sentence(
            f"请求中的 {name} 无法读取。请刷新页面。",
            f"The request's {name} cannot be read. Reload the page.",
        )
    )
    return {}


def _points(text: object, name: str, places: int, problems: list[Sentence]) -> int | None:
    try:
        points = parse_points(text if isinstance(text, str) else "") * 10**places
    except ValueError:
        problems.append(
            Sentence(
                f"“{name}”的分数 {str(text)[:20]!r} 不是 0 或更大的小数，如 31.5。请改正。",
                f'The score {str(text)[:20]!r} of "{name}" is not a decimal number of 0 or more, '
                "such as 31.5. Correct it.",
            )
        )
        return None
    if points.denominator != 1 or points > LARGEST:
        problems.append(
            Sentence(
                f"“{name}”的分数 {text} 过大，或小数位多于 {places} 位。请改正。",
                f'The score {text} of "{name}" is too large, or has more than {places} decimal '
                "places. Correct it.",
            )
        )
        return None
    return int(points)


def _text(value: object, longest: int, zh: str, en: str, problems: list[Sentence]) -> str:
    given = value if isinstance(value, str) else ""
    # What no database takes in a text is no writing of anybody's.
    text = given.replace("\0", "").encode("utf-8", "ignore").decode()
    if not isinstance(value, str) or len(text) > longest:
        problems.append(
            Sentence(
                f"{zh}超过 {longest} 字。请删减。", f"{en} is longer than {longest} characters."
            )
        )
    return text

"""One value of one row at a time: read it or say where it is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

from scoring.errors import Problem, Sentence
from scoring.points import decimal_text, parse_points
from scoring.round_rows import Row

_MISSING = Sentence("缺少此项。请补上。", "This is missing. Fill it in.")


class Fields:
    """Reads fields and collects problems; every reader returns a harmless value on a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def bad(self, row: Row, name: str, zh: str, en: str) -> None:
        self.problems.append(Problem(row.place.at(name), Sentence(zh, en)))

    def known(self, row: Row, names: Collection[str]) -> None:
        """Refuse keys nobody reads: a typing mistake must not drop a rule in silence."""
        for name in row.values:
            if name not in names:
                self.bad(
                    row,
                    str(name),
                    f"不认识的项“{name}”。可用：{'、'.join(names)}。",
                    f"Unknown key '{name}'. Known: {', '.join(names)}.",
                )

    def text(self, row: Row, name: str, *, needed: bool = True) -> str:
        value = row.values.get(name)
        if value is None or value == "":
            if needed:
                self.problems.append(Problem(row.place.at(name), _MISSING))
            return ""
        if not isinstance(value, str):
            self.bad(row, name, f"{value!r} 应为文本。", f"{value!r} must be text.")
            return ""
        if needed and not value.strip():
            self.problems.append(Problem(row.place.at(name), _MISSING))
        return value

    def choice(self, row: Row, name: str, allowed: Collection[str], *, needed: bool = True) -> str:
        value = self.text(row, name, needed=needed)
        if value and value not in allowed:
            words = [str(word) for word in allowed]
            if isinstance(allowed, Mapping):
                words = [f"{_chinese(zh)}（{key}）" for key, zh in allowed.items()]
            self.bad(
                row,
                name,
                f"“{value}”不在可选值之内：{'、'.join(words)}。",
                f"'{value}' is not one of {', '.join(words)}.",
            )
            return ""
        return value

    def flag(self, row: Row, name: str) -> bool:
        value = row.values.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.bad(row, name, f"{value!r} 应为 true 或 false。", f"{value!r} must be true or false.")
        return False

    def count(self, row: Row, name: str, *, least: int = 0, default: int | None = None) -> int:
        value = row.values.get(name, default)
        if value is None:
            self.problems.append(Problem(row.place.at(name), _MISSING))
            return least
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.bad(
                row,
                name,
                f"{value!r} 应为不小于 {least} 的整数。",
                f"{value!r} must be a whole number of {least} or more.",
            )
            return least
        return value

    def points(
        self, row: Row, name: str, value: Any, top: Fraction | None, step: Fraction | None
    ) -> Fraction | None:
        if value is None or value == "":
            self.bad(
                row,
                name,
                "缺少分数：未评不等于零分。请补评，或排除整张评分表并写明原因。",
                "The score is missing: not scored is not 0. Have it scored, or exclude the whole "
                "sheet with a reason.",
            )
            return None
        try:
            points = parse_points(value) if isinstance(value, str) else None
        except ValueError:
            points = None
        if points is None:
            self.bad(
                row,
                name,
                f'{value!r} 不是分数。请写成最多 6 位小数的十进制数（JSON 中加引号，如 "31.5"）。',
                f'{value!r} is not a score. Write a plain decimal, in JSON in quotes: "31.5".',
            )
            return None
        if top is not None and points > top:
            self.bad(
                row,
                name,
                f"{value} 超过满分 {decimal_text(top)}。请核对。",
                f"{value} is over the maximum {decimal_text(top)}. Check it.",
            )
            return None
        if step is not None and points % step:
            self.bad(
                row,
                name,
                f"{value} 不是 {decimal_text(step)} 的整数倍。请核对。",
                f"{value} is not a multiple of the step {decimal_text(step)}. Check it.",
            )
            return None
        return points


def _chinese(word: object) -> str:
    return str(word[0] if isinstance(word, tuple) else word)

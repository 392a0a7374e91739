"""Rows of a round with their places, so that JSON and workbook share every check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scoring.errors import Sentence


class Place(Protocol):
    """Says where a value of a row stands."""

    def at(self, field_name: str) -> Sentence: ...


@dataclass(frozen=True, slots=True)
class PathPlace:
    """A place in a JSON document: "sheets[3]" and then the key."""

    path: str

    def at(self, field_name: str) -> Sentence:
        text = ".".join(part for part in (self.path, field_name) if part)
        return Sentence(text, text)


@dataclass(frozen=True, slots=True)
class RowPlace:
    """A place in a workbook: sheet, row (from 1) and the columns by field name."""

    sheet: str
    row: int
    columns: Mapping[str, tuple[str, str]]

    def at(self, field_name: str) -> Sentence:
        letter, heading = self.columns.get(field_name, ("", ""))
        if not letter:
            return Sentence(
                f"工作表“{self.sheet}”第 {self.row} 行", f"sheet '{self.sheet}', row {self.row}"
            )
        return Sentence(
            f"工作表“{self.sheet}”第 {self.row} 行 {letter} 列（{heading}）",
            f"sheet '{self.sheet}', row {self.row}, column {letter} ({heading})",
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Values by field name, unchecked, and where they stand."""

    values: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class RoundRows:
    """A whole round, unchecked."""

    head: Row
    candidates: list[Row] = field(default_factory=list)
    sheets: list[Row] = field(default_factory=list)
    recusals: list[Row] = field(default_factory=list)
    defence_scores: list[Row] = field(default_factory=list)
    defence_results: list[Row] = field(default_factory=list)
    ballots: list[Row] = field(default_factory=list)
    rulings: list[Row] = field(default_factory=list)
    corrections: list[Row] = field(default_factory=list)

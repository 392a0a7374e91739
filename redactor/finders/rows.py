"""Rows of text in the direction of one of them, to say which row stands above or below which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

from redactor import geometry
from redactor.normal_text import normalise
from redactor.page import Line, Quad, Reading
from redactor.streams import NEXT_ROW

SURE = 0.9
"""A character read so surely that it is what it says."""
SHORTEST_LIKE, LIKE_SHARE, SAME_NEAR = 6, 0.75, 3
"""Characters from which a text may be read with mistakes; share of them that must be right; so many
at the row's end, of which one must be."""


@dataclass(frozen=True, eq=False)
class Row:
    """A line in some direction: `start`, `end` along it, `middle` across, pixels."""

    line: Line
    start: float
    end: float
    middle: float
    height: float


@dataclass(frozen=True, eq=False)
class Direction:
    """Unit vectors along the rows of a text and across them."""

    along: np.ndarray
    across: np.ndarray

    def row(self, line: Line) -> Row:
        """A line in this direction."""
        places = line.quad @ self.along
        middle = float((line.quad @ self.across).mean())
        return Row(
            line, float(places.min()), float(places.max()), middle, geometry.height(line.quad)
        )

    def place(self, quad: Quad) -> float:
        """Where along the rows the middle of a quad is, pixels."""
        return float(quad.mean(axis=0) @ self.along)

    def box(self, left: float, right: float, middle: float, half: float) -> Quad:
        """The quad between two places of a row, `half` its height each way; (4, 2) pixels."""
        corners = ((left, middle - half), (right, middle - half),
                   (right, middle + half), (left, middle + half))  # fmt: skip
        return np.array([x * self.along + y * self.across for x, y in corners])


def direction_of(line: Line) -> Direction:
    """The direction in which a line is read."""
    along = line.quad[1] - line.quad[0]
    along = along / max(float(np.hypot(*along)), 1.0)
    return Direction(along, np.array([-along[1], along[0]]))


def printed_rows(reading: Reading) -> list[Line]:
    """The lines that may go on in the next row: level ones that are no pale watermark."""
    return [line for line in reading.lines if line.layer != "pale" and not line.vertical]


def follows(row: Row, above: Row, height: float) -> bool:
    """Whether a row stands where the next one below `above` does, by a row's height in pixels."""
    return NEXT_ROW[0] * height < row.middle - above.middle < NEXT_ROW[1] * height


def surely_other(
    rows: Iterable[Row], direction: Direction, left: float, right: float, expected: str
) -> int:
    """How many characters that are not `expected` were read surely between two places of rows."""
    inside = [
        normalise(char.text).text
        for row in rows
        for char in row.line.chars
        if left < direction.place(char.quad) < right and char.score >= SURE
    ]
    return sum(bool(text) and text not in expected for text in inside)


class Likeness(NamedTuple):
    """`wrong`: characters that were misread, left out or put in; `size`: characters of the text."""

    wrong: int
    size: int


def begins_like(text: str, expected: str) -> Likeness | None:
    """How a text begins with the expected one, None when it does not; only a long one may hold
    mistakes."""
    if text.startswith(expected):
        return Likeness(0, len(expected))
    allowed = int((1 - LIKE_SHARE) * len(expected))
    # The beginning of a line is there even where its middle is not.
    if len(expected) < SHORTEST_LIKE or not set(text[:SAME_NEAR]) & set(expected[:SAME_NEAR]):
        return None
    sizes = range(len(expected) - allowed, min(len(expected) + allowed, len(text)) + 1)
    found = [Likeness(Levenshtein.distance(text[:size], expected), size) for size in sizes]
    best = min(found, default=None)
    return best if best is not None and best.wrong <= allowed else None


def ends_like(text: str, expected: str) -> Likeness | None:
    """The same at the end of a text."""
    return begins_like(text[::-1], expected[::-1])

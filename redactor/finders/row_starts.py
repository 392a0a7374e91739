"""Starts of rows that must hold the rest of a unit, because the row above ends with its first half.

The mirror of row_ends.py: under a seal the two halves are often read in two layers, in boxes of two
heights, or the rest is not read at all; where a unit's first half ends a row, the next row can only
begin with what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from redactor import geometry
from redactor.finders.cut_units import HALF_SHARE, SHORTEST_HALF, units_as_given
from redactor.finders.rows import (
    SHORTEST_LIKE,
    Direction,
    Row,
    begins_like,
    direction_of,
    ends_like,
    follows,
    printed_rows,
    surely_other,
)
from redactor.identity import Identity
from redactor.normal_text import is_han, normalise
from redactor.page import Finding, Kind, Line, Quad, Reading
from redactor.streams import ALIKE
from redactor.term import Term

FINDER = "row_starts"
SHORTEST_JOINED = 6
"""Characters of a unit that is told by its two halves alone, however short one of them is."""
SHORTER = 3.0
"""So many characters less than the longest of its column may a row reach that goes on."""
OTHERS = 2
"""So many sure characters that are not the rest end the suspicion; of a rest of one, one does."""
SPARE = 0.03
"""Share by which the next row may be set wider."""
MARGIN, HALF_ROW = 0.5, 0.6
"""How far the rest's mask reaches into the margin, in characters; half its height, in rows."""


def find_row_starts(reading: Reading, identity: Identity) -> Iterator[Finding]:
    """The rest of a unit at the start of the row below one that ends with its first half."""
    terms = units_as_given(identity, SHORTEST_JOINED)
    if not terms:
        return
    lines = printed_rows(reading)
    for line in lines:
        if len(line.text) != len(line.chars):
            continue
        text = normalise(line.text).text
        for term in terms:
            for size, read in _cuts(text, term.text):
                yield from _rests(line, read, term, size, lines)


def _cuts(text: str, unit: str) -> list[tuple[int, int]]:
    """Where a text's end may cut a unit: (characters of the unit, of the text)."""
    exact = [(size, size) for size in range(1, len(unit)) if text.endswith(unit[:size])]
    if any(size >= SHORTEST_HALF for size, _ in exact):
        return exact
    likely = [
        (like.wrong, -size, like.size)
        for size in range(SHORTEST_HALF, len(unit))
        if (like := ends_like(text, unit[:size]))
    ]
    return [*exact, *((-size, read) for _, size, read in sorted(likely)[:1])]


def _rests(
    line: Line, read: int, term: Term, size: int, lines: Sequence[Line]
) -> Iterator[Finding]:
    """The rest of a term below a line whose last `read` characters are its first `size` ones, and
    those."""
    rest = term.text[size:]
    direction = direction_of(line)
    here = direction.row(line)
    rows = [direction.row(other) for other in lines if other is not line]
    below = [row for row in rows if follows(row, here, here.height) and row.start < here.end]
    quads = [quad for row in below for quad in _read_rest(row, rest, below, direction)]
    if not quads and size >= max(SHORTEST_HALF, math.ceil(HALF_SHARE * len(term.text))):
        quads = _unread_rest(here, rows, below, rest, direction)
    first = _last(line, read)
    for quad in quads:
        why = f"the {term.form} goes on in the next row"
        yield Finding(Kind.UNIT, first, term.text[:size], 0.5, why, FINDER)
        yield Finding(Kind.UNIT, quad, "", 0.5, f"the {term.form} began in the row above", FINDER)


def _last(line: Line, count: int) -> Quad:
    """Where a line's last characters stand, `count` of them in normal form."""
    chars = line.chars[normalise(line.text).origin[-count] :]
    return geometry.around([char.quad for char in chars], line.quad)


def _read_rest(row: Row, rest: str, rows: Sequence[Row], direction: Direction) -> list[Quad]:
    """Where a row begins with the rest, [] when it does not. A row that was read to the middle of
    the rest, as to the edge of a seal, goes on with it, if nothing else was read there."""
    text, origin = normalise(row.line.text)
    if not text or len(row.line.text) != len(row.line.chars):
        return []
    whole = len(text) >= len(rest)
    like = begins_like(text, rest if whole else rest[: len(text)])
    if like is None or not (whole or len(text) >= SHORTEST_LIKE):
        return []
    chars = row.line.chars[: origin[like.size - 1] + 1]
    quad = geometry.around([char.quad for char in chars], row.line.quad)
    right = row.end + (len(rest) - like.size) * (1 + SPARE) * _pitch(row.line, direction)
    level = [other for other in rows if abs(other.middle - row.middle) < row.height / 2]
    if whole or surely_other(level, direction, row.end, right, rest) >= OTHERS:
        return [quad]
    return [direction.box(row.start, right, row.middle, row.height / 2)]


def _unread_rest(
    here: Row, rows: Sequence[Row], below: Sequence[Row], rest: str, direction: Direction
) -> list[Quad]:
    """Where the rest must stand below `here`, [] when something else was read there, when `here`
    ends before its column does, or when nothing tells where the next row is."""
    column = [
        row for row in rows if _alike(row, here) and row.start < here.end and row.end > here.start
    ]
    pitch = _pitch(here.line, direction)
    if any(row.end > here.end + SHORTER * pitch for row in column):
        return []
    near = [row for row in below if _alike(row, here)]
    step = _row_step(here, column, near)
    if step is None:
        return []
    beside = [row for row in near if abs(row.middle - here.middle - step) < here.height / 2]
    left = min(row.start for row in (here, *beside, *column))
    right = left + len(rest) * (1 + SPARE) * pitch
    if surely_other(beside, direction, left, right, rest) >= min(OTHERS, len(rest)):
        return []
    middle = here.middle + step
    return [direction.box(left - MARGIN * pitch, right, middle, HALF_ROW * here.height)]


def _row_step(here: Row, column: Sequence[Row], near: Sequence[Row]) -> float | None:
    """From the middle of `here` to the next row's, pixels: to what was read of that row, else as
    other rows of the column follow each other; None when there are none."""
    if near:
        nearest = min(row.middle for row in near)
        level = [row.middle for row in near if row.middle < nearest + here.height / 2]
        return float(np.median(level)) - here.middle
    steps = [
        min(below.middle - row.middle for below in column if follows(below, row, here.height))
        for row in column
        if any(follows(below, row, here.height) for below in column)
    ]
    return float(np.median(steps)) if steps else None


def _pitch(line: Line, direction: Direction) -> float:
    """From one Chinese character of a line to the next, pixels; its height when it has one."""
    places = [direction.place(c.quad) for c in line.chars]
    wide = [b - a for (x, a), (y, b) in pairwise(zip(line.chars, places, strict=True))
            if is_han(x.text) and is_han(y.text)]  # fmt: skip
    return float(np.median(wide)) if wide else geometry.height(line.quad)


def _alike(row: Row, here: Row) -> bool:
    return here.height / ALIKE < row.height < here.height * ALIKE

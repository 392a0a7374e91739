"""Ends of rows that must hold the first half of a unit, because the next row begins with the rest.

Under a seal or in a fold the first half is often read as rubbish, or not at all; where the rest of
a unit begins a row, the row above can only have ended with what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from redactor import geometry
from redactor.finders.cut_units import (
    HALF_SHARE,
    SAME_COLUMN,
    SHORTEST_HALF,
    SHORTEST_UNIT,
    units_as_given,
)
from redactor.finders.rows import (
    begins_like,
    direction_of,
    ends_like,
    follows,
    printed_rows,
    surely_other,
)
from redactor.identity import Identity
from redactor.normal_text import normalise
from redactor.page import Finding, Kind, Line, Quad, Reading
from redactor.streams import ALIKE
from redactor.term import Term

FINDER = "row_ends"
SHORTER = 0.8
"""So many characters less may the row above reach than the longest of its column."""
OTHERS = 2
"""So many sure characters that are not the unit's end the suspicion."""


def find_row_ends(reading: Reading, identity: Identity) -> Iterator[Finding]:
    """The ends of rows above those that begin with the second half of a unit."""
    terms = units_as_given(identity, SHORTEST_UNIT)
    if not terms:
        return
    lines = printed_rows(reading)
    for line in lines:
        for term in terms:
            rest = _second_half(line, term)
            if not rest:
                continue
            missing = term.text[: -len(rest)]
            above = _ends_above(line, len(rest), missing, lines)
            for quad in above:
                why = f"the {term.form} goes on in the next row"
                yield Finding(Kind.UNIT, quad, "", 0.5, why, FINDER)
            if above:
                quad = geometry.around([c.quad for c in line.chars[: len(rest)]], line.quad)
                why = f"the {term.form} began in the row above"
                yield Finding(Kind.UNIT, quad, rest, 0.5, why, FINDER)
            break


def _second_half(line: Line, term: Term) -> str:
    """The longest end of a term with which a line begins, "" when it is too short."""
    if len(line.text) != len(line.chars):
        return ""
    text = normalise(line.text).text
    least = max(SHORTEST_HALF, math.ceil(HALF_SHARE * len(term.text)))
    likely = [
        (like.wrong, -size)
        for size in range(least, len(term.text))
        if (like := begins_like(text, term.text[-size:]))
    ]
    return term.text[min(likely)[1] :] if likely else ""


def _ends_above(line: Line, read: int, missing: str, lines: Sequence[Line]) -> list[Quad]:
    """Where the row above has its last characters, as many as `missing`: where they were read, in
    whichever layer, else where they must stand. [] if the row reads on otherwise, or none was
    read above."""
    direction = direction_of(line)
    here = direction.row(line)
    rows = [direction.row(other) for other in lines if other is not line]
    column = [
        row
        for row in rows
        if here.height / ALIKE < row.height < here.height * ALIKE
        and row.end > here.start - SAME_COLUMN * here.height
    ]
    above = [row for row in column if follows(here, row, here.height)]
    # The two halves may have been read in two layers, which the text finders never join, or the
    # box of one be as high as a seal's strokes beside it.
    read_there = [
        quad
        for row in rows
        if follows(here, row, here.height)
        for quad in _ending(row.line, missing)
    ]
    if read_there or not above or any(_is_piece(row.line, missing) for row in above):
        return read_there
    middle = float(np.median([row.middle for row in above]))
    right = max(
        (
            row.end
            for row in [*column, here]
            if abs(row.start - here.start) < SAME_COLUMN * here.height or row in above
        ),
        default=here.end,
    )
    chars = line.chars[:read]
    pitch = float((chars[-1].quad[1] - chars[0].quad[0]) @ direction.along) / read
    # Rows end where their last mark does: one may reach a little less far than the others.
    left = right - (len(missing) + SHORTER) * pitch
    if surely_other(above, direction, left + SHORTER * pitch, right, missing) >= OTHERS:
        return []
    return [direction.box(left, right, middle, 0.6 * here.height)]


def _ending(line: Line, missing: str) -> list[Quad]:
    """Where a line ends with the missing text, [] when it does not."""
    text, origin = normalise(line.text)
    like = ends_like(text, missing)
    if like is None or len(line.text) != len(line.chars):
        return []
    first = origin[len(text) - like.size]
    return [geometry.around([char.quad for char in line.chars[first:]], line.quad)]


def _is_piece(line: Line, missing: str) -> bool:
    """Whether a line of ink holds nothing but a part of the missing text: it is found as text."""
    text = normalise(line.text).text
    return line.layer == "ink" and bool(text) and text in missing

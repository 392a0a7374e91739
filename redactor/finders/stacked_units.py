"""Units set in short rows over each other, as in square and triangular seals, of which only a part
could be read: a frame that a fax broke is found by nobody, and the rest still tells the unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rapidfuzz.distance import Levenshtein

from redactor import geometry
from redactor.finders.cut_units import units_as_given
from redactor.finders.rows import Direction, Row, direction_of, follows, printed_rows
from redactor.identity import Identity
from redactor.normal_text import normalise
from redactor.page import Finding, Kind, Reading
from redactor.streams import ALIKE

FINDER = "stacked_units"
SHORTEST_UNIT, LONGEST_ROW = 6, 10
"""Characters of a unit that is sought, and of a row in a seal."""
FEWEST_ROWS, MOST_ROWS = 3, 7
MOST_WRONG = 0.4
"""Share of the unit's characters that may be wrong or missing."""
GAP = 1.0
"""Most room between two pieces of a row, in row heights."""
MARGIN = 0.4
"""Room around the rows, in row heights: characters at their ends may not have been read."""

Stack = tuple[Row, ...]


def find_stacked_units(reading: Reading, identity: Identity) -> Iterator[Finding]:
    """All of a block of short rows that is one of the units, but for characters not read.

    A block that was read without a mistake is found as text (known.py).
    """
    terms = units_as_given(identity, SHORTEST_UNIT)
    if not terms:
        return
    letters = {char for term in terms for char in term.text}
    short = [
        line
        for line in printed_rows(reading)
        if len(line.chars) <= LONGEST_ROW and set(line.text) & letters
    ]
    found: list[tuple[int, Finding]] = []
    for line in short:
        direction = direction_of(line)
        rows = [direction.row(other) for other in short if other.layer == line.layer]
        for stack in _stacks_from(direction.row(line), rows):
            text = _text(stack)
            for term in terms:
                wrong = Levenshtein.distance(text, term.text)
                if wrong <= MOST_WRONG * len(term.text):
                    found.append((wrong, _whole(stack, direction, term.kind, term.form)))
    yield from _best(found)


def _best(found: Sequence[tuple[int, Finding]]) -> Iterator[Finding]:
    """Of findings that share a place the one with the fewest wrong characters, if any are."""
    kept: list[Finding] = []
    for wrong, finding in sorted(found, key=lambda f: f[0]):
        if not any(geometry.overlap(finding.quad, other.quad) > 0 for other in kept):
            kept.append(finding)
            if wrong:
                yield finding


def _stacks_from(first: Row, rows: Sequence[Row]) -> Iterator[Stack]:
    """The blocks of rows, each below the one before, that begin with the row of `first`."""
    level = _level(next(row for row in rows if row.line is first.line), rows)
    stack: Stack = level
    for count in range(2, MOST_ROWS + 1):
        below = [row for row in rows if _is_below(row, level)]
        if not below:
            return
        nearest = min(below, key=lambda row: row.middle)
        level = _level(nearest, below)
        stack += level
        if count >= FEWEST_ROWS:
            yield stack


def _level(row: Row, rows: Sequence[Row]) -> Stack:
    """The pieces of one row, from its beginning, that stand close to one another."""
    beside = [r for r in rows if abs(r.middle - row.middle) < row.height / 2 and _alike(r, row)]
    level: list[Row] = []
    for piece in sorted(beside, key=lambda r: r.start):
        if level and piece.start - max(r.end for r in level) > GAP * row.height:
            if row in level:
                break
            level = []
        level.append(piece)
    return tuple(level)


def _alike(row: Row, other: Row) -> bool:
    return other.height / ALIKE < row.height < other.height * ALIKE


def _is_below(row: Row, level: Stack) -> bool:
    """Whether a row is the next one below, as high, and not wider than a block is."""
    above = level[0]
    start, end = min(r.start for r in level), max(r.end for r in level)
    return (
        _alike(row, above)
        and follows(row, above, above.height)
        and row.start < end
        and row.end > start
    )


def _text(stack: Stack) -> str:
    return "".join(normalise(row.line.text).text for row in stack)


def _whole(stack: Stack, direction: Direction, kind: Kind, form: str) -> Finding:
    room = MARGIN * max(row.height for row in stack)
    top = min(row.middle - row.height / 2 for row in stack) - room
    bottom = max(row.middle + row.height / 2 for row in stack) + room
    left, right = min(r.start for r in stack) - room, max(r.end for r in stack) + room
    quad = direction.box(left, right, (top + bottom) / 2, (bottom - top) / 2)
    return Finding(kind, quad, _text(stack), 0.5, f"{form} in rows over each other", FINDER)

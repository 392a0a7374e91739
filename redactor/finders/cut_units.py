"""Units that a line's end cuts and whose other half cannot be read: under a seal, in a fold.

The half that was read fits nothing by itself, and still tells the unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from redactor import geometry
from redactor.identity import Identity
from redactor.normal_text import normalise
from redactor.page import Finding, Kind, Line
from redactor.streams import Stream
from redactor.term import Script, Term

FINDER = "cut_units"
SHORTEST_UNIT, SHORTEST_HALF = 9, 6
"""Characters of a unit that is sought in halves, and of a half."""
HALF_SHARE = 1 / 3
"""Share of the unit that a half holds at least."""
SURE = 0.9
"""A character read so surely after the half, and not the unit's next one, ends the suspicion."""
SAME_COLUMN = 6.0
"""Rows that begin within this many line heights of each other stand in one column."""
AS_GIVEN = ("unit", "former unit")


def units_as_given(identity: Identity, shortest: int) -> list[Term]:
    """The roster's own Chinese names of units, of `shortest` characters and more."""
    return [
        term
        for term in identity.of(Kind.UNIT)
        if term.form in AS_GIVEN and term.script is Script.HAN and len(term.text) >= shortest
    ]


def find_cut_units(stream: Stream, identity: Identity) -> Iterator[Finding]:
    """First halves of a unit at the end of a row whose next row does not read otherwise."""
    terms = units_as_given(identity, SHORTEST_UNIT)
    if not terms or stream.is_pale:
        return
    rows = [*stream.lines, None]
    for line, following in pairwise(rows):
        if line is None or line.vertical:
            continue
        for term in terms:
            half = _first_half(line, term)
            if half and not _reads_on_otherwise(line, following, term.text[len(half) :]):
                quad = geometry.around([c.quad for c in line.chars[-len(half) :]], line.quad)
                why = f"first half of the {term.form} at a line's end"
                yield Finding(Kind.UNIT, quad, half, 0.5, why, FINDER)
                break


def _first_half(line: Line, term: Term) -> str:
    """The longest beginning of a term with which a line ends, "" when it is too short."""
    if len(line.text) != len(line.chars):
        return ""
    text = normalise(line.text).text
    least = max(SHORTEST_HALF, math.ceil(HALF_SHARE * len(term.text)))
    halves = (term.text[:size] for size in range(len(term.text) - 1, least - 1, -1))
    return next((half for half in halves if text.endswith(half)), "")


def _reads_on_otherwise(line: Line, following: Line | None, rest: str) -> bool:
    """Whether the next line of the text begins surely with something else than the other half."""
    if following is None or not following.chars:
        return False
    if abs(float(following.quad[:, 1].mean() - line.quad[:, 1].mean())) < geometry.height(
        line.quad
    ):
        return True  # it stands in the same row
    if float(following.quad[0, 0] - line.quad[0, 0]) > SAME_COLUMN * geometry.height(line.quad):
        return False  # the row's beginning was not read
    first = following.chars[0]
    return first.score >= SURE and normalise(first.text).text != rest[:1]

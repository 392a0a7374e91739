"""Rests of a unit or a long name beside a mask: what hides the other part, nobody could read.

Print across a seal is read in pieces, if at all, and a pen's dot may part a name; the end that
stands right beside the mask, or the beginning, still tells who it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np

from redactor import geometry
from redactor.identity import Identity
from redactor.normal_text import normalise
from redactor.page import Finding, Kind, Line, Quad, Reading
from redactor.term import Script, Term
from redactor.unit_forms import unit_parts

FINDER = "unit_rests"
SHORTEST_END, BEYOND_PLACE = 3, 2
"""Characters of a unit's end, and of its beginning beyond the place's name: places are shared."""
SEALED = 1
"""Characters of a unit's end and of a name beside a seal: what the seal hides of the row may be the
rest, and a seal's ring and stars leave little of a row to be read."""
LONG_NAME, NAME_PART = 4, 2
"""Characters of a name that has parts, and of a part."""
BESIDE = 1.6
"""Room between a mask and a rest beside it in which a mark or one lost character may stand, in
line heights."""
SPARE = 0.6
"""So many characters more than are missing, because steps differ."""
AS_GIVEN = ("unit", "former unit", "roster name", "former name")


def find_rests_beside(
    reading: Reading,
    identity: Identity,
    is_masked: Callable[[Quad], bool],
    is_sealed: Callable[[Quad], bool] = lambda quad: False,
) -> Iterator[Finding]:
    """Rests of units and long names beside what `is_masked` says of a quad is painted over.

    Their quads reach over the room up to the mask; those of units as far as all of the unit would,
    but for ends of few characters. These, and rests of short names, are sought only beside what
    `is_sealed` says is a seal.
    """
    terms = [term for term in identity.terms if _is_sought(term)]
    for line in reading.lines:
        if line.vertical or line.layer == "pale" or len(line.text) != len(line.chars):
            continue
        text, origin = normalise(line.text)
        for term in terms:
            for ends in (True, False):
                found = _rest(line, text, origin, term, is_masked, ends, _least(term, ends))
                if found is None and (ends or term.kind is Kind.NAME):
                    found = _rest(line, text, origin, term, is_sealed, ends, SEALED)
                if found is not None:
                    yield found


def under(masks: Iterable[Finding]) -> Callable[[Quad], bool]:
    """Says of a quad whether masks will cover a good part of it."""
    outlines = [np.asarray(mask.quad, np.float32) for mask in masks]

    def is_masked(quad: Quad) -> bool:
        places = (geometry.between(quad, at, at).mean(axis=0) for at in (0.1, 0.3, 0.5, 0.7, 0.9))
        inside = [
            any(cv2.pointPolygonTest(o, (float(x), float(y)), False) >= 0 for o in outlines)
            for x, y in places
        ]
        return sum(inside) >= 2

    return is_masked


def _rest(
    line: Line,
    text: str,
    origin: tuple[int, ...],
    term: Term,
    is_masked: Callable[[Quad], bool],
    ends: bool,
    least: int,
) -> Finding | None:
    """The longest end (`ends`) or beginning of a term, of `least` characters or more but not all,
    in a line that stands beside a mask."""
    for size in range(len(term.text) - 1, least - 1, -1):
        part = term.text[-size:] if ends else term.text[:size]
        place = text.find(part)
        while place >= 0:
            chars = line.chars[origin[place] : origin[place + len(part) - 1] + 1]
            quad = geometry.around([char.quad for char in chars], line.quad)
            room = BESIDE * geometry.height(line.quad) / max(geometry.width(quad), 1.0)
            start, end = (-room, 0.0) if ends else (1.0, 1.0 + room)
            outer = chars[-1 if ends else 0].quad
            if not _is_hidden(outer, is_masked) and is_masked(geometry.between(quad, start, end)):
                if term.kind is Kind.UNIT and len(part) >= SHORTEST_END:
                    # What else of the unit runs out of the mask's other side goes, too.
                    lost = (len(term.text) - len(part) + SPARE) / len(part)
                    start, end = (-max(room, lost), 0.0) if ends else (1.0, 1.0 + max(room, lost))
                whole = geometry.between(quad, min(start, 0.0), max(end, 1.0))
                where = "end" if ends else "beginning"
                why = f"{where} of the {term.form} beside a mask"
                return Finding(term.kind, whole, part, 0.5, why, FINDER)
            place = text.find(part, place + 1)
    return None


def _is_hidden(quad: Quad, is_masked: Callable[[Quad], bool]) -> bool:
    """Whether masks cover a character above and below: of half a character much can be read."""
    halves = (geometry.between_down(quad, 0.0, 0.5), geometry.between_down(quad, 0.5, 1.0))
    return all(is_masked(half) for half in halves)


def _is_sought(term: Term) -> bool:
    return (
        term.form in AS_GIVEN and term.script is Script.HAN and term.kind in (Kind.UNIT, Kind.NAME)
    )


def _least(term: Term, ends: bool) -> int:
    """Characters of an end, or beginning, that tells a term beside any mask."""
    if term.kind is Kind.NAME:
        return NAME_PART if len(term.text) >= LONG_NAME else len(term.text)
    if ends:
        return SHORTEST_END
    return len("".join(unit_parts(term.text).places)) + BEYOND_PLACE

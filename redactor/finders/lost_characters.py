"""Marks where a reader lost a character: thin strokes fade in a fax, but their place stays open.

The recogniser leaves out what it cannot make out (the 三 of 库尔勒市三中) and reads on; only the
step between its neighbours tells. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from redactor import geometry
from redactor.finders.known import find_known
from redactor.identity import Identity
from redactor.normal_text import is_han
from redactor.page import Char, Finding, Kind, Line, Reading
from redactor.streams import streams
from redactor.term import Script

LOST = "\ufffd"
"""Stands for a character that was not read."""
STEP = (1.5, 2.6)
"""Step between two Chinese characters, in the line's usual step, over which one was lost; a wider
one is a gap between two fields."""
FEWEST_STEPS = 6
"""Steps between neighbouring Chinese characters that tell a line's usual one."""
SHORTEST = 5
"""Characters of a unit's form of which one may be lost: of less, too little is left to tell."""


def find_with_lost(reading: Reading, identity: Identity) -> Iterator[Finding]:
    """Units of which a character was lost where a line leaves room for it."""
    lines = tuple(with_lost(line) for line in reading.lines if line.layer != "pale")
    if all(char.text != LOST for line in lines for char in line.chars):
        return
    units = replace(
        identity,
        terms=tuple(
            term
            for term in identity.of(Kind.UNIT)
            if term.script is Script.HAN and term.pattern is None and len(term.text) >= SHORTEST
        ),
    )
    for stream in streams(replace(reading, lines=lines)):
        if LOST in stream.source:
            yield from (found for found in find_known(stream, units) if found.score < 1.0)


def with_lost(line: Line) -> Line:
    """The line with an illegible character wherever one was lost."""
    steps = [
        (before, after, float(np.linalg.norm(after.quad.mean(axis=0) - before.quad.mean(axis=0))))
        for before, after in pairwise(line.chars)
        if is_han(before.text) and is_han(after.text)
    ]
    if len(steps) < FEWEST_STEPS:
        return line
    usual = float(np.median([step for *_, step in steps]))
    wide = {
        id(after): geometry.around([before.quad, after.quad], line.quad)
        for before, after, step in steps
        if STEP[0] * usual < step < STEP[1] * usual
    }
    chars: list[Char] = []
    for char in line.chars:
        if id(char) in wide:
            chars.append(Char(LOST, geometry.between(wide[id(char)], 1 / 3, 2 / 3), 0.0))
        chars.append(char)
    return replace(line, chars=tuple(chars)) if wide else line

"""Masks what stands behind a form's label, also handwriting that OCR cannot read.

A label is a known word (label_words) that fills its box or is followed by a colon or a gap. Its
value stands in the rest of the line, in the ruled cell to its right, or in the next box of the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from redactor import geometry
from redactor.finders.ink import ink_box
from redactor.finders.label_words import (
    ANY_LABEL,
    OTHERS,
    PLACE,
    REST,
    REST_OF_EMAIL,
    STOPS,
    VALUES,
    WHOLE_EMAIL,
    label_kind,
)
from redactor.normal_text import normalise
from redactor.page import Char, Finding, Image, Kind, Line, Quad, Reading
from redactor.streams import cell_of

LEGIBLE = 0.8
"""A line read worse than this may be handwriting: its ink is masked, not its boxes."""
LONGEST_VALUE = {Kind.NAME: 24, Kind.SIGNATURE: 16}
"""Characters of a value in running text; longer ones are sentences that begin like a label."""
READ, UNREAD = 0.8, 0.5
"""Score of a value that was read, and of ink that was not."""
KNOWN = frozenset({Kind.NAME, Kind.UNIT, Kind.SIGNATURE})
"""Values that the roster gives, or that are written by hand: once read they are found without their
label, so that of two places only the one in the label's cell is taken."""
SPLINTER = 0.4
"""Width over height up to which a cell is a splinter beside a rule and holds nothing."""
ZONE = 9.0
"""How far beside a label handwriting is looked for, in line heights."""


@dataclass(frozen=True, eq=False)
class Label:
    """A label in a line: value characters are line.chars[value:end]."""

    kind: Kind
    line: Line
    text: str
    start: int
    value: int
    end: int


def find_labels(pixels: Image, reading: Reading, kinds: frozenset[Kind]) -> Iterator[Finding]:
    """Findings for the values of all labels on a page whose kind is asked for."""
    lines = [line for line in reading.lines if line.layer in ("ink", "text") and not line.vertical]
    page = _Page(pixels, lines, reading.cells)
    for line in lines:
        for label in _labels(line):
            if label.kind in kinds:
                yield from page.value_of(label)


def _labels(line: Line) -> Iterator[Label]:
    text, index = normalise(line.text)
    if len(line.text) != len(line.chars):
        return
    found = [m for m in ANY_LABEL.finditer(text) if _announces(text, m)]
    for number, match in enumerate(found):
        after = match.end()
        after = _past_marks(text, after)
        limit = found[number + 1].start() if number + 1 < len(found) else len(text)
        stop = STOPS.search(text, after, limit)
        end = stop.start() if stop else limit
        value = index[after] if after < len(text) else len(line.chars)
        last = index[end - 1] + 1 if end > after else value
        yield Label(
            label_kind(match), line, match.group(), index[match.start()], value, max(value, last)
        )


def _past_marks(text: str, place: int) -> int:
    """Behind colons, rules and a remark in brackets such as (签字)."""
    while place < len(text):
        if text[place] == "(" and ")" in text[place : place + 10]:
            place = text.index(")", place)
        elif text[place] not in ":;.)_|-":
            break
        place += 1
    return place


def _announces(text: str, match: re.Match[str]) -> bool:
    """Whether a label word is used as a label: alone, before a colon, or opening a field."""
    rest = text[match.end() :]
    if not rest or rest[0] in ":;_|":
        return True
    if label_kind(match) is Kind.ADDRESS and not match.start() and PLACE.match(rest):
        return True  # on cards only a gap parts the label from the place, and readers lose it
    return rest[0] == "(" and ":" in rest[:10]


class _Page:
    """The lines and cells of one page, to look around a label."""

    def __init__(self, pixels: Image, lines: Sequence[Line], cells: Sequence[Quad]) -> None:
        self._pixels, self._lines, self._cells = pixels, lines, cells
        self._home = [cell_of(line.quad, cells) for line in lines]
        self._cell_boxes = np.array([geometry.bounds(c) for c in cells]).reshape(-1, 4)
        self._tilt = np.tan(geometry.slope(x.quad for x in lines if len(x.chars) > 3))

    def value_of(self, label: Label) -> Iterator[Finding]:
        same_line = label.line.chars[label.value : label.end]
        text = "".join(c.text for c in same_line)
        if label.kind in VALUES and (match := VALUES[label.kind].match(text)):
            same_line = same_line[: match.end()]
            text = match.group()
        text = text.strip("_ .:：。")
        if text and self._others_signature(label, text, same_line):
            return
        if text:
            if len(text) <= LONGEST_VALUE.get(label.kind, 60) and _fitting(label.kind, text):
                quad = geometry.around([c.quad for c in same_line], label.line.quad)
                yield from self._with_next_rows(label, quad, text)
            return
        home = cell_of(label.line.quad, self._cells)
        if home >= 0:
            yield from self._in_cells(label, home)
        else:
            yield from self._beside(label, self._zone(label))

    def _others_signature(self, label: Label, text: str, chars: Sequence[Char]) -> bool:
        """Whether somebody else signed here, legibly: not the applicant's name, so it stays."""
        if label.kind is not Kind.SIGNATURE:
            return False
        before = normalise(label.line.text).text.split(label.text)[0][-8:]
        sure = bool(chars) and min(c.score for c in chars) >= LEGIBLE and len(text) <= 4
        return sure and bool(OTHERS.search(before + label.text))

    def _in_cells(self, label: Label, home: int) -> Iterator[Finding]:
        own = [x for x, h in zip(self._lines, self._home, strict=True) if h == home]
        after = [x for x in own if x is not label.line and not _fills(x)]
        _, _, x1, _ = geometry.bounds(self._cells[home])
        room = x1 - geometry.bounds(label.line.quad)[2]
        if after or room > 4 * geometry.height(label.line.quad):
            # The label shares its cell with the value: a signature line, "编号" in a box.
            beside = list(self._beside(label, self._zone(label, self._cells[home])))
            yield from beside
            is_read = any(x.score >= LEGIBLE and x.text.strip() for x in after)
            if is_read or label.kind in KNOWN:
                return
            # Nothing there, or the label once more in another script.
        right = self._right_of(home)
        if right is None:
            if not after:
                # A shadow on its rules leaves the next cell open: its row is asked instead.
                yield from self._beside(label, self._zone(label))
            return
        inside = [x for x, h in zip(self._lines, self._home, strict=True) if h == right]
        if any(_fills(line) for line in inside):
            return  # a header row: the next cell is a label, too
        legible = inside and all(line.score >= LEGIBLE for line in inside)
        if legible:
            for line in inside:
                if _fitting(label.kind, line.text):
                    yield self._finding(label, line.quad, line.text)
        else:
            cell = geometry.grown(self._cells[right], -2.0, -2.0)
            ink = ink_box(self._pixels, cell)
            if ink is not None:
                yield self._finding(label, ink, "".join(x.text for x in inside), UNREAD)

    def _right_of(self, home: int) -> int | None:
        """The cell that shares its left edge with the right edge of `home`."""
        _, y0, x1, y1 = self._cell_boxes[home]
        boxes = self._cell_boxes
        shared = np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
        lower = np.minimum(boxes[:, 3] - boxes[:, 1], y1 - y0)
        gap = boxes[:, 0] - x1
        tall = y1 - y0
        good = (shared > 0.6 * lower) & (gap > -0.3 * tall) & (gap < 0.6 * tall)
        good &= boxes[:, 2] - boxes[:, 0] > SPLINTER * tall
        good[home] = False
        if not good.any():
            return None
        return int(np.flatnonzero(good)[np.argmin(gap[good])])

    def _zone(self, label: Label, cell: Quad | None = None) -> Quad:
        """Where the value may stand in the label's row: up to the next box or the cell's edge."""
        _, y0, x1, y1 = geometry.bounds(label.line.quad)
        if label.line.chars:
            x1 = geometry.bounds(label.line.chars[-1].quad)[2]
        thick = y1 - y0
        limit = x1 + ZONE * thick
        if cell is not None:
            limit = min(limit, geometry.bounds(cell)[2] - 2)
        for line in self._lines:
            lx0, ly0, _, ly1 = geometry.bounds(line.quad)
            overlaps = min(ly1, y1) - max(ly0, y0) > 0.4 * min(ly1 - ly0, thick)
            if line is not label.line and overlaps and lx0 > x1 - 2 and _fills(line):
                limit = min(limit, lx0 - 2)
        return geometry.rectangle(x1 + 1, y0 - 0.25 * thick, max(limit, x1 + 2), y1 + 0.25 * thick)

    def _beside(self, label: Label, zone: Quad) -> Iterator[Finding]:
        x0, y0, x1, y1 = geometry.bounds(zone)
        found = False
        for line in self._lines:
            lx0, _, lx1, _ = geometry.bounds(line.quad)
            begin = float(line.quad[[0, 3], 1].mean()) - self._tilt * (lx0 - x0)
            if line is label.line or not (y0 < begin < y1 and x0 - 4 <= lx0 < x1):
                continue
            found = True
            if line.score < LEGIBLE:
                wide = geometry.rectangle(lx0 - 4, y0, lx1 + 4, y1)
                ink = ink_box(self._pixels, wide)
                quad = line.quad if ink is None else ink
                yield self._finding(label, quad, line.text, UNREAD)
            else:
                yield from self._line_value(label, line)
        if not found:
            ink = ink_box(self._pixels, zone)
            if ink is not None:
                yield self._finding(label, ink, "", UNREAD)

    def _line_value(self, label: Label, line: Line) -> Iterator[Finding]:
        """The part of a neighbouring box before the next field begins."""
        text, index = normalise(line.text)
        stops = [m.start() for m in (STOPS.search(text), ANY_LABEL.search(text)) if m]
        end = min(stops, default=len(text))
        chars = line.chars[: index[end - 1] + 1] if end and len(text) else ()
        value = "".join(c.text for c in chars)
        if self._others_signature(label, value, chars):
            return
        if (
            value
            and len(value) <= LONGEST_VALUE.get(label.kind, 60)
            and _fitting(label.kind, value)
        ):
            quad = geometry.around([c.quad for c in chars], line.quad)
            yield from self._with_next_rows(label, quad, value)

    def _with_next_rows(self, label: Label, quad: Quad, text: str) -> Iterator[Finding]:
        """The value, and for an address the rows below it that begin where it begins."""
        yield self._finding(label, quad, text)
        if label.kind is Kind.EMAIL and not WHOLE_EMAIL.search(text):
            yield from self._wrapped(label, quad, REST_OF_EMAIL)
        if label.kind is not Kind.ADDRESS:
            return
        thick = geometry.height(quad)
        # In the direction of the value: on a slanted page a long row spans several in y.
        along = (quad[1] - quad[0]) / max(geometry.width(quad), 1.0)
        first = (quad[0] + quad[3]) / 2
        starts = np.array([(x.quad[0] + x.quad[3]) / 2 - first for x in self._lines])
        aside, below = starts @ along, starts @ np.array([-along[1], along[0]])
        row = 0.0
        for index in np.argsort(below):
            line = self._lines[index]
            next_row = 0.6 * thick < below[index] - row < 1.9 * thick
            if next_row and abs(aside[index]) < 1.2 * thick and not _fills(line):
                yield self._finding(label, line.quad, line.text)
                row = float(below[index])
        yield from self._wrapped(label, quad, REST)

    def _wrapped(self, label: Label, quad: Quad, how: re.Pattern[str]) -> Iterator[Finding]:
        """The rest of a value that reaches the end of its row in running text: it goes on at the
        paragraph's left edge. `how`: what such a rest looks like."""
        x0, y0, x1, y1 = geometry.bounds(quad)
        thick = geometry.height(quad)
        home = next((x for x in self._lines if geometry.holds(x.quad, quad)), None)
        if home is None or geometry.bounds(home.quad)[2] - x1 > thick:
            return
        left = geometry.bounds(home.quad)[0]
        for line in self._lines:
            lx0, ly0, _, ly1 = geometry.bounds(line.quad)
            next_row = 0.5 * thick < (ly0 + ly1 - y0 - y1) / 2 < 2.4 * thick
            if not next_row or lx0 > x0 - thick or abs(lx0 - left) > 4 * thick:
                continue
            text, index = normalise(line.text)
            rest = how.match(text)
            if rest and len(line.text) == len(line.chars):
                chars = line.chars[: index[rest.end() - 1] + 1]
                where = geometry.around([c.quad for c in chars], line.quad)
                yield self._finding(label, where, "".join(c.text for c in chars))

    def _finding(self, label: Label, quad: Quad, text: str, score: float = READ) -> Finding:
        return Finding(label.kind, quad, text, score, f"behind the label {label.text}", "labels")


def _fitting(kind: Kind, text: str) -> bool:
    """Whether a value can be what its label says: a number has figures, a heading has none."""
    if kind in (Kind.ID_NUMBER, Kind.PHONE, Kind.CERT_NUMBER, Kind.EMAIL):
        return sum(c.isascii() and c.isalnum() for c in text) >= 3
    return True


def _fills(line: Line) -> bool:
    """Whether a line begins with a label or another field's heading."""
    text = normalise(line.text).text
    return bool(ANY_LABEL.match(text) or STOPS.match(text))

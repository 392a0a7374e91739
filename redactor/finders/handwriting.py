"""Masks signatures by looks: pen strokes beside or below a signature label, and over a seal.

The labels finder masks values that were read apart from their label. A signature often lies in one
box with its label, of which the label alone was read, or stands below it, or on a seal. Here the
printed characters are taken off the page, and what is left where a signature belongs is strokes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.channels import darkest
from redactor.finders.label_words import ANY_LABEL, LABELS, STOPS
from redactor.normal_text import normalise
from redactor.page import Char, Finding, Image, Kind, Line, Quad, Reading

FINDER = "handwriting"
UNREAD = 0.5
"""Score of ink that was not read, as in labels."""
ASKS = re.compile(
    "|".join(words for kind, words in LABELS if kind is Kind.SIGNATURE)
    + "|(?:单位|部门)?(?:负责人|经办人|审核人|推荐人|签收人|填表人|申报人|申请人|被考核人)|姓名"
)
"""Labels behind or below which somebody signs."""
SIGNS = re.compile("签名|签字|签章|承诺人")
PRINTED, PRINTED_LONG, LONG = 0.9, 0.65, 3
"""A line read this well is print, or writing that other finders can read; from `LONG` characters on
less will do, because strokes are seldom read as many."""
LEGIBLE = 0.8
WIDEST = 1.3
"""A character wider than this many steps of its line has strokes in its box."""
REACH_MM, BELOW_MM = 45.0, 15.0
"""How far beside and below a label a signature is looked for."""
PAPER_MM = 4.0
"""Within about this distance of a stroke there is paper, or the tint of a shaded cell."""
LEAST_STEP, RED = 45, 30
"""Grey levels below the paper from which on there is ink; redder than this it is a seal's."""
RULE_MM, RULE_THICK_MM = 11.0, 0.9
"""A straight run this long and no thicker is a rule to write on or the edge of a cell."""
SPECK_MM = 0.9
"""What is smaller both ways is dust, or a dot of a dotted line."""
LEAST_MM = (4.0, 2.5)
"""Width and height of the strokes together, at least."""
LEAST_STROKES_MM2 = 1.2
GLYPH = 1.25
"""A glyph is at most this much higher than its line's em."""
STRAIGHT_MM = 5.0
"""A straight part this long near a signature is the edge of a cell."""
LARGE_MM, TALL = 8.5, 0.62
"""Over a seal, where print is read badly, one stroke must be larger than glyphs are, mm, and higher
than a row of glyphs that blur has joined."""
ROOM_MM = 5.0
"""How far strokes are followed out of their zone."""
WORK_PER_MM = 5.5
"""Pixels per mm at which strokes are looked at, at most."""
JOIN_MM = 1.5
"""Strokes this near to one another are one signature."""
EDGE_MM = 0.4
"""A mask reaches this far beyond its strokes."""
COVERED = 0.97
"""Share of the strokes' box under other masks from which on nothing is missing."""

Mask = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a signature belongs. `label` for the reason; `rest` is looked at when `zone` is
    empty."""

    label: str
    zone: Quad
    rest: Quad | None = None


def find_handwriting(
    pixels: Image,
    dpi: float,
    reading: Reading,
    found: Sequence[Finding] = (),
    seals: Sequence[Quad] = (),
) -> tuple[Finding, ...]:
    """Pen strokes at signature labels and over seals that `found` does not cover yet.

    `dpi`: resolution of `pixels`. `seals`: places of red seals; in grey ones strokes and seal
    cannot be told apart. Kind SIGNATURE, score 0.5 as for all ink that nobody could read.
    """
    per_mm = max(dpi, 20.0) / 25.4
    page = _Page(reading, per_mm)
    findings: list[Finding] = []
    for place in page.places():
        box = strokes(pixels, place.zone, page.print_, per_mm)
        if box is None and place.rest is not None:
            box = strokes(pixels, place.rest, page.print_, per_mm)
        why = f"pen strokes at the label {place.label}"
        findings += _missing(box, why, [*found, *findings], per_mm)
    for seal in seals:
        if _is_red(pixels, seal):
            box = strokes(pixels, seal, page.print_, per_mm, LARGE_MM)
            findings += _missing(box, "pen strokes over a seal", [*found, *findings], per_mm)
    return tuple(findings)


def strokes(
    pixels: Image, zone: Quad, print_: Floats, per_mm: float, large_mm: float = 0.0
) -> Quad | None:
    """Box around the pen strokes that lie mostly in the bounds of `zone`, None without any.

    `print_`: (N, 5), left, top, right, bottom and em of printed characters, which are no strokes.
    Rules, dots and red ink are left out. Strokes that run out of the zone are followed a little.
    With `large_mm` one stroke at least must be this long.
    """
    scale = min(1.0, WORK_PER_MM / per_mm)
    room = ROOM_MM * per_mm
    x0, y0, x1, y1 = geometry.bounds(zone)
    height, width = pixels.shape[:2]
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    right, bottom = min(width, int(x1 + room)), min(height, int(y1 + room))
    if right - left < 8 or bottom - top < 8 or x1 - x0 < 2 or y1 - y0 < 2:
        return None
    patch = pixels[top:bottom, left:right]
    if scale < 1.0:
        patch = np.asarray(
            cv2.resize(patch, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    fine = per_mm * scale
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_ink(patch, fine))
    inner = ((geometry.rectangle(x0, y0, x1, y1) - (left, top)) * scale).clip(0)
    (ix0, iy0), (ix1, iy1) = inner[0].astype(int), inner[2].astype(int)
    within = np.bincount(labels[iy0:iy1, ix0:ix1].ravel(), minlength=count)
    parts = stats[1:].astype(np.float64)
    parts[:, 2:4] += parts[:, :2]
    spans = (parts[:, 2:4] - parts[:, :2]).max(axis=1, initial=0)
    large = spans >= SPECK_MM * fine
    large &= ~_printed(parts, (print_ - (left, top, left, top, 0)) * scale)
    chosen = large & (within[1:] > 0.5 * parts[:, 4])
    if parts[chosen, 4].sum() < LEAST_STROKES_MM2 * fine * fine:
        return None
    tall = parts[:, 3] - parts[:, 1] >= TALL * large_mm * fine
    if not (chosen & tall & (spans >= large_mm * fine)).any():
        return None
    narrow = (parts[:, 2:4] - parts[:, :2]).min(axis=1, initial=1e9) < SPECK_MM * fine
    straight = narrow & (spans > STRAIGHT_MM * fine)
    box = _with_neighbours(parts[large & ~straight], parts[chosen], JOIN_MM * fine)
    if box[2] - box[0] < LEAST_MM[0] * fine or box[3] - box[1] < LEAST_MM[1] * fine:
        return None
    edge = EDGE_MM * fine
    ax, ay, bx, by = (float(v) for v in (box + (-edge, -edge, edge, edge)) / scale)
    return geometry.rectangle(left + ax, top + ay, left + bx, top + by)


def _printed(parts: Floats, print_: Floats) -> npt.NDArray[np.bool_]:
    """Which parts are glyphs: in the box of a printed character and hardly larger than it."""
    if not len(print_):
        return np.zeros(len(parts), np.bool_)
    x, y = (parts[:, 0] + parts[:, 2]) / 2, (parts[:, 1] + parts[:, 3]) / 2
    wide, high = parts[:, 2] - parts[:, 0], parts[:, 3] - parts[:, 1]
    inside = (print_[:, 0] <= x[:, None]) & (x[:, None] <= print_[:, 2])
    inside &= (print_[:, 1] <= y[:, None]) & (y[:, None] <= print_[:, 3])
    em = print_[:, 4]
    inside &= (high[:, None] <= GLYPH * em) & (wide[:, None] <= 2.4 * GLYPH * em)
    return np.asarray(inside.any(axis=1), np.bool_)


def _with_neighbours(parts: Floats, chosen: Floats, reach: float) -> Floats:
    """The box around the chosen parts and all others that lie near it, one after the other."""
    box = np.concatenate([chosen[:, :2].min(axis=0), chosen[:, 2:4].max(axis=0)])
    for _ in range(len(parts)):
        near = (parts[:, :2] < box[2:] + reach).all(axis=1)
        near &= (parts[:, 2:4] > box[:2] - reach).all(axis=1)
        low = parts[near, :2].min(axis=0, initial=np.inf)
        high = parts[near, 2:4].max(axis=0, initial=-np.inf)
        wider = np.concatenate([np.minimum(low, box[:2]), np.maximum(high, box[2:])])
        if (wider == box).all():
            break
        box = wider
    return box


def _ink(patch: Image, per_mm: float) -> Mask:
    """255 on black and blue ink without straight rules."""
    grey = darkest(patch)
    side = max(3, round(PAPER_MM * per_mm) | 1)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    blue, green, red = cv2.split(patch)
    depth = cv2.subtract(paper, grey)
    dark = (depth > LEAST_STEP) & (depth > 0.2 * paper.astype(np.float32))
    seal = cv2.subtract(red, cv2.max(blue, green)) > RED
    ink = np.asarray((dark & ~seal) * 255, np.uint8)
    long, thick = max(3, round(RULE_MM * per_mm)), max(2, round(RULE_THICK_MM * per_mm))
    for run, across in (((1, long), (thick, 1)), ((long, 1), (1, thick))):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(run, np.uint8))
        if not cv2.countNonZero(rules):
            continue
        # A broad bar is no rule; of a rule, its soft edges go, too.
        bars = cv2.morphologyEx(rules, cv2.MORPH_OPEN, np.ones(across, np.uint8))
        thin = cv2.dilate(cv2.subtract(rules, bars), np.ones((3, 3), np.uint8))
        ink = np.asarray(cv2.subtract(ink, thin), np.uint8)
    return ink


def _missing(
    box: Quad | None, why: str, masks: Sequence[Finding], per_mm: float
) -> Iterator[Finding]:
    """A finding for the box unless masks cover what is in it.

    The mask of a seal does not count: when the seal is lifted, strokes on it come to light.
    """
    if box is None:
        return
    edge = EDGE_MM * per_mm
    x0, y0, x1, y1 = geometry.bounds(geometry.grown(box, -edge, -edge))
    size = (max(1, int(x1 - x0)), max(1, int(y1 - y0)))
    under = np.zeros(size[::-1], np.uint8)
    for mask in (m for m in masks if m.kind is not Kind.SEAL):
        cv2.fillConvexPoly(under, np.round(mask.quad - (x0, y0)).astype(np.int32), (1,))
    if under.mean() < COVERED:
        yield Finding(Kind.SIGNATURE, box, "", UNREAD, why, FINDER)


def _is_red(pixels: Image, seal: Quad) -> bool:
    x0, y0, x1, y1 = (max(0, int(v)) for v in geometry.bounds(seal))
    few = pixels[y0:y1:2, x0:x1:2]
    if not few.size:
        return False
    blue, green, red = cv2.split(few)
    return float((cv2.subtract(red, cv2.max(blue, green)) > RED).mean()) > 0.04


class _Page:
    """The print of a page, and the places where it asks for a signature."""

    def __init__(self, reading: Reading, per_mm: float) -> None:
        self._per_mm = per_mm
        self._lines = [x for x in reading.lines if not x.vertical and x.layer != "pale" and x.chars]
        self._cells = [geometry.bounds(c) for c in reading.cells]

    @cached_property
    def print_(self) -> Floats:
        """(N, 5) of all printed characters, as in `strokes`; few pages ask for them."""
        printed = [_printed_chars(line) for line in self._lines if _is_print(line)]
        return np.concatenate([np.empty((0, 5)), *printed])

    def places(self) -> Iterator[Place]:
        for line in self._lines:
            if len(line.text) == len(line.chars):
                yield from self._places(line)

    def _places(self, line: Line) -> Iterator[Place]:
        text, index = normalise(line.text)
        for match in ASKS.finditer(text):
            after = _behind(text, match.end())
            if after is None:
                continue
            stop = STOPS.search(text, after)
            value = (
                line.chars[index[after] : index[stop.start()] if stop else None]
                if (after < len(text))
                else ()
            )
            if _is_legible(value):
                continue
            first, last = index[match.start()], index[after - 1]
            if min(c.score for c in line.chars[first : index[match.end() - 1] + 1]) < LEGIBLE:
                continue
            boxes = _tight(line)
            limit = float(boxes[index[stop.start()], 0]) if stop else np.inf
            alone = first == 0 and after >= len(text)
            yield self._place(match.group(), line, boxes[first : last + 1], limit, alone)

    def _place(self, label: str, line: Line, boxes: Floats, limit: float, alone: bool) -> Place:
        x0, x1 = float(boxes[0, 0]), float(boxes[-1, 2])
        em = _pitch(boxes)
        _, top, _, bottom = geometry.bounds(line.quad)
        middle = float(boxes[:, [1, 3]].mean())
        y0, y1 = min(top, middle - 0.9 * em), max(bottom, middle + 0.9 * em)
        cell = self._cell((x0 + x1) / 2, middle)
        right = min(limit, x1 + REACH_MM * self._per_mm)
        below = None
        if cell is not None:
            if cell[2] - x1 < 4 * em:
                # The label fills its cell: the next one is to be signed. Where the labels finder
                # knows the label it has looked there.
                beside = None if ANY_LABEL.search(label) else self._cell(cell[2] + em, middle)
                return Place(label, geometry.rectangle(*(beside or (0, 0, 0, 0))))
            right = min(right, cell[2] - 2)
        right = self._until_print(x1 + 0.3 * em, middle, 0.4 * em, right)
        if alone and SIGNS.search(label):
            floor = bottom + BELOW_MM * self._per_mm
            floor = floor if cell is None else min(floor, cell[3] - 2)
            low = self._above_print(x0, x1, middle + 0.6 * em, floor)
            below = geometry.rectangle(x0 - 3 * em, middle + 0.6 * em, x1 + 3 * em, low)
        return Place(label, geometry.rectangle(x1 + 0.1 * em, y0, max(right, x1), y1), below)

    def _cell(self, x: float, y: float) -> tuple[float, float, float, float] | None:
        """The smallest ruled cell around a point; cells come smallest first."""
        return next((c for c in self._cells if c[0] < x < c[2] and c[1] < y < c[3]), None)

    def _until_print(self, x: float, middle: float, half: float, right: float) -> float:
        """The left edge of the next print of a row."""
        b = self.print_
        row = (b[:, 0] > x) & (b[:, 1] < middle + half) & (b[:, 3] > middle - half)
        return min(right, float(b[row, 0].min())) if row.any() else right

    def _above_print(self, x0: float, x1: float, y: float, floor: float) -> float:
        """The top edge of the next print below a label."""
        b = self.print_
        under = (b[:, 1] > y) & (b[:, 0] < x1) & (b[:, 2] > x0)
        return min(floor, float(b[under, 1].min())) if under.any() else floor


def _behind(text: str, place: int) -> int | None:
    """Behind the marks that make a word a label; None when it goes on as prose."""
    end = place
    while end < len(text):
        if text[end] == "(" and ")" in text[end : end + 10]:
            end = text.index(")", end)
        elif text[end] not in ":;_|.)":  # the word itself may stand in brackets
            break
        end += 1
    return end if end > place or place == len(text) else None


def _is_legible(value: Sequence[Char]) -> bool:
    """Whether a value was read: then the other finders know what to do with it."""
    told = [c for c in value if c.text.strip() and c.text not in "_:：.。"]
    return bool(told) and min(c.score for c in told) >= LEGIBLE


def _is_print(line: Line) -> bool:
    return line.score >= (PRINTED_LONG if len(line.chars) >= LONG else PRINTED)


def _printed_end(line: Line) -> int:
    """How many characters of a well-read line are print: strokes behind a label may be read as
    one or two characters of a poor score."""
    end = len(line.chars)
    while end and line.chars[end - 1].score < LEGIBLE:
        end -= 1
    text, index = normalise(line.text)
    signed = _signed_value(line, text, index) if len(line.text) == len(line.chars) else None
    if signed is not None:
        return signed
    return end if ANY_LABEL.search(text) or ASKS.search(text) else len(line.chars)


def _signed_value(line: Line, text: str, index: Sequence[int]) -> int | None:
    """Where the value behind the line's last label for a signature begins, when it is not legible:
    of strokes some are read as surely as print."""
    ends = [after for m in ASKS.finditer(text) if (after := _behind(text, m.end())) is not None]
    if not ends or ends[-1] >= len(text):
        return None
    first = index[ends[-1]]
    return None if _is_legible(line.chars[first:]) else first


def _char_bounds(line: Line) -> Floats:
    """(N, 4): left, top, right, bottom of the characters as read."""
    quads = np.array([c.quad for c in line.chars])
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def _pitch(boxes: Floats) -> float:
    """Usual step from one character to the next."""
    if len(boxes) < 2:
        return float(boxes[0, 2] - boxes[0, 0])
    return max(1.0, float(np.median(np.diff(boxes[:, 0]))))


def _tight(line: Line) -> Floats:
    """Bounds of the characters; one that is much wider than a step has strokes in it."""
    boxes = _char_bounds(line)
    boxes[:, 2] = np.minimum(boxes[:, 2], boxes[:, 0] + WIDEST * _pitch(boxes))
    return boxes


def _printed_chars(line: Line) -> Floats:
    """(N, 5): bounds of a line's printed characters and their em, which is less than the line's
    height where strokes are in its box."""
    boxes = _tight(line)
    em = min(geometry.height(line.quad), 1.9 * _pitch(boxes))
    return np.column_stack([boxes, np.full(len(boxes), em)])[: _printed_end(line)]

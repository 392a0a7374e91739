"""Small portraits on an ID card in which no face was found: ghost images in a fax or a dark copy.

A ghost is 7 mm wide and pale; a fax leaves a blob of it that no detector takes for a face. The
card's print says where the card is, so that whatever else stands there, and is neither print nor
masked nor the portrait, is masked with room for the rest of a portrait around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from redactor.channels import darkest
from redactor.finders.photo_frames import Box, meet, portrait_around
from redactor.geometry import bounds, rectangle
from redactor.normal_text import normalise
from redactor.page import Finding, Image, Kind, Line, Quad
from redactor.reduction import reduced

FINDER = "card_ghosts"

_NUMBER, _ADDRESS = re.compile("公民身份号码"), re.compile("住址")
# A card is told in lengths of its lowest line, the number with its label: 66 mm of a card of 86.
_LEFT, _RIGHT, _ABOVE, _BELOW = 0.08, 0.1, 0.75, 0.03
_LINE_MM = 66.0
_PER_MM = 4.0
_INK = 40
"""Grey levels below the ground: a card's fine pattern has up to 25."""
_JOIN_MM, _LEAST_MM, _MOST_MM = 1.2, 3.2, 24.0
_WIDEST_MM = 8.0
"""A ghost is 7 mm wide."""
_LEAST_FILL = 0.15
_PRINT, _LETTER = 0.6, 0.9
"""Scores of a line and of a lone character from which they are print."""
_RISE = 0.25
"""Of its height a line's ink may reach so far beyond its box."""


def find_card_ghosts(
    pixels: Image, lines: Sequence[Line], faces: Sequence[Finding], masks: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Masks on the ID cards of an upright page, kind FACE.

    `lines`: the page's text. `faces`: what `find_faces` gave. `masks`: all that will be
    painted. A code that nobody could decode is no proof that there is one: a ghost looks alike.
    """
    sure = [mask.quad for mask in masks if mask.kind is not Kind.CODE or mask.text]
    portraits = [portrait_around(face) for face in faces]
    return tuple(
        Finding(Kind.FACE, quad, "", 0.8, "a picture on an ID card, no face found", FINDER)
        for card in _cards(lines)
        for quad in _marks(pixels, card, lines, sure)
        if not any(meet(bounds(quad), portrait) for portrait in portraits)
    )


def _cards(lines: Sequence[Line]) -> Iterator[Box]:
    """Boxes of the printed parts of ID cards."""
    texts = [(normalise(line.text).text.replace(" ", ""), line) for line in lines]
    addresses = [bounds(line.quad) for text, line in texts if _ADDRESS.match(text)]
    for text, line in texts:
        if not _NUMBER.match(text):
            continue
        x0, y0, _, y1 = bounds(line.quad)
        row = [b for b in (bounds(o.quad) for o in lines) if y0 < (b[1] + b[3]) / 2 < y1]
        length = max(b[2] for b in row) - x0
        box = (
            x0 - _LEFT * length,
            y1 - _ABOVE * length,
            x0 + (1 + _RIGHT) * length,
            y1 + _BELOW * length,
        )
        if any(meet(box, address) for address in addresses):
            yield box


def _marks(
    pixels: Image, card: Box, lines: Sequence[Line], masks: Sequence[Quad]
) -> Iterator[Quad]:
    """Page quads of what stands on a card and is neither print nor masked."""
    x0, y0 = (max(0, int(v)) for v in card[:2])
    part = pixels[y0 : int(card[3]), x0 : int(card[2])]
    per_mm = (card[2] - card[0]) / (1 + _LEFT + _RIGHT) / _LINE_MM
    scale = min(1.0, _PER_MM / per_mm)
    if min(part.shape[:2]) * scale < _MOST_MM:
        return
    grey = darkest(reduced(part, scale))
    fine = per_mm * scale
    ink = (grey < float(np.percentile(grey, 80)) - _INK).astype(np.uint8)
    for quad in (*_print(lines), *masks):
        cv2.fillConvexPoly(ink, np.round((quad - (x0, y0)) * scale).astype(np.int32), (0,))
    size = round(_JOIN_MM * fine) | 1
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    for x, y, w, h, area in stats[1:count]:
        sized = min(w, h) >= _LEAST_MM * fine and max(w, h) <= _MOST_MM * fine
        if sized and area >= _LEAST_FILL * w * h:
            # A fax may leave hair or shoulders alone of a portrait.
            more = max(w, h)
            aside = max(more / 2, (_WIDEST_MM * fine - w) / 2)
            whole = rectangle(x - aside, y - more, x + w + aside, y + h + more)
            mark = rectangle(x, y, x + w, y + h)
            yield _clear_of(whole / scale + (x0, y0), mark / scale + (x0, y0), lines)


def _clear_of(whole: Quad, mark: Quad, lines: Sequence[Line]) -> Quad:
    """`whole` cut where print begins above and below the `mark`."""
    left, high, right, low = bounds(whole)
    _, top, _, bottom = bounds(mark)
    for box in (bounds(line.quad) for line in lines if line.score >= _PRINT):
        if box[0] < right and left < box[2]:
            if box[1] >= bottom:
                low = min(low, box[1])
            elif box[3] <= top:
                high = max(high, box[3])
    return rectangle(left, high, right, low)


def _print(lines: Sequence[Line]) -> Iterator[Quad]:
    """Boxes of print, a little higher than read."""
    for line in lines:
        if line.score >= (_PRINT if len(line.chars) > 1 else _LETTER):
            x0, y0, x1, y1 = bounds(line.quad)
            more = _RISE * min(y1 - y0, x1 - x0)
            yield rectangle(x0 - more, y0 - more, x1 + more, y1 + more)

"""Lengthens the masks of names over blank paper, so that they do not tell how long a name is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import darkest
from redactor.masking import INK_CONTRAST
from redactor.page import Finding, Image, Kind, Quad

STEP = 6.0
"""Masks are lengthened to the next multiple of this many glyph heights: a name of two characters
looks like one of four, also when it is letter-spaced; a long name like other long ones."""
GRADE = 1.2
"""Glyph heights are taken in grades of this ratio: the height of a box, and that of the ink, depend
on the glyphs and on their number."""
KEEP_AWAY = 0.25
"""Blank paper that stays between a mask and the next ink, in line heights."""
CENTRED = 0.5
"""Text counts as centred when the blank on its two sides differs by less, in line heights."""
FAINT = 0.04
"""Share of a column or row below which its ink is dust."""
RULE = 1.5
"""A horizontal stroke of this length is the rule that the name stands on, in line heights."""


def padded_names(
    pixels: Image, findings: Iterable[Finding], step: float = STEP
) -> tuple[Finding, ...]:
    """The findings with the masks of names lengthened; all others as they are.

    `pixels`: the upright page before anything is painted. `findings`: with the quads that will be
    filled (masking.fit).
    """
    return tuple(
        replace(finding, quad=padded(pixels, finding.quad, step))
        if finding.kind == Kind.NAME
        else finding
        for finding in findings
    )


def padded(pixels: Image, quad: Quad, step: float = STEP) -> Quad:
    """`quad` lengthened to the next multiple of `step` glyph heights as far as paper is blank.

    Text that is centred between its neighbours (ink, or the page's edge) grows to both sides, other
    text away from its nearer neighbour: then neither end of the mask depends on the name's length.
    In running text there is no blank paper, and the quad stays as it is.
    """
    length, height = geometry.width(quad), geometry.height(quad)
    if length < 1 or height < 4:
        return quad
    before, after, glyph = _surroundings(pixels, quad)
    unit = step * GRADE ** round(math.log(glyph, GRADE))
    wanted = unit * math.ceil(length / unit) - length
    room = [max(0.0, blank - KEEP_AWAY * height) for blank in (before, after)]
    if abs(before - after) < CENTRED * height:
        grow = [min(wanted / 2, side) for side in room]
    elif before < after:
        right = min(wanted, room[1])
        grow = [min(wanted - right, room[0]), right]
    else:
        left = min(wanted, room[0])
        grow = [left, min(wanted - left, room[1])]
    return geometry.between(quad, -grow[0] / length, 1 + grow[1] / length)


def _surroundings(pixels: Image, quad: Quad) -> tuple[float, float, float]:
    """(pixels of blank paper before a quad, behind it, height of the ink in it).

    The blank ends at the next ink or at the page's edge; the height is the quad's when there is no
    ink in it.
    """
    length, height = geometry.width(quad), geometry.height(quad)
    reach = float(np.hypot(*pixels.shape[:2])) / length
    strip = geometry.between(quad, -reach, 1 + reach)
    w, h = round(length * (1 + 2 * reach)), round(height)
    start, end = round(length * reach), round(length * (1 + reach))
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(strip.astype(np.float32), target)
    page = np.ones(pixels.shape[:2], np.uint8)
    inside = np.asarray(cv2.warpPerspective(page, matrix, (w, h)), bool).all(axis=0)
    grey = darkest(np.asarray(cv2.warpPerspective(pixels, matrix, (w, h)), np.uint8))
    if not inside.any():
        return 0.0, 0.0, height
    paper = float(np.median(grey[:, inside]))
    ink = (np.abs(grey.astype(np.int16) - paper) > INK_CONTRAST).astype(np.uint8)
    ink[:, ~inside] = 0  # beyond the page is nothing that could make a stroke look like a rule
    rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, max(2, round(RULE * height)))))
    ink[np.asarray(rules) > 0] = 0
    blank = inside & (ink.mean(axis=0) < FAINT)
    rows = np.flatnonzero(ink[:, start:end].mean(axis=1) > FAINT)
    glyph = float(rows[-1] - rows[0] + 1) if len(rows) else height
    return _run(blank[:start][::-1]), _run(blank[end:]), glyph


def _run(blank: np.ndarray) -> float:
    """Columns up to the first one that is not blank."""
    return float(len(blank) if blank.all() else blank.argmin())

"""Reads a masked page once more, with other models, another scale and another contrast.

A second reading is worth something only where it fails in other ways than the first: the page is
evened out (paper white, the palest ink black), looked at in finer detail, and what reads badly is
tried upside down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import darkest
from redactor.page import Image, Line, Quad
from redactor.reading import Reader

SIDE = 1472
"""Longest side of the page in the detector, pixels: other than the first reading's 1280."""
PAPER_BLOCK = 1 / 40
"""Side of the blocks whose brightest part is taken for paper, share of the page's long side."""
INK_DEPTH = 120
"""Darker than the paper by this much is black after stretching, grey levels 0..255."""
MASK_LEVEL = 8
"""Brightest grey of a painted mask, 0..255: masks are painted 0."""
MASKED_SHARE = 0.6
"""A box of which this share is mask holds nothing to read."""
UNSURE = 0.75
"""Lines read with a lower mean probability are tried upside down."""
SURE = 0.99
"""A line of which every character was read with this probability holds nothing else."""
WIDEST_STEP = 1.6
"""Step between two characters, in their heights, from which one may have been lost."""
EDGE, BLANK_DEPTH, SPECKS = 7, 15, 0.005
"""Around masks the rim of what they hide shows, pixels; grey levels below the paper that are ink,
and the share of pixels that may be."""
SOLID = 9
"""The thinnest mask, pixels."""
SAME_LINE = 0.6
"""Overlap of two boxes that are the same line."""


def read_again(
    reader: Reader, masked: Image, page: Image, first: Sequence[Line] = ()
) -> tuple[Line, ...]:
    """All lines of the masked page, in page pixels, as a second look gives them.

    `page`: `masked`, evened. `first`: those of the first reading. One that was read surely,
    without a gap and away from every mask, is not read twice: it stands as it is.
    """
    sure = tuple(x for x in first if is_sure(x) and not _meets_mask(masked, x.quad))
    boxes = np.array([geometry.bounds(line.quad) for line in sure]).reshape(-1, 4)
    quads = [
        quad
        for quad in reader.detect(page, SIDE)
        if not _known(boxes, quad) and masked_share(masked, quad) < MASKED_SHARE
    ]
    return sure + _surest(reader, page, quads)


def is_sure(line: Line) -> bool:
    """Whether a line of ink was read so that it cannot hold anything else."""
    if line.layer != "ink" or not line.chars or min(c.score for c in line.chars) < SURE:
        return False
    middles = np.array([char.quad.mean(axis=0) for char in line.chars])
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=1)
    thickness = min(geometry.height(line.quad), geometry.width(line.quad))
    return bool((steps < WIDEST_STEP * thickness).all())


def _meets_mask(masked: Image, quad: Quad) -> bool:
    """Whether a mask touches a line or stands right beside it."""
    room = min(geometry.height(quad), geometry.width(quad))
    return masked_share(masked, geometry.grown(quad, room, 0)) > 0.01


def _known(boxes: np.ndarray, quad: Quad) -> bool:
    """Whether one of the (n, 4) boxes is the line at `quad`."""
    x0, y0, x1, y1 = geometry.bounds(quad)
    w = np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
    h = np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
    inter = np.clip(w, 0, None) * np.clip(h, 0, None)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    union = areas + (x1 - x0) * (y1 - y0) - inter
    return bool((inter > SAME_LINE * union).any())


def evened(pixels: Image) -> Image:
    """The page on white paper with its ink stretched to black, whatever colour either has."""
    grey = darkest(pixels)
    block = max(3, round(max(grey.shape) * PAPER_BLOCK / 8) | 1)
    small = cv2.resize(grey, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    paper = cv2.dilate(small, np.ones((block, block), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), block / 2)
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    depth = cv2.subtract(paper, grey)
    ink = cv2.convertScaleAbs(depth, alpha=255 / INK_DEPTH)
    return np.asarray(cv2.cvtColor(cv2.bitwise_not(ink), cv2.COLOR_GRAY2BGR), np.uint8)


def masked_share(masked: Image, quad: Quad) -> float:
    """Share of a quad's bounds that is painted over, 0..1."""
    x0, y0, x1, y1 = geometry.bounds(quad)
    part = masked[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
    return float((part.max(axis=2) <= MASK_LEVEL).mean()) if part.size else 1.0


def is_blank_beside_masks(masked: Image, quad: Quad) -> bool:
    """Whether paper is all that masks leave in the box around a quad; shades count as ink."""
    x0, y0, x1, y1 = geometry.bounds(quad)
    part = darkest(masked[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1])
    black = (part <= MASK_LEVEL).astype(np.uint8)
    # A fax is as black as a mask, but a mask is solid: its dots and strokes are ink.
    painted = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((SOLID, SOLID), np.uint8))
    left = part[cv2.dilate(painted, np.ones((EDGE, EDGE), np.uint8)) == 0]
    if not painted.any() or not left.size:
        return not left.size
    return float((left < np.percentile(left, 90) - BLANK_DEPTH).mean()) <= SPECKS


def _surest(reader: Reader, page: Image, quads: Sequence[Quad]) -> tuple[Line, ...]:
    """The lines at `quads`; those that read badly the other way round, too, and the better kept."""
    lines = list(reader.read_lines(page, quads))
    for index, line in enumerate(lines):
        if line.score >= UNSURE:
            continue
        # Corners from the opposite one: the same box with its text upside down.
        quad = np.roll(line.quad, 2 + line.vertical, axis=0)
        (turned, *_) = reader.read_lines(page, [quad]) or (line,)
        if turned.score > line.score:
            lines[index] = replace(turned, layer=line.layer)
    return tuple(lines)

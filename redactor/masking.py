"""Turns findings into solid masks and fresh files: nothing of what is under a mask survives."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image as PillowImage

from redactor import geometry
from redactor.channels import darkest
from redactor.page import Finding, Image, Kind, Quad

MASK_COLOUR = (0, 0, 0)
"""Solid black: blur and mosaic can be undone (Hill et al., PoPETs 2016)."""
ALONG, ACROSS = 0.09, 0.07
"""Margin of a text mask, in line heights: covers the blur at a glyph's edge, not its neighbour."""
REACH = 0.5
"""How far an end may move to take in the rest of a glyph that it cuts, in line heights: half a
glyph is as much as a character's place was ever wrong."""
NEAR = 0.14
"""A rest of a glyph so narrow is taken in whosever it is, in line heights."""
INTO_GAP = 0.07
"""How far an end may move into the gap in which it stands, in line heights; and where glyphs touch
one another, as by hand: a sliver of the neighbour tells less than one of what is hidden."""
TAIL, WIDEST_TAIL = 0.25, 4.0
"""How far a side may move over the tails of letters, in line heights; their width in tails."""
INK_CONTRAST = 45
"""Difference from the strip's median that is ink, grey levels 0..255."""
TEXT_KINDS = frozenset(
    {
        Kind.NAME,
        Kind.UNIT,
        Kind.ID_NUMBER,
        Kind.PHONE,
        Kind.EMAIL,
        Kind.ADDRESS,
        Kind.CERT_NUMBER,
        Kind.DOCUMENT_NUMBER,
    }
)
JPEG_QUALITY = 88
"""Close to a scanner's own: higher only grows files, lower would draw rings around small print."""


def mask_quad(finding: Finding) -> Quad:
    """The quad that is filled for a finding: text grows by its margins, other kinds are exact."""
    if finding.kind not in TEXT_KINDS:
        return finding.quad
    thickness = min(geometry.height(finding.quad), geometry.width(finding.quad))
    return geometry.grown(finding.quad, ALONG * thickness + 0.5, ACROSS * thickness + 0.5)


def fit(pixels: Image, finding: Finding) -> Finding:
    """The finding with the quad that will be filled: margins added, cut glyphs taken in whole."""
    quad = mask_quad(finding)
    if finding.kind in TEXT_KINDS:
        quad = _with_tails(pixels, _to_gaps(pixels, quad))
    return replace(finding, quad=quad)


def _to_gaps(pixels: Image, quad: Quad) -> Quad:
    """Moves both ends into the gaps beside them.

    An end that cuts a glyph goes on to the next blank column. Where none is within REACH, or two
    thirds of the glyph lie outside, it is the neighbour that touches: the end hardly moves.
    """
    long, thick = geometry.width(quad), geometry.height(quad)
    if long < 4 or thick < 4:
        return quad
    reach = REACH * thick / long
    end = _way_out(pixels, geometry.between(quad, 1.0 - reach, 1.0 + reach)) * reach
    start = _way_out(pixels, geometry.between(quad, -reach, reach), backwards=True) * reach
    return geometry.between(quad, -start, 1.0 + end)


def _way_out(pixels: Image, strip: Quad, backwards: bool = False) -> float:
    """How far a mask may reach beyond its end, 0..1 of REACH; the end is the strip's middle."""
    low, high = np.floor(strip.min(axis=0)).astype(int), np.ceil(strip.max(axis=0)).astype(int)
    if (low < 0).any() or (high[::-1] > pixels.shape[:2]).any():
        return 0.0
    w, h = max(2, round(geometry.width(strip) / 2)), max(2, round(geometry.height(strip)))
    target = np.array([[0, 0], [2 * w, 0], [2 * w, h], [0, h]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(strip.astype(np.float32), target)
    warped = np.asarray(cv2.warpPerspective(pixels, matrix, (2 * w, h)), np.uint8)
    grey = darkest(warped).astype(np.int16)
    ink = np.abs(grey - np.median(grey)) > INK_CONTRAST
    blank = ink.mean(axis=0) < 0.04
    if backwards:
        blank = blank[::-1]
    inside, outside = blank[:w][::-1], blank[w:]
    if outside[0]:
        gap = w if outside.all() else int(outside.argmin())
        return min(gap / 2 / w, INTO_GAP / REACH)
    if not outside.any():
        return INTO_GAP / REACH
    rest = int(outside.argmax()) + 1
    own = w if not inside.any() else int(inside.argmax())
    nearly_in = rest <= NEAR * w / REACH
    return rest / w if nearly_in or 2 * own >= rest else INTO_GAP / REACH


def _with_tails(pixels: Image, quad: Quad) -> Quad:
    """Moves both sides out over the tails of letters that they cut, as of g and y.

    What runs on for more than TAIL is a rule or a seal, what is wider than tall letters is an
    underline: both stay.
    """
    thick = geometry.height(quad)
    if geometry.width(quad) < 4 or thick < 4:
        return quad
    tail = TAIL * thick
    below = _tail(pixels, geometry.between_down(quad, 1.0 - TAIL, 1.0 + TAIL), tail)
    above = _tail(pixels, geometry.between_down(quad, TAIL, -TAIL), tail)
    return geometry.between_down(quad, -above / thick, 1.0 + below / thick)


def _tail(pixels: Image, strip: Quad, tail: float) -> float:
    """How far letters run out of a mask's side, pixels up to `tail`; the side is the strip's
    middle, the outside its lower half."""
    if (strip < 0).any() or (strip > pixels.shape[1::-1]).any():
        return 0.0
    w, h = round(geometry.width(strip)), max(2, round(tail))
    target = np.array([[0, 0], [w, 0], [w, 2 * h], [0, 2 * h]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(strip.astype(np.float32), target)
    grey = darkest(np.asarray(cv2.warpPerspective(pixels, matrix, (w, 2 * h)), np.uint8))
    ink = (np.abs(grey.astype(np.int16) - np.median(grey)) > INK_CONTRAST).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    ends = stats[1:, cv2.CC_STAT_TOP] + stats[1:, cv2.CC_STAT_HEIGHT]
    cut = (stats[1:, cv2.CC_STAT_TOP] < h) & (h < ends) & (ends < 2 * h)
    letters = stats[1:, cv2.CC_STAT_WIDTH] < WIDEST_TAIL * tail
    reached = ends[cut & letters]
    return float(reached.max() - h + 1) * tail / h if len(reached) else 0.0


def paint(pixels: Image, quads: Iterable[Quad]) -> Image:
    """A copy of `pixels` with every quad filled solid; edges are not softened."""
    masked = pixels.copy()
    for quad in quads:
        corners = np.round(quad * 16).astype(np.int32)
        # Pixel (0, 0) covers 0..1, cv2 draws its centre at 0: shift by half a pixel.
        cv2.fillConvexPoly(masked, corners - 8, MASK_COLOUR, lineType=cv2.LINE_8, shift=4)
    return masked


def encode(pixels: Image, file_format: str, dpi: float) -> bytes:
    """A fresh JPEG or PNG (`file_format` "jpg" or "png") of the pixels and nothing else.

    The only metadata is the resolution in `dpi`. Grey pages are stored as grey.
    """
    picture = _picture(pixels)
    buffer = io.BytesIO()
    resolution = (round(dpi), round(dpi))
    if file_format == "png":
        picture.save(buffer, "PNG", dpi=resolution, compress_level=4)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, dpi=resolution, subsampling="4:2:0")
    return buffer.getvalue()


def _picture(pixels: Image) -> PillowImage.Image:
    blue, green, red = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return PillowImage.fromarray(np.ascontiguousarray(blue))
    return PillowImage.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))

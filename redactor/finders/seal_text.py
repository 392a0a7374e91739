"""Reads the text in seals, so that a profile may leave the seals of others unmasked.

The ring text is unwound into a straight strip, which the ordinary reader reads better than a model
made for seals does. The strip is pasted twice in a row, because its start may cut a name in two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from redactor import geometry
from redactor.identity import Identity
from redactor.normal_text import is_han, key
from redactor.page import Image, Kind

if TYPE_CHECKING:
    from redactor.finders.seal_rings import Ellipse
    from redactor.finders.seals import SealRegion
    from redactor.reading import Reader

INNER, OUTER = 0.58, 0.99
"""Share of the radius between which ring text stands, the ring's line left out."""
STRIP_HEIGHT = 56
"""Pixels; the recogniser works at 48."""
TEXT_AT = 0.8
"""Share of the radius at which the text's middle is taken to be, for its length."""
BORDER = 20
"""White pixels around a strip: the detector misses text that touches the edge."""
STARTS = (90.0, 270.0)
"""Degrees clockwise from the right at which strips start: the foot, where names rarely stand, and
the head for seals stamped upside down."""
SURE_LINE = 0.6
"""Lines read with less than this mean probability count as not read."""
WRONG_SHARE, DOUBTFUL_SHARE = 0.15, 0.25
"""Characters of a unit that may differ, also when the two copies of a strip are read differently:
looser than on lines, because curved text is read worse."""
READABLE, READABLE_ROWS = 4, 6
"""Fewer Chinese characters than this, in a ring or in rows, tell nobody whose seal it is."""
FRAGMENT = 4
"""So many characters in a row that stand in a unit's name make a broken reading suspicious."""
PIECE_SHARE = 0.2
"""Characters of such a piece that may be misread."""
AGREEING = 0.85
"""Share of the characters in which the two copies of a strip must agree to be believed."""


def seal_strips(pixels: Image, region: SealRegion) -> Iterator[tuple[Image, bool]]:
    """(picture of a seal's text, straight and upright; whether it is rows), most telling first.

    For round and oval seals the ring unwound at two starts; for all but round, the rows.
    """
    if region.ellipse is not None:
        for start in STARTS:
            yield _framed(_ink_only(_unwound(pixels, region.ellipse, start), region.ink)), False
    if region.shape != "round":
        yield _framed(_ink_only(_straight(pixels, region), region.ink)), True


def picture_strips(pixels: Image, region: SealRegion) -> Iterator[tuple[Image, bool]]:
    """Like `seal_strips`, the pixels as they are and the ring unwound once."""
    if region.ellipse is not None:
        yield _framed(_unwound(pixels, region.ellipse, STARTS[0])), False
    if region.shape != "round":
        yield _framed(_straight(pixels, region)), True


def read_strip(reader: Reader, strip: Image) -> str:
    """The lines of a strip, row by row, joined by spaces; doubtful lines are left out."""
    quads = reader.detect(strip)
    tall = float(np.median([geometry.height(q) for q in quads])) if quads else 1.0
    quads.sort(key=lambda q: (round(float(q[:, 1].mean()) / tall), float(q[:, 0].min())))
    lines = reader.read_lines(strip, quads)
    return " ".join(line.text for line in lines if line.score >= SURE_LINE)


def names_unit(text: str, identity: Identity) -> str:
    """The unit of an identity that a seal's text fits, "" for none.

    `text` may hold the same name twice and may start in its middle.
    """
    read = _han(text)
    share = WRONG_SHARE if agreement(text) >= AGREEING else DOUBTFUL_SHARE
    for term in identity.of(Kind.UNIT):
        wanted = _han(term.text)
        allowed = max(1, round(share * len(wanted))) if len(wanted) > 4 else 0
        if len(wanted) >= 2 and _holds(read, wanted, allowed):
            return term.text
    return ""


def agreement(text: str) -> float:
    """How far a text repeats itself, 0..1: the two copies of a strip that was read well do."""
    read = _han(text)
    shares = [
        sum(a == b for a, b in zip(read, read[shift:], strict=False)) / (len(read) - shift)
        for shift in range(READABLE, len(read) - READABLE + 1)
    ]
    return max(shares, default=0.0)


def readable(text: str, rows: bool) -> bool:
    """Whether enough was read to say whose seal it is; `rows`: not a strip, which repeats."""
    if rows:
        return len(_han(text)) >= READABLE_ROWS
    return agreement(text) >= AGREEING


def suspicious(text: str, identity: Identity) -> bool:
    """Whether all that was read may be a piece of one of the applicant's units."""
    pieces = [piece for piece in map(_han, text.split()) if len(piece) >= FRAGMENT]
    units = [_han(term.text) for term in identity.of(Kind.UNIT)]
    return any(
        bool(pieces) and all(_holds(unit, p, round(PIECE_SHARE * len(p))) for p in pieces)
        for unit in units
    )


def _han(text: str) -> str:
    return "".join(c for c in key(text) if is_han(c))


def _holds(text: str, wanted: str, allowed: int) -> bool:
    """Whether `wanted` stands in `text` with at most `allowed` characters different."""
    if wanted in text:
        return True
    for size in range(len(wanted) - allowed, len(wanted) + allowed + 1):
        for start in range(len(text) - size + 1):
            window = text[start : start + size]
            if Levenshtein.distance(window, wanted, score_cutoff=allowed) <= allowed:
                return True
    return False


def _unwound(pixels: Image, ellipse: Ellipse, start: float) -> Image:
    """The ring's text as a strip, clockwise from `start`, tops up, twice in a row."""
    (cx, cy), (a, b), turn = ellipse
    length = round(STRIP_HEIGHT * 2 * math.pi * TEXT_AT / (OUTER - INNER))
    tilt = math.radians(turn)
    t = math.radians(start) - tilt + np.arange(length) * 2 * np.pi / length
    shares = np.linspace(OUTER, INNER, STRIP_HEIGHT)[:, None]
    along, across = a / 2 * np.cos(t)[None, :] * shares, b / 2 * np.sin(t)[None, :] * shares
    xs = cx + along * math.cos(tilt) - across * math.sin(tilt) - 0.5
    ys = cy + along * math.sin(tilt) + across * math.cos(tilt) - 0.5
    strip = cv2.remap(
        pixels, xs.astype(np.float32), ys.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(255, 255, 255),
    )  # fmt: skip
    return np.asarray(np.hstack([strip, strip]), np.uint8)


def _straight(pixels: Image, region: SealRegion) -> Image:
    """The seal's box turned upright."""
    w = max(8, round(geometry.width(region.quad)))
    h = max(8, round(geometry.height(region.quad)))
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(region.quad.astype(np.float32), target)
    white = (255, 255, 255)
    return np.asarray(
        cv2.warpPerspective(
            pixels, matrix, (w, h), borderMode=cv2.BORDER_CONSTANT, borderValue=white
        ),
        np.uint8,
    )


def _ink_only(picture: Image, ink: str) -> Image:
    """Black where the seal's own ink is: print under a coloured seal fades."""
    channels = picture.astype(np.int16)
    blue, green, red = channels[:, :, 0], channels[:, :, 1], channels[:, :, 2]
    if ink == "red":
        strength = red - np.maximum(green, blue)
    elif ink == "other":
        strength = blue - np.minimum(red, green)
    else:
        strength = 255 - channels.min(axis=2)
    low, high = np.percentile(strength, 40), np.percentile(strength, 97)
    full = max(float(high - low), 24.0)
    grey = 255 - np.clip((strength - low) * (255 / full), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _framed(picture: Image) -> Image:
    return np.asarray(
        cv2.copyMakeBorder(
            picture, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        ),
        np.uint8,
    )

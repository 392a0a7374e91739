"""Measures whether a scan is good enough, so that the office can send a bad one back in time.

The flags ask for a person's look or a new scan; they never decide about masking. What each one
means to the applicant says redactor/quality_advice.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from redactor.channels import Grey, brightest
from redactor.geometry import bounds, height, width
from redactor.page import Image, Line, Reading
from redactor.reduction import halved, reduced

BLURRED_BELOW = 0.50
"""Sharpness under which strokes of small text run together (see tests/redactor/test_quality.py)."""
BLURRED_PHOTO_BELOW = 0.25
"""The same for a page without text: skin and hair have soft edges, a sharp portrait 0.40 and up."""
DARK_PAPER_BELOW = 110
"""Level of the paper (the brightest tenth of the page); a white sheet has 200 to 255, and so has
a red or blue cover, of which the brightest channel counts."""
FAINT_INK_ABOVE = 150
"""Grey level of the darkest ink; print has 0 to 90, washed-out print loses its thin strokes."""
SMALL_TEXT_BELOW = 14.0
"""Median line height in pixels; Chinese characters need about 12 pixels to be told apart."""
LOW_DPI_BELOW = 100.0
"""Pixels per inch at which 10.5 point text is 15 pixels high."""
SHORT_SIDE_BELOW = 400
"""Pixels on the short side under which no page of text fits."""
PHOTO_SIDE_BELOW = 200
"""The same for a page without text: a one-inch photo at 200 dpi is 197 x 276 pixels."""
BLANK_INK_BELOW = 0.0003
"""Share of the page that is ink: on A4 a dozen small characters."""
CROPPED_LINES = 3
"""Lines that touch the same edge; one or two may be a stamp or a scanner's shadow."""
CROPPED_WIDTH = 0.25
"""Share of the page's width that text cut by the upper or lower edge covers."""
LEGIBLE = 0.8
"""Mean character probability from which a line was read, and so proves how the page lies."""
TURNED_CHARACTERS = 8
"""Legible characters from which the direction of the page is proven."""
NEGATIVE_PAPER_BELOW = 100
"""Level of the paper of a page with light print on dark paper; a red cover has 120 and more."""
NEGATIVE_INK = (0.003, 4.0)
"""Least share of marks much lighter than their surroundings, and how often more than dark ones."""
CAST_ABOVE, CAST_LINES = 0.45, 8
"""Saturation (0..1) of the paper under this many legible lines. Coloured forms have up to 0.35,
a lamp's light on white paper 0.2 to 0.4; covers and plaques are saturated but hold few lines."""

FLAGS = (
    "blurred",
    "dark",
    "overexposed",
    "small",
    "blank",
    "cropped",
    "upside_down",
    "sideways",
    "negative",
    "colour_cast",
)

_LONG_SIDE = 1600
_NOISE = 12.0
_INK_STEP = 30
_NEGATIVE_STEP = 60


@dataclass(frozen=True)
class Quality:
    """`sharpness`: 0 (flat) to 1 (every edge one pixel wide). `dpi`: pixels per inch.

    `flags`: of FLAGS, in that order. `figures`: what the flags were decided on: paper and ink
    (levels 0..255), ink_share (0..1), saturation (of the paper, 0..1), width and height (pixels);
    with a reading also rotation (degrees clockwise that turned the page upright) and text_height
    (pixels).
    """

    sharpness: float
    dpi: float
    flags: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


def quality_values(quality: Quality) -> dict[str, Any]:
    """The page's "quality" in report.json (CONTRACT.md), with the figures beside the flags."""
    return {
        "sharpness": round(quality.sharpness, 3),
        "dpi": round(quality.dpi),
        "flags": list(quality.flags),
        "figures": dict(quality.figures),
    }


def quality_of(values: Mapping[str, Any]) -> Quality:
    """The inverse of `quality_values`; a page without figures, as a failed one, has none."""
    return Quality(
        float(values.get("sharpness", 0.0)),
        float(values.get("dpi", 0.0)),
        tuple(values.get("flags", ())),
        dict(values.get("figures", {})),
    )


def assess(pixels: Image, dpi: float, reading: Reading | None = None) -> Quality:
    """Quality of a page (H, W, 3). `reading`, when given, must be of the same page upright.

    Only with a reading are text height, cut-off lines, direction and colour cast judged. A grey
    copy is no fault: the notices accept copies, and nothing on the page tells what it was made of.
    """
    rows, columns = pixels.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(rows, columns))
    few, rest = halved(pixels, scale)
    small = reduced(few, rest / 2)  # Only the tone of larger parts is asked of the colours.
    grey = np.asarray(cv2.cvtColor(few, cv2.COLOR_BGR2GRAY), np.uint8)
    if rest < 1.0:
        grey = np.asarray(
            cv2.resize(grey, None, fx=rest, fy=rest, interpolation=cv2.INTER_AREA), np.uint8
        )
    light = brightest(small)
    ink_share = _ink_share(grey)
    paper, ink = _level(light, 0.9), _level(grey, 0.003)
    sharp = sharpness(grey)
    lines = [x for x in reading.lines if x.layer == "ink"] if reading is not None else []
    blank = ink_share < BLANK_INK_BELOW and not lines
    heights = [min(height(line.quad), width(line.quad)) for line in lines]
    text_height = float(np.median(heights)) if heights else None
    legible = [line for line in lines if line.score >= LEGIBLE]
    rotation = _proven_rotation(reading.rotation, legible) if reading is not None else 0
    saturation = _saturation(small, paper)
    textless = reading is not None and not lines
    negative = not textless and _is_negative(grey, light)
    softest = BLURRED_PHOTO_BELOW if textless else BLURRED_BELOW
    raised = {
        "blurred": not blank and sharp < softest,
        "dark": paper < DARK_PAPER_BELOW and not negative,
        "overexposed": not blank and ink > FAINT_INK_ABOVE,
        "small": _is_small(dpi, min(rows, columns), text_height, reading is not None),
        "blank": blank,
        "cropped": reading is not None and _is_cropped(lines, reading.size),
        "upside_down": rotation == 180,
        "sideways": rotation in (90, 270),
        "negative": negative,
        "colour_cast": saturation > CAST_ABOVE and len(legible) >= CAST_LINES,
    }
    figures: dict[str, float] = {
        "paper": round(paper),
        "ink": round(ink),
        "ink_share": round(ink_share, 5),
        "saturation": round(saturation, 2),
        "width": columns,
        "height": rows,
    }
    if reading is not None:
        figures["rotation"] = rotation
    if text_height is not None:
        figures["text_height"] = round(text_height, 1)
    flags = tuple(flag for flag in FLAGS if raised[flag])
    return Quality(round(sharp, 3), round(float(dpi), 1), flags, figures)


def sharpness(grey: npt.NDArray[np.uint8]) -> float:
    """Share of the edge contrast that a blur of 9 pixels takes away, 0..1.

    A blurred edge loses little by another blur. Independent of contrast and of how much is on the
    page. Method: Crete et al., "The blur effect", SPIE 6492 (2007), with steps below the noise of
    a scanner left out, the softer of the two directions counting.
    """
    values = grey.astype(np.float32)
    shares = []
    for start, end, kernel in (
        (np.s_[:, :-1], np.s_[:, 1:], (9, 1)),
        (np.s_[:-1], np.s_[1:], (1, 9)),
    ):
        step = cv2.absdiff(values[end], values[start])
        blurred = cv2.blur(values, kernel)
        lost = cv2.subtract(step, cv2.absdiff(blurred[end], blurred[start]))
        _, edge = cv2.threshold(step, _NOISE, 1.0, cv2.THRESH_BINARY)
        total = float(cv2.multiply(step, edge).sum())
        if total > 0:
            shares.append(float(cv2.multiply(np.maximum(lost, 0.0), edge).sum()) / total)
    return min(shares) if shares else 0.0


def _ink_share(grey: npt.NDArray[np.uint8]) -> float:
    """Share of pixels that differ from the paper around them, the outer 2 % left out."""
    paper = cv2.medianBlur(cv2.resize(grey, None, fx=0.25, fy=0.25), 15)
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]))
    marked = cv2.absdiff(cv2.medianBlur(grey, 3), paper) > _INK_STEP
    y, x = (max(1, side // 50) for side in grey.shape)
    return float(marked[y:-y, x:-x].mean())


def _is_small(dpi: float, short_side: int, text_height: float | None, was_read: bool) -> bool:
    """Whether details are lost: told by the text where there is any, else by the pixels.

    The resolution is often only guessed from the paper's usual size, so text goes first.
    """
    if text_height is not None:
        return text_height < SMALL_TEXT_BELOW
    if was_read:
        return short_side < PHOTO_SIDE_BELOW
    return dpi < LOW_DPI_BELOW or short_side < SHORT_SIDE_BELOW


def _is_cropped(lines: Sequence[Line], size: tuple[int, int]) -> bool:
    """Whether the page's edge runs through its text.

    The left and right edge cut many lines; the upper and lower edge cut one, all along.
    """
    columns, rows = size
    near = max(2.0, 0.003 * min(columns, rows))
    touching = np.zeros(4, dtype=int)
    across = np.zeros(2)
    for line in lines:
        x0, y0, x1, y1 = bounds(line.quad)
        cut = np.array([x0 < near, x1 > columns - near, y0 < near, y1 > rows - near])
        touching += cut
        across += cut[2:] * (x1 - x0)
    return bool(touching.max() >= CROPPED_LINES or across.max() > CROPPED_WIDTH * columns)


def _proven_rotation(rotation: int, legible: Sequence[Line]) -> int:
    """Degrees that turned the page upright, 0 when too little was read to be sure of it."""
    enough = sum(len(line.chars) for line in legible) >= TURNED_CHARACTERS
    return rotation if enough else 0


def _level(grey: Grey, share: float) -> float:
    """The level, 0..255, up to which this share of the pixels goes."""
    counts = cv2.calcHist([grey], [0], None, [256], [0.0, 256.0])
    return float(np.searchsorted(np.cumsum(counts), share * grey.size))


def _saturation(pixels: Image, paper: float) -> float:
    """Saturation of the paper, 0 (white, grey) to 1: one minus the weakest channel's share."""
    coarse = np.asarray(cv2.resize(pixels, None, fx=0.25, fy=0.25), np.uint8)
    sheet = coarse[np.abs(brightest(coarse).astype(np.float32) - paper) <= 12]
    if not len(sheet):
        return 0.0
    low, high = (float(v) for v in np.percentile(sheet.mean(axis=0), (0, 100)))
    return 1.0 - low / high if high > 1 else 0.0


def _is_negative(grey: Grey, light: Grey) -> bool:
    """Whether light print stands on dark paper: a scan with its tones turned round."""
    if _level(light, 0.5) >= NEGATIVE_PAPER_BELOW:
        return False
    around = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.medianBlur(around, 15), (grey.shape[1], grey.shape[0]))
    lighter = float((cv2.subtract(grey, around) > _NEGATIVE_STEP).mean())
    darker = float((cv2.subtract(around, grey) > _NEGATIVE_STEP).mean())
    least, ratio = NEGATIVE_INK
    return lighter > least and lighter > ratio * darker

"""Measures whether a scan is good enough, so that the office can send a bad one back in time.

The flags ask for a person's look or a new scan; they never decide about masking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from redactor.errors import Sentence
from redactor.geometry import bounds, height
from redactor.page import Image, Reading

BLURRED_BELOW = 0.50
"""Sharpness under which strokes of small text run together (see tests/redactor/test_quality.py)."""
DARK_PAPER_BELOW = 110
"""Grey level of the paper (the brightest tenth of the page); a white sheet has 200 to 255."""
FAINT_INK_ABOVE = 150
"""Grey level of the darkest ink; print has 0 to 90, washed-out print loses its thin strokes."""
SMALL_TEXT_BELOW = 14.0
"""Median line height in pixels; Chinese characters need about 12 pixels to be told apart."""
LOW_DPI_BELOW = 100.0
"""Pixels per inch at which 10.5 point text is 15 pixels high."""
SHORT_SIDE_BELOW = 400
"""Pixels on the short side under which no page of text fits."""
BLANK_INK_BELOW = 0.0003
"""Share of the page that is ink: on A4 a dozen small characters."""
CROPPED_LINES = 3
"""Lines that touch the same edge; one or two may be a stamp or a scanner's shadow."""

FLAGS = ("blurred", "dark", "overexposed", "small", "blank", "cropped")

_LONG_SIDE = 1600
_NOISE = 12.0
_INK_STEP = 30


@dataclass(frozen=True)
class Quality:
    """`sharpness`: 0 (flat) to 1 (every edge one pixel wide). `dpi`: pixels per inch.

    `flags`: of FLAGS, in that order. `figures`: what the flags were decided on: paper and ink
    (grey levels 0..255), ink_share (0..1), text_height (pixels, only with a reading), width and
    height (pixels).
    """

    sharpness: float
    dpi: float
    flags: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


def assess(pixels: Image, dpi: float, reading: Reading | None = None) -> Quality:
    """Quality of a page (H, W, 3). `reading`, when given, must be of the same page upright.

    Only with a reading are text height and cut-off lines judged.
    """
    rows, columns = pixels.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(rows, columns))
    whole = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    shrunk = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = np.asarray(shrunk, dtype=np.uint8)
    ink_share = _ink_share(grey)
    paper, ink = (float(v) for v in np.percentile(grey, (90, 0.3)))
    sharp = sharpness(grey)
    lines = reading.lines if reading is not None else ()
    blank = ink_share < BLANK_INK_BELOW and not lines
    heights = [min(height(line.quad), height(line.quad.take([1, 2, 3, 0], 0))) for line in lines]
    text_height = float(np.median(heights)) if heights else None
    small_text = text_height is not None and text_height < SMALL_TEXT_BELOW
    raised = {
        "blurred": not blank and sharp < BLURRED_BELOW,
        "dark": paper < DARK_PAPER_BELOW,
        "overexposed": not blank and ink > FAINT_INK_ABOVE,
        "small": dpi < LOW_DPI_BELOW or min(rows, columns) < SHORT_SIDE_BELOW or small_text,
        "blank": blank,
        "cropped": reading is not None and _is_cropped(reading),
    }
    figures = {
        "paper": round(paper),
        "ink": round(ink),
        "ink_share": round(ink_share, 5),
        "width": columns,
        "height": rows,
    }
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
    for axis, kernel in ((1, (9, 1)), (0, (1, 9))):
        step = np.abs(np.diff(values, axis=axis))
        softer = np.abs(np.diff(cv2.blur(values, kernel), axis=axis))
        edge = step > _NOISE
        total = float(step[edge].sum())
        if total > 0:
            lost = np.maximum(0.0, step[edge] - softer[edge])
            shares.append(float(lost.sum()) / total)
    return min(shares) if shares else 0.0


def advice(quality: Quality) -> tuple[Sentence, ...]:
    """One sentence per flag for the applicant: what is wrong, with the figure, and the remedy."""
    return tuple(_advice(flag, quality) for flag in quality.flags)


def _advice(flag: str, quality: Quality) -> Sentence:
    figures = quality.figures
    sentences = {
        "blurred": Sentence(
            f"图像模糊（清晰度 {quality.sharpness:.2f}，应不低于 {BLURRED_BELOW:.2f}）。"
            "请放平并对焦后重新扫描。",
            f"The picture is blurred (sharpness {quality.sharpness:.2f}, at least"
            f" {BLURRED_BELOW:.2f} is needed). Lay it flat, focus and scan it again.",
        ),
        "dark": Sentence(
            f"图像太暗（纸面亮度 {figures.get('paper', 0):.0f}，应不低于 {DARK_PAPER_BELOW}）。"
            "请在光线充足处重新拍摄或扫描。",
            f"The picture is too dark (paper at {figures.get('paper', 0):.0f}, at least"
            f" {DARK_PAPER_BELOW} is needed). Scan it again in better light.",
        ),
        "overexposed": Sentence(
            f"字迹太浅（墨色亮度 {figures.get('ink', 255):.0f}，应不高于 {FAINT_INK_ABOVE}）。"
            "请降低曝光或亮度后重新扫描。",
            f"The print is washed out (ink at {figures.get('ink', 255):.0f}, at most"
            f" {FAINT_INK_ABOVE} is needed). Scan it again with less exposure.",
        ),
        "small": Sentence(
            f"分辨率太低（{figures.get('width', 0):.0f} × {figures.get('height', 0):.0f} 像素，"
            f"约 {quality.dpi:.0f} dpi）。请以 200 至 300 dpi 重新扫描。",
            f"The resolution is too low ({figures.get('width', 0):.0f} x"
            f" {figures.get('height', 0):.0f} pixels, about {quality.dpi:.0f} dpi)."
            " Scan it again at 200 to 300 dpi.",
        ),
        "blank": Sentence(
            "页面空白。请检查是否放反，重新扫描有内容的一面，或删除此页。",
            "The page is blank. Scan the side with the content, or remove the page.",
        ),
        "cropped": Sentence(
            "页面边缘的文字被裁掉。请放正后完整扫描。",
            "Text at the edge of the page is cut off. Place it straight and scan all of it.",
        ),
    }
    return sentences[flag]


def _ink_share(grey: npt.NDArray[np.uint8]) -> float:
    """Share of pixels that differ from the paper around them, the outer 2 % left out."""
    paper = cv2.medianBlur(cv2.resize(grey, None, fx=0.25, fy=0.25), 15)
    paper = cv2.resize(paper, (grey.shape[1], grey.shape[0]))
    marked = cv2.absdiff(cv2.medianBlur(grey, 3), paper) > _INK_STEP
    y, x = (max(1, side // 50) for side in grey.shape)
    return float(marked[y:-y, x:-x].mean())


def _is_cropped(reading: Reading) -> bool:
    columns, rows = reading.size
    near = max(2.0, 0.003 * min(columns, rows))
    touching = np.zeros(4, dtype=int)
    for line in reading.lines:
        x0, y0, x1, y1 = bounds(line.quad)
        touching += np.array([x0 < near, y0 < near, x1 > columns - near, y1 > rows - near])
    return bool(touching.max() >= CROPPED_LINES)

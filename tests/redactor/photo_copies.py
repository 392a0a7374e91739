"""One drawn portrait and what copies of it look like, for the tests of photos found again."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders.pictures import Picture
from redactor.page import Image
from sample_scans.canvas import Canvas
from sample_scans.fonts import Fonts
from sample_scans.marks import portrait

DPI = 200
_LEFT, _TOP, _WIDE = 15.0, 20.0, 26.0
"""Where the portrait is on its good page, mm."""


def _drawn() -> tuple[Image, npt.NDArray[np.float64]]:
    canvas = Canvas(Fonts(debian=False), Random(3), DPI, 60, 80)
    portrait(canvas, _LEFT, _TOP, _WIDE, 1, grey=False)
    pixels = np.ascontiguousarray(np.asarray(canvas.image, np.uint8)[:, :, ::-1])
    return pixels, np.array(canvas.faces[0].centres, np.float64)


_PAGE, EYES = _drawn()
"""A good colour page with the portrait, and where its eyes are."""
_PX = DPI / 25.4
_BOX = (round(_LEFT * _PX), round(_TOP * _PX), round(_WIDE * _PX), round(_WIDE * 1.4 * _PX))
PHOTO = _PAGE[_BOX[1] : _BOX[1] + _BOX[3], _BOX[0] : _BOX[0] + _BOX[2]]


def good_page() -> Image:
    """The page on which the face is found."""
    return _PAGE.copy()


def pasted(
    size: float, turn: float, x: float, y: float
) -> tuple[Image, npt.NDArray[np.float64], Picture]:
    """(a white page with the photo `size` times as large, `turn` degrees clockwise, at shares of
    the room; its eyes; its box)."""
    height, width = PHOTO.shape[:2]
    cos, sin = np.cos(np.radians(turn)) * size, np.sin(np.radians(turn)) * size
    turned = np.array([[cos, -sin], [sin, cos]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ turned.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    shift = (np.array([800.0, 1000.0]) - (high - low)) * (x, y) - low
    matrix = np.column_stack([turned, shift])
    way = cv2.INTER_AREA if size < 1 else cv2.INTER_LINEAR
    page = cv2.warpAffine(PHOTO, matrix, (800, 1000), flags=way, borderValue=(255, 255, 255))
    x0, y0, x1, y1 = (round(float(v)) for v in (*(low + shift), *(high + shift)))
    eyes = (EYES - _BOX[:2]) @ turned.T + shift
    return np.asarray(page, np.uint8), eyes, Picture(x0, y0, x1, y1, 1.0)


def copied(page: Image, way: str) -> Image:
    """The page after a copier, a fax, a dim lamp."""
    grey = cv2.GaussianBlur(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), (0, 0), 0.7).astype(np.float32)
    noise = np.random.default_rng(4).normal(0, 4, grey.shape)
    copy = {
        "black on white": (grey > 128) * 255.0,
        "few blacks": (grey + noise > 72) * 255.0,
        "few whites": (grey + noise > 180) * 255.0,
        "dim": grey * 0.3 + noise,
        "pale": 255 - (255 - grey) * 0.2 + noise,
        "blurred": cv2.GaussianBlur(grey, (0, 0), 2.5) + noise,
        "grey": grey + noise,
    }[way]
    done = np.clip(copy, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(done, cv2.COLOR_GRAY2BGR), np.uint8)

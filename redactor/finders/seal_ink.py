"""Takes a page apart into the inks of seals, on a sheet small enough to be quick."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.channels import brightest, darkest
from redactor.page import Image

WORKING_SIDE = 1280
"""Longest side of the sheet on which seals are sought, pixels."""
FINEST_MM = 5.0
"""Pixels per mm beyond which the sheet is reduced further: a seal's ring is 0.6 to 2 mm wide."""
NEARLY = 0.25
"""What a reduction may lack to a whole number and still be rounded up to it."""
RED_SHARE, RED_STEP = 0.16, 16
"""Red ink: R exceeds G and B by this share of R and by this many grey levels, paper balanced."""
ORANGE, PURPLE = 0.38, 0.75
"""How far a red may lean to yellow and to blue, share of its excess: 23 and 45 degrees of hue."""
LARGEST_GAIN = 1.3
"""A stronger colour cast of the paper than this is the paper's own colour (a red cover)."""
MASS_MM = 6.0
"""Ink that holds a square this wide is no stroke: a portrait's background, a shaded cell."""
THIN_MM, WIDEST_PICTURE_MM, TONE = 5.0, 60.0, 30
"""Where the page without its strokes of up to `THIN_MM` is this many grey levels darker than the
paper around, for less than `WIDEST_PICTURE_MM`, there is a picture, a bar or the desk. Slanting
light does not count: a slope is no valley."""
PAPER_MM = 8.0
"""Paper is looked for within about this distance of a pixel."""

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A reduced page. `scale`: its pixels per page pixel. `per_mm`: its pixels per mm.

    `dark`: how much darker than the paper around it the darkest channel is, 0..255.
    `red`: 255 on strokes of red ink. `blue`: 255 on strokes of blue ink. `tint`: how far apart the
    brightest and the darkest channel are, the paper's own cast taken off; 0 on black print.
    `pictures`: 255 where tones and no strokes are, so that a ring or frame there proves nothing.
    """

    scale: float
    per_mm: float
    dark: Grey
    red: Grey
    blue: Grey
    tint: Grey
    pictures: Grey

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in sheet pixels."""
        return self.dark.shape[1], self.dark.shape[0]


def sheet_of(pixels: Image, dpi: float) -> Sheet:
    """The sheet of a page; `dpi` is that of `pixels`."""
    per_mm = max(dpi, 20.0) / 25.4
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]), FINEST_MM / per_mm)
    small, scale = _reduced(pixels, scale)
    per_mm *= scale
    red = blue = tint = np.zeros(small.shape[:2], np.uint8)
    grey = darkest(small)
    if cv2.minMaxLoc(cv2.subtract(brightest(small), grey))[1] > RED_STEP:
        balanced = _balanced(small)
        tint = np.asarray(cv2.subtract(brightest(balanced), darkest(balanced)), np.uint8)
        red = _strokes(_tinted(balanced, 2, 1, 0), per_mm)
        blue = _strokes(_tinted(balanced, 0, 1, 2), per_mm)
    dark, pictures = _darkness(grey, per_mm), _pictures(grey, per_mm)
    return Sheet(scale, per_mm, dark, red, blue, tint, pictures)


def _reduced(pixels: Image, scale: float) -> tuple[Image, float]:
    """(the page reduced to about `scale`, its true scale).

    cv2 averages whole pixels in a tenth of the time that other shares take, so that near a whole
    number the sheet is up to an eighth smaller; else the rest is interpolated.
    """
    times = max(1, math.floor(1 / scale + NEARLY))
    if times > 1:
        height, width = (n // times for n in pixels.shape[:2])
        whole = pixels[: height * times, : width * times]
        pixels = np.asarray(
            cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    rest = scale * times
    if rest >= 1.0:
        return pixels, 1 / times
    return np.asarray(cv2.resize(pixels, None, fx=rest, fy=rest), np.uint8), scale


def square(side: float) -> Grey:
    """A structuring element about `side` pixels wide, odd, at least 1."""
    size = max(1, round(side) | 1)
    return np.ones((size, size), np.uint8)


def disc(diameter: float) -> Grey:
    """A round structuring element, odd, at least 1 pixel wide."""
    size = max(1, round(diameter) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _balanced(pixels: Image) -> Image:
    """The paper's own tint (warm light, yellowed sheets) turned to neutral."""
    few = np.ascontiguousarray(pixels[::6, ::6])
    top = brightest(few)
    bright = few[top >= np.percentile(top, 60)]
    paper = np.median(bright, axis=0).clip(1)
    gains = np.clip(paper.max() / paper, 1.0, LARGEST_GAIN)
    if gains.max() < 1.02:
        return pixels
    table = np.clip(np.arange(256)[:, None] * gains[None, :], 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table[:, None, :]), np.uint8)


def _tinted(pixels: Image, own: int, nearer: int, other: int) -> Grey:
    """255 where channel `own` stands out; `nearer` may come closer on one side of the hue circle
    (orange for red), `other` on its other side."""
    channels = cv2.split(pixels)
    excess = cv2.subtract(channels[own], cv2.max(channels[nearer], channels[other]))
    mask = np.asarray(cv2.threshold(excess, RED_STEP, 255, cv2.THRESH_BINARY)[1], np.uint8)
    if not cv2.countNonZero(mask):
        return mask
    columns, rows = cv2.findNonZero(mask)[:, 0, :].T
    most, near, far = (channels[c][rows, columns].astype(np.float32) for c in (own, nearer, other))
    reach = most - np.minimum(near, far)
    kept = most - np.maximum(near, far) > RED_SHARE * most
    kept &= (near - far <= ORANGE * reach) & (far - near <= PURPLE * reach)
    mask[rows, columns] = np.where(kept, np.uint8(255), np.uint8(0))
    return mask


def _strokes(mask: Grey, per_mm: float) -> Grey:
    """The mask without its masses."""
    if not cv2.countNonZero(mask):
        return mask
    masses = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square(MASS_MM * per_mm))
    if not cv2.countNonZero(masses):
        return mask
    return np.asarray(cv2.subtract(mask, cv2.dilate(masses, square(1.5 * per_mm))), np.uint8)


def _pictures(grey: Grey, per_mm: float) -> Grey:
    """255 on portraits, bars and the desk around a photographed sheet."""
    fine = min(1.0, 1.6 / per_mm)
    tiny = cv2.resize(grey, None, fx=fine, fy=fine, interpolation=cv2.INTER_AREA)
    bare = cv2.morphologyEx(tiny, cv2.MORPH_CLOSE, square(THIN_MM * per_mm * fine))
    coarse = cv2.resize(bare, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = square(WIDEST_PICTURE_MM * per_mm * fine / 4)
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, side)
    around = cv2.resize(paper, bare.shape[::-1], interpolation=cv2.INTER_LINEAR)
    tone = cv2.threshold(cv2.subtract(around, bare), TONE, 255, cv2.THRESH_BINARY)[1]
    masses = cv2.morphologyEx(tone, cv2.MORPH_OPEN, square(4.0 * per_mm * fine))
    grown = cv2.dilate(masses, square(1.5 * per_mm * fine))
    return np.asarray(
        cv2.resize(grown, grey.shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8
    )


def _darkness(grey: Grey, per_mm: float) -> Grey:
    """Paper minus the darkest channel, so that red and blue ink count like black; no masses."""
    eighth = cv2.resize(grey, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(eighth, cv2.MORPH_CLOSE, square(PAPER_MM * per_mm / 8))
    smooth = cv2.GaussianBlur(closed, (0, 0), 1.5)
    paper = cv2.resize(smooth, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    dark = np.asarray(cv2.subtract(paper, grey), np.uint8)
    ink = np.asarray(cv2.threshold(dark, 14, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return np.asarray(cv2.bitwise_and(dark, _strokes(ink, per_mm)), np.uint8)

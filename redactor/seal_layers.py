"""Makes print under the seals of a grey copy readable, where no colour tells one from the other."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import brightest, darkest
from redactor.finders.seals import SealRegion
from redactor.layers import COLOURED, Layer
from redactor.page import Image

MOST_COLOUR = 0.002
"""Share of coloured pixels of a page that counts as grey."""
ABOVE_BLACK, SPAN = 15, 50
"""Grey levels: print is at most the first above the darkest ink, and what is SPAN above that is
paper. On two copies with a unit under a seal 30, 40 and 60 read every character."""


def is_grey(pixels: Image) -> bool:
    """Whether a page is a grey copy: some colour may stand on it, a stamp may not."""
    quarter = cv2.resize(pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small: Image = np.asarray(quarter, np.uint8)
    coloured = (cv2.subtract(brightest(small), darkest(small)) > COLOURED).mean()
    return bool(coloured <= MOST_COLOUR)


def seal_layers(pixels: Image, seals: Iterable[SealRegion]) -> list[Layer]:
    """A layer for each of the `seals` of a grey page, a seal's width wider on both sides."""
    layers = []
    for seal in seals:
        x0, y0, x1, y1 = (round(v) for v in geometry.bounds(seal.quad))
        left, top = max(0, x0 - (x1 - x0)), max(0, y0)
        part = brightest(pixels[top:y1, left : x1 + (x1 - x0)]).astype(np.float32)
        black = float(np.percentile(part, 0.3)) + ABOVE_BLACK
        print_ = np.clip((part - black) * (255 / SPAN), 0, 255).astype(np.uint8)
        picture = np.asarray(cv2.cvtColor(print_, cv2.COLOR_GRAY2BGR), np.uint8)
        layers.append(Layer("lifted", picture, (left, top)))
    return layers

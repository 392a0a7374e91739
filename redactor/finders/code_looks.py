"""Tells by looks whether a dense block is a code, for codes that no reader can decode.

Nineteen measures of a block (dark share, evenness, edge directions, colour changes, quiet zone) go
through a small neural network: one hidden layer, fitted by benchmarks/fit_codes.py to drawn codes
against print, handwriting, tables and pictures. Its numbers are in redactor/data/code_looks.json.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import resources
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders.code_texture import Block, Grey, cut_out
from redactor.geometry import grown, height, width

QUIET = 0.2
"""Width of the ring around a block that is looked at, too, as a share of its smaller side."""
LARGEST = 200
"""Longest side in pixels at which a block is measured."""
COUNTS = (10, 11, 15, 16)
"""Places of counts and sizes among the measures: their logarithm is taken."""

Measures = npt.NDArray[np.float64]
"""(N, 19) float, one row for each block."""


class Network(NamedTuple):
    """Weights of the hidden layer (19, H) and the output layer (H, 1) with their biases."""

    hidden: npt.NDArray[np.float64]
    hidden_bias: npt.NDArray[np.float64]
    output: npt.NDArray[np.float64]
    output_bias: npt.NDArray[np.float64]

    def likelihood(self, scaled: Measures) -> npt.NDArray[np.float64]:
        """(N,) what the network says to scaled measures, 0..1."""
        hidden = np.maximum(scaled @ self.hidden + self.hidden_bias, 0.0)
        output = hidden @ self.output + self.output_bias
        return np.asarray(1.0 / (1.0 + np.exp(-output[:, 0])))


def likelihood(measures: Measures) -> npt.NDArray[np.float64]:
    """(N,) how much each block looks like a code, 0..1."""
    return _network().likelihood(scaled(measures))


def scaled(measures: Measures) -> Measures:
    """Measures as the network takes them."""
    result = np.array(measures, dtype=np.float64)
    result[:, COUNTS] = np.log1p(result[:, COUNTS])
    return result


def measure(grey: Grey, block: Block, scale: float) -> list[float] | None:
    """The 19 measures of a block of a page; None when it is too small or of one colour.

    `scale`: as in code_texture.blocks, so that sizes are those of the working page.
    """
    low = min(width(block.quad), height(block.quad))
    pad = QUIET * low
    patch = cut_out(grey, grown(block.quad, pad, pad))
    shrink = min(1.0, LARGEST / max(patch.shape))
    if shrink < 1.0:
        smaller = cv2.resize(patch, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        patch = np.asarray(smaller, dtype=np.uint8)
    edge = max(1, round(pad * shrink))
    inner = patch[edge:-edge, edge:-edge]
    if min(inner.shape) < 8:
        return None
    limit, split = cv2.threshold(inner, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    binary = np.asarray(split, dtype=np.uint8)
    dark = binary.astype(bool)
    share = float(dark.mean())
    if not 0.02 < share < 0.98:
        return None
    outside = patch.size - inner.size
    ring = (float((patch < limit).sum()) - float((inner < limit).sum())) / outside
    longer = max(width(block.quad), height(block.quad))
    return [
        share,
        *_contrast(inner, dark),
        *_evenness(binary),
        *_lines(dark),
        *_changes(binary),
        *_directions(inner),
        block.fill,
        low * scale,
        longer / low,
        ring,
        float(block.level),
    ]


def _contrast(inner: Grey, dark: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """(paper minus ink, 0..1; share of pixels that are neither)."""
    ink, paper = float(inner[dark].mean()), float(inner[~dark].mean())
    contrast = paper - ink
    between = (inner > ink + 0.3 * contrast) & (inner < paper - 0.3 * contrast)
    return contrast / 255, float(between.mean())


def _evenness(binary: Grey) -> tuple[float, float, float]:
    """(spread, least, greatest) of the dark share over four by four fields."""
    fields = cv2.resize(binary.astype(np.float32), (4, 4), interpolation=cv2.INTER_AREA)
    return float(fields.std()), float(fields.min()), float(fields.max())


def _lines(dark: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Dark share of the emptiest and the fullest tenth of the rows, and of the columns."""
    rows, columns = np.sort(dark.mean(axis=1)), np.sort(dark.mean(axis=0))
    a, b = len(rows) // 10, len(columns) // 10
    return float(rows[a]), float(rows[-1 - a]), float(columns[b]), float(columns[-1 - b])


def _changes(binary: Grey) -> tuple[float, float]:
    """Median number of colour changes of a row and of a column."""
    along, down = binary[:, 1:] != binary[:, :-1], binary[1:] != binary[:-1]
    return float(np.median(along.sum(axis=1))), float(np.median(down.sum(axis=0)))


def _directions(inner: Grey) -> tuple[float, float]:
    """(how far edges run along the block's own axes, -1..1; how far along one direction, 0..1)."""
    gx = cv2.Scharr(inner, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(inner, cv2.CV_32F, 0, 1)
    xx, yy, xy = gx * gx, gy * gy, gx * gy
    energy = xx + yy
    total = float(energy.sum()) + 1.0
    # cos of four times the edge's angle, weighted by its strength.
    axes = float((((xx - yy) ** 2 - 4 * xy * xy) / (energy + 1e-3)).sum()) / total
    single = math.hypot(float((xx - yy).sum()), 2 * float(xy.sum())) / total
    return axes, single


@cache
def _network() -> Network:
    text = (resources.files("redactor") / "data" / "code_looks.json").read_text(encoding="utf-8")
    layers = json.loads(text)
    return Network(*(np.array(layers[name], dtype=np.float64) for name in Network._fields))

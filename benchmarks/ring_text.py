"""Tells whether the text of a lifted seal can still be made out, however the pixels are stretched.

A lifted seal is not painted over: its ink is replaced by paper, and black print under it stays. So
no solid mask can be asked for. Instead the ink of every character, as it stands in the source, is
correlated with the output: correlation does not care how faint a trace is, which makes it as sharp
as any contrast stretch, and it is tried in every colour channel and in their differences.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.page import Image, Matrix
from sample_scans.truth import Item, PageTruth

COLOUR = 25
"""Chroma (0..255) by which a seal's ink must stand out from its paper to be told from print."""
PRINT = 110
"""Brightest channel of black print, which is left out of the comparison."""
TRACE = 0.45
"""Correlation at which a single character counts as visible."""
RING_TRACE = 0.25
"""Correlation of all characters together at which the seal counts as visible: chance evens out."""
SHIFT = 2
"""Pixels by which the output may lie beside the source."""
Plane = npt.NDArray[np.float64]


def visible_rings(
    page: PageTruth, source: Image, output: Image, mask: np.ndarray, to_output: Matrix
) -> dict[int, tuple[bool, ...]]:
    """Per seal of a page (by its place in page.items) whether each glyph is still visible.

    Seals without colour are left out: their ink cannot be told from print, so only a solid mask
    hides them. So are seals that are solid already. `mask`: what is solid in the output.
    """
    found = {}
    moved: Image | None = None
    for number, item in enumerate(page.items):
        if item.kind != "seal" or not item.quads:
            continue
        if moved is None:
            moved = laid_over(source, output, to_output)
        seen = _seen(item, moved, output, mask, to_output)
        if seen is not None:
            found[number] = seen
    return found


def laid_over(source: Image, output: Image, to_output: Matrix) -> Image:
    """The source in the output's pixels, white where it has none."""
    # Truth counts from the corner of the first pixel, cv2 from its centre.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ to_output @ half
    size = (output.shape[1], output.shape[0])
    return np.asarray(
        cv2.warpPerspective(source, matrix, size, borderValue=(255, 255, 255)), dtype=np.uint8
    )


def _seen(
    item: Item, source: Image, output: Image, mask: np.ndarray, to_output: Matrix
) -> tuple[bool, ...] | None:
    traces: list[npt.NDArray[np.float64]] = []
    weights: list[float] = []
    for quad in item.quads:
        found = _trace(
            geometry.mapped(np.array(quad, dtype=float), to_output), source, output, mask
        )
        if found is None:
            return None
        trace, weight = found
        traces.append(trace)
        weights.append(weight)
    single = [float(np.abs(trace).max()) for trace in traces]
    # The same channel and the same shift must speak for all characters.
    whole = np.abs(np.average(traces, axis=0, weights=np.array(weights) + 1e-9)).max()
    if whole >= RING_TRACE:
        return tuple(value >= RING_TRACE for value in single)
    return tuple(value >= TRACE for value in single)


def _trace(
    quad: npt.NDArray[np.float64], source: Image, output: Image, mask: np.ndarray
) -> tuple[npt.NDArray[np.float64], float] | None:
    """Correlations by (channel, shift) of one character's ink with the output, and their weight;
    None when its ink has no colour."""
    x0, y0, x1, y1 = (int(v) for v in geometry.bounds(quad))
    height, width = output.shape[:2]
    left, top = max(SHIFT, x0 - 1), max(SHIFT, y0 - 1)
    right, bottom = min(width - SHIFT, x1 + 2), min(height - SHIFT, y1 + 2)
    count = len(_channels(np.zeros((1, 1, 3)))) * (2 * SHIFT + 1) ** 2
    nothing = np.zeros(count), 0.0
    if right - left < 4 or bottom - top < 4:
        return nothing
    inside = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(inside, np.round(quad - (left, top)).astype(np.int32), (1,))
    before = source[top:bottom, left:right]
    dark = cv2.dilate((before.max(axis=2) < PRINT).astype(np.uint8), np.ones((3, 3), np.uint8))
    solid = cv2.dilate(mask[top:bottom, left:right].astype(np.uint8), np.ones((5, 5), np.uint8))
    chroma = np.ptp(before.astype(float), axis=2)
    used = (inside > 0) & (dark == 0)
    if used.sum() < 12:
        return nothing
    low, high = np.percentile(chroma[used], (20, 95))
    if high - low < COLOUR:
        return None
    ink = chroma > (low + high) / 2
    free = used & (solid == 0)
    if (ink & free).sum() < 0.25 * (ink & used).sum() or (free & ~ink).sum() < 6:
        return nothing
    template = chroma[free] - chroma[free].mean()
    scale = float(np.linalg.norm(template))
    wide = output[top - SHIFT : bottom + SHIFT, left - SHIFT : right + SHIFT].astype(float)
    rows, columns = np.nonzero(free)
    values = []
    for plane in _channels(wide):
        for dy in range(2 * SHIFT + 1):
            for dx in range(2 * SHIFT + 1):
                seen = plane[rows + dy, columns + dx]
                seen = seen - seen.mean()
                size = float(np.linalg.norm(seen))
                values.append(float(template @ seen) / (scale * size) if size > 1e-6 else 0.0)
    return np.array(values), float(free.sum())


def _channels(pixels: Plane) -> list[Plane]:
    """Blue, green, red, grey, chroma and the differences of the channels."""
    blue, green, red = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    return [blue, green, red, pixels.mean(axis=2), np.ptp(pixels, axis=2), red - green,
            red - blue, green - blue]  # fmt: skip

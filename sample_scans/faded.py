"""Takes out of the truth what a degradation wiped off the page: nobody can see it any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from sample_scans.truth import Face, Item, PageTruth, Quad

CONTRAST = 20
"""Grey levels between ink and ground from which a person sees a mark."""
COPIES = frozenset({"copy", "dark_copy", "fax"})
"""Degradations (degrade.py) that are made by a copier."""
_PALE = ("watermark", "fingerprint")
Box = tuple[float, float, float, float]
Plane = npt.NDArray[np.uint8]


def without_faded(page: PageTruth, pixels: npt.NDArray[np.uint8]) -> PageTruth:
    """The page without seals, finger prints, watermarks and faces that left no mark on `pixels`
    (RGB), and without the characters of a seal that did not."""
    darkest = cv2.GaussianBlur(pixels.min(axis=2), (0, 0), 0.8)
    grey = np.asarray(darkest, dtype=np.uint8)
    copied = bool(COPIES & set(page.tags))
    printed = [_box(quad) for keep in page.keep for quad in keep.quads]
    printed += [_box(q) for item in page.items if item.kind != "seal" for q in item.quads]
    items = (_seen(item, grey, copied, printed) for item in page.items)
    return replace(
        page,
        items=tuple(item for item in items if item is not None),
        eyes=tuple(face for face in page.eyes if _face_seen(face, grey)),
    )


def _seen(item: Item, grey: Plane, copied: bool, printed: Sequence[Box]) -> Item | None:
    """`printed`: boxes of print, which has contrast of its own under a seal that is gone."""
    if item.kind != "seal" and item.form not in _PALE:
        return item
    if item.form == "fingerprint":
        tiles = [_contrast(grey, tile) for tile in _tiles(item.quads[0])]
        return item if np.median(tiles) >= CONTRAST else None
    if item.form == "embossed" and copied:
        return None  # relief carries no ink for a copier to see; what shows is the photo's own
    left = tuple(q for q in item.quads if _contrast(grey, q) >= CONTRAST)
    alone = [q for q in item.quads if not any(_meet(_box(q), box) for box in printed)]
    tell = alone or item.quads
    if 2 * sum(q in left for q in tell) <= len(tell):
        return None
    return replace(item, quads=left)


def _box(quad: Quad) -> Box:
    (x0, y0), (x1, y1) = np.min(quad, axis=0), np.max(quad, axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _face_seen(face: Face, grey: Plane) -> bool:
    reach = 0.25 * face.distance
    quads = (((x - reach, y - reach), (x + reach, y + reach)) for x, y in face.centres)
    return all(_contrast(grey, quad) >= CONTRAST for quad in quads)


def _tiles(quad: Quad) -> list[Quad]:
    """A quad's box cut into sixteen."""
    low, high = np.min(quad, axis=0), np.max(quad, axis=0)
    step = (high - low) / 4
    corners = [low + step * (i, j) for i in range(4) for j in range(4)]
    return [((a[0], a[1]), (a[0] + step[0], a[1] + step[1])) for a in corners]


def _contrast(grey: Plane, quad: Quad) -> float:
    """Levels between the darkest and the brightest of the box around a quad."""
    part = _part(grey, quad)
    if not part.size:
        return 0.0
    low, high = np.percentile(part, (2, 98))
    return float(high - low)


def _part(grey: Plane, quad: Quad) -> Plane:
    height, width = grey.shape
    x0, y0 = (max(0, int(v)) for v in np.min(quad, axis=0))
    x1, y1 = (int(np.ceil(v)) for v in np.max(quad, axis=0))
    return grey[y0 : min(height, y1), x0 : min(width, x1)]

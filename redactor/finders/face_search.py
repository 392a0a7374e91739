"""Where on a page a face may be: the search that decides what the face finder costs.

The whole page is looked at small; what is larger is looked at only inside picture regions, from
coarse to fine, and the dear fine looks only at the turns that showed a face. A page of plain text
costs one small look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from redactor.finders.face_detector import detect
from redactor.finders.face_landmarks import Place, Points
from redactor.finders.pictures import Picture
from redactor.geometry import bounds, mapped, overlap, quarter_turn
from redactor.page import Image, Matrix, Quad
from redactor.reduction import reduced

SURE = 0.7
"""Score from which a hit is a face whatever else is said of it: no text or seal reached it."""
LARGEST_PORTRAIT_MM = 75.0
"""A 2-inch photo is 35 x 49 mm; a fold or shadow across a page is larger than any portrait."""
TURNS = (0, 90, 180, 270)
# Eyes of a one-inch photo are 14 pixels apart at this resolution.
_PAGE_DPI = 60.0
_COARSEST_SIDE = 240
_MEGAPIXELS_ALL_TURNS, _MEGAPIXELS_MOST = 0.1, 4.0
_MEGAPIXELS_SMALL, _MEGAPIXELS_ENLARGED, _MEGAPIXELS_AGAIN = 0.04, 0.5, 0.3
# Once a portrait's face is this many pixels wide, any other in it would have been seen as well.
_WIDE_FACE = 72.0
# A window whose darkest parts are lighter than this is searched with stretched contrast as well.
_PALE, _PALE_FROM = 120, 140


@dataclass(frozen=True, eq=False)
class Candidate:
    """A detector's hit in page pixels: `box` clockwise from the face's own top left, `eyes` (2, 2)
    left and right as seen in the upright face, `score` 0..1, `turn` the face's clockwise quarter
    turn in degrees."""

    box: Quad
    eyes: Points
    score: float
    turn: int

    @property
    def side(self) -> float:
        """The box's longer side, pixels."""
        x0, y0, x1, y1 = bounds(self.box)
        return max(x1 - x0, y1 - y0)

    @property
    def roll(self) -> float:
        """Direction from eye to eye, held to +-45 degrees of the quarter turn, radians."""
        base = float(np.deg2rad(self.turn))
        line = self.eyes[1] - self.eyes[0]
        off = float(np.arctan2(line[1], line[0])) - base
        off = (off + np.pi) % (2 * np.pi) - np.pi
        return base + float(np.clip(off, -np.pi / 4, np.pi / 4))

    @property
    def place(self) -> Place:
        """Where the landmark network has to look."""
        x, y = (float(v) for v in self.box.mean(axis=0))
        return Place(x, y, self.side, self.roll)


@dataclass(frozen=True)
class _Window:
    """A part of the page to search at a scale."""

    x0: int
    y0: int
    x1: int
    y1: int
    scale: float
    stretched: bool = False

    @property
    def megapixels(self) -> float:
        return (self.x1 - self.x0) * (self.y1 - self.y0) * self.scale**2 / 1e6

    @property
    def longest(self) -> int:
        return max(self.x1 - self.x0, self.y1 - self.y0)


def search(
    pixels: Image, dpi: float, upright: bool, regions: Sequence[Picture]
) -> Iterator[Candidate]:
    """All hits on a page, a face several times; `upright` as in `find_faces`."""
    yield from _look_over(pixels, dpi, upright)
    height, width = pixels.shape[:2]
    for window in _windows(regions, dpi, (width, height)):
        yield from _search_window(pixels, window, dpi)


def clusters(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    """Hits on the same face, best first in each cluster."""
    found: list[list[Candidate]] = []
    for candidate in sorted(candidates, key=lambda c: -c.score):
        for cluster in found:
            if _same(cluster[0], candidate):
                cluster.append(candidate)
                break
        else:
            found.append([candidate])
    return found


def _same(a: Candidate, b: Candidate) -> bool:
    if overlap(a.box, b.box) > 0.3:
        return True
    ax0, ay0, ax1, ay1 = bounds(a.box)
    bx0, by0, bx1, by1 = bounds(b.box)
    w, h = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    smaller = min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))
    return w > 0 and h > 0 and w * h > 0.6 * smaller


def _look_over(pixels: Image, dpi: float, upright: bool) -> Iterator[Candidate]:
    """The whole page small: what lies in no picture region, such as a face on white ground."""
    height, width = pixels.shape[:2]
    page = _Window(0, 0, width, height, min(1.0, _PAGE_DPI / dpi))
    yield from _detect_turned(_pixels_of(pixels, page), page, (0,) if upright else TURNS)


def _search_window(pixels: Image, window: _Window, dpi: float) -> Iterator[Candidate]:
    """A pyramid from coarse to fine; the dear fine levels only at turns that showed a face."""
    scales = [window.scale]
    while scales[-1] * window.longest > _COARSEST_SIDE:
        scales.append(scales[-1] / 2)
    levels = [replace(window, scale=s) for s in reversed(scales)]
    part = pixels[window.y0 : window.y1, window.x0 : window.x1]
    if _is_pale(part):
        levels += [replace(v, stretched=True) for v in levels if v.megapixels < _MEGAPIXELS_AGAIN]
    portrait = window.longest < (LARGEST_PORTRAIT_MM * dpi / 25.4)
    seen: set[int] = set()
    for level in levels:
        turns: tuple[int, ...] = TURNS
        if level.megapixels > _MEGAPIXELS_ALL_TURNS:
            turns = tuple(sorted(seen)) or (0,)
        widest = 0.0
        for hit in _detect_turned(_pixels_of(pixels, level), level, turns):
            if hit.score >= SURE:
                seen.add(hit.turn)
                widest = max(widest, hit.side * level.scale)
            yield hit
        if portrait and widest > _WIDE_FACE:
            return


def _is_pale(part: Image) -> bool:
    """Whether even the darkest parts are light, as in the ghost image of an ID card."""
    return float(np.percentile(part[::2, ::2], 2)) > _PALE


def _windows(regions: Sequence[Picture], dpi: float, size: tuple[int, int]) -> tuple[_Window, ...]:
    """Regions with room for a head cut off by a white ground, overlapping ones joined."""
    boxes: list[tuple[int, int, int, int]] = []
    for region in regions:
        share = 0.1 if region.fill > 0.85 else 0.35
        margin = min(max(share * max(region.width, region.height), dpi / 12), dpi / 2)
        box = (
            max(0, int(region.x0 - margin)),
            max(0, int(region.y0 - margin)),
            min(size[0], int(region.x1 + margin)),
            min(size[1], int(region.y1 + margin)),
        )
        touching = [b for b in boxes if _touch(b, box)]
        while touching:
            boxes = [b for b in boxes if b not in touching]
            joined = np.array([*touching, box])
            low, high = joined[:, :2].min(axis=0), joined[:, 2:].max(axis=0)
            box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
            touching = [b for b in boxes if _touch(b, box)]
        boxes.append(box)
    return tuple(_Window(*box, scale=_scale(box, dpi)) for box in boxes)


def _scale(box: tuple[int, int, int, int], dpi: float) -> float:
    """Full resolution; more for small windows and coarse scans, less for a page-sized photo."""
    megapixels = max(1, (box[2] - box[0]) * (box[3] - box[1])) / 1e6
    most = float(np.sqrt(_MEGAPIXELS_MOST / megapixels))
    enlarged = float(np.sqrt(_MEGAPIXELS_ENLARGED / megapixels))
    small = megapixels <= _MEGAPIXELS_SMALL
    wanted = min(2.0, max(1.0, enlarged)) if dpi < 200 or small else 1.0
    return min(wanted, most)


def _touch(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _pixels_of(pixels: Image, window: _Window) -> Image:
    part = _resized(pixels[window.y0 : window.y1, window.x0 : window.x1], window.scale)
    if not window.stretched:
        return part
    strong = (part.astype(np.float32) - _PALE_FROM) * (255 / (250 - _PALE_FROM))
    return np.clip(strong, 0, 255).astype(np.uint8)


def _resized(part: Image, scale: float) -> Image:
    if scale == 1:
        return part
    if scale < 1:
        return reduced(part, scale)
    larger = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8)


def _detect_turned(level: Image, window: _Window, turns: Iterable[int]) -> Iterator[Candidate]:
    """Hits on `level`, the pixels of `window` at its scale, turned clockwise by each of `turns`."""
    height, width = level.shape[:2]
    to_page = np.array(
        [
            [(window.x1 - window.x0) / width, 0, window.x0],
            [0, (window.y1 - window.y0) / height, window.y0],
            [0, 0, 1],
        ]
    )
    for turn in turns:
        turned = np.ascontiguousarray(np.rot90(level, -turn // 90))
        back = to_page @ np.linalg.inv(quarter_turn(turn, (width, height)))
        # A picture turned clockwise by `turn` shows upright faces that lie turned back by it.
        yield from _candidates(turned, back, (360 - turn) % 360)


def _candidates(image: Image, to_page: Matrix, turn: int) -> Iterator[Candidate]:
    for hit in detect(image):
        x, y, w, h = (float(v) for v in hit[:4])
        box = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        eyes = hit[4:8].reshape(2, 2)
        yield Candidate(mapped(box, to_page), mapped(eyes, to_page), float(hit[14]), turn)

"""Faces on a page and the bars that hide their eyes, at any quarter turn.

The whole page is searched at low resolution, picture regions at full resolution: a face on a page
of text is found by its picture, and text costs no time. Detector: YuNet (boxes, five points,
score); the eyes are then placed by Face Mesh landmarks (`face_landmarks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders.face_landmarks import Landmarks, Place, Points, face_flag, landmarks
from redactor.finders.photo_frames import is_portrait_shaped
from redactor.finders.pictures import Picture, find_pictures
from redactor.geometry import around, between_down, bounds, grown, mapped, overlap, quarter_turn
from redactor.model_files import model_file
from redactor.page import Finding, Image, Kind, Matrix, Quad

FINDER = "faces"
Mode = Literal["eyes", "full"]

# A bar of 2.5 x 1.1 distances between the eyes covers lids and brows of both.
_BAR_LENGTH, _BAR_HEIGHT = 2.5, 1.1
_SURE, _POSSIBLE = 0.6, 0.3
_FLAG = 0.5
_RIVAL = 0.15
_SMALLEST_MM = 2.0
# A 2-inch photo is 35 x 49 mm; a fold or shadow across a page is larger than any portrait.
_LARGEST_PORTRAIT_MM = 75.0
_TURNS = (0, 90, 180, 270)
_PAGE_DPI_ALL_TURNS, _PAGE_DPI_UPRIGHT = 50.0, 75.0
_MEGAPIXELS_ALL_TURNS, _MEGAPIXELS_MOST, _MEGAPIXELS_ENLARGED = 0.5, 4.0, 0.04
# A window whose darker parts are lighter than this is searched with stretched contrast as well.
_PALE, _PALE_FROM = 150, 140


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A detector's hit in page pixels: `box` clockwise from the face's own top left, `eyes` (2, 2)
    left and right as seen in the upright face, `turn` the face's clockwise quarter turn."""

    box: Quad
    eyes: Points
    score: float
    turn: int


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


def find_faces(
    pixels: Image,
    dpi: float,
    upright: bool,
    mode: Mode = "eyes",
    pictures: Sequence[Picture] | None = None,
) -> tuple[Finding, ...]:
    """Eye bars (`mode` eyes) or whole faces (`mode` full) as rotated quads in page pixels.

    `upright`: the page's text told which way is up; when False, every scale is searched at all
    four turns. `pictures`: from `find_pictures`, if the caller has them. An uncertain face gets a
    larger mask. Scores are the detector's, 0..1.
    """
    regions = find_pictures(pixels, dpi) if pictures is None else pictures
    candidates = list(_search(pixels, dpi, upright, regions))
    found: list[Finding] = []
    doubtful: list[_Candidate] = []
    sure: list[_Candidate] = []
    for rivals in _clusters(candidates):
        best = _upright_rival(pixels, rivals)
        if best.score < _SURE and _is_echo(best, sure, regions):
            continue
        x0, y0, x1, y1 = bounds(best.box)
        if min(x1 - x0, y1 - y0) < _SMALLEST_MM * dpi / 25.4:
            continue
        marks = landmarks(pixels, _place(best))
        if best.score >= _SURE or marks.flag >= _FLAG:
            found.append(_masked(best, marks, mode))
            sure += [best] if best.score >= _SURE else []
        else:
            doubtful.append(best)
    portraits = [r for r in regions if max(r.width, r.height) <= _LARGEST_PORTRAIT_MM * dpi / 25.4]
    return (*found, *_masked_whole(doubtful, found, portraits, mode))


def _search(
    pixels: Image, dpi: float, upright: bool, regions: Sequence[Picture]
) -> Iterator[_Candidate]:
    height, width = pixels.shape[:2]
    for level, turns in (
        (_PAGE_DPI_ALL_TURNS, _TURNS),
        (_PAGE_DPI_UPRIGHT, (0,) if upright else _TURNS),
    ):
        window = _Window(0, 0, width, height, min(1.0, level / dpi))
        yield from _detect_turned(pixels, window, turns)
    for window in _windows(regions, dpi, (width, height)):
        yield from _search_window(pixels, window)


def _search_window(pixels: Image, window: _Window) -> Iterator[_Candidate]:
    """A pyramid from coarse to fine; the dear fine levels only at turns that showed a face."""
    scales = [window.scale]
    longest = max(window.x1 - window.x0, window.y1 - window.y0)
    while scales[-1] * longest > 160:
        scales.append(scales[-1] / 2)
    seen: set[int] = set()
    pale = _is_pale(pixels[window.y0 : window.y1, window.x0 : window.x1])
    levels = [replace(window, scale=s) for s in reversed(scales)]
    if pale:
        levels += [replace(v, stretched=True) for v in levels if v.megapixels < 0.3]
    for level in levels:
        turns: tuple[int, ...] = _TURNS
        if level.megapixels > _MEGAPIXELS_ALL_TURNS:
            turns = tuple(sorted(seen)) or (0,)
        for hit in _detect_turned(pixels, level, turns):
            if hit.score >= _SURE:
                seen.add(hit.turn)
            yield hit


def _is_pale(part: Image) -> bool:
    """Whether even the darker parts are light, as in the ghost image of an ID card."""
    return float(np.percentile(part[::2, ::2], 15)) > _PALE


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
    windows = []
    for x0, y0, x1, y1 in boxes:
        small = (x1 - x0) * (y1 - y0) <= _MEGAPIXELS_ENLARGED * 1e6
        pixels = max(1, (x1 - x0) * (y1 - y0))
        most = float(np.sqrt(_MEGAPIXELS_MOST * 1e6 / pixels))
        enlarged = float(np.sqrt(_MEGAPIXELS_ALL_TURNS * 1e6 / pixels))
        wanted = min(2.0, max(1.0, enlarged)) if dpi < 200 or small else 1.0
        windows.append(_Window(x0, y0, x1, y1, min(wanted, most)))
    return tuple(windows)


def _touch(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _detect_turned(pixels: Image, window: _Window, turns: Iterable[int]) -> Iterator[_Candidate]:
    part = pixels[window.y0 : window.y1, window.x0 : window.x1]
    way = cv2.INTER_AREA if window.scale < 1 else cv2.INTER_CUBIC
    level = part
    if window.scale != 1:
        resized = cv2.resize(part, None, fx=window.scale, fy=window.scale, interpolation=way)
        level = np.asarray(resized, np.uint8)
    if window.stretched:
        strong = (level.astype(np.float32) - _PALE_FROM) * (255 / (250 - _PALE_FROM))
        level = np.clip(strong, 0, 255).astype(np.uint8)
    height, width = level.shape[:2]
    if min(height, width) < 16:
        return
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
        yield from _detect(turned, back, (360 - turn) % 360)


def _detect(image: Image, to_page: Matrix, turn: int) -> Iterator[_Candidate]:
    for hit in _hits(image):
        x, y, w, h = (float(v) for v in hit[:4])
        box = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        eyes = hit[4:8].astype(np.float64).reshape(2, 2)
        yield _Candidate(mapped(box, to_page), mapped(eyes, to_page), float(hit[14]), turn)


def _hits(image: Image) -> Points:
    """(n, 15) hits of the detector. When one network is given pictures of changing size, OpenCV
    4.10 at times fills its outputs with rubbish; a fresh network then looks again."""
    size = (image.shape[1], image.shape[0])
    for _ in range(3):
        detector = _detector()
        detector.setInputSize(size)
        _, found = detector.detect(image)
        hits = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        sound = _are_sound(hits, size)
        if sound.all():
            return hits
        _detector.cache_clear()
    return np.asarray(hits[sound])


def _are_sound(hits: Points, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Finite, of a size that fits the picture, and no score of exactly 1, which no face reaches."""
    finite = np.isfinite(hits).all(axis=1)
    fits = (hits[:, 2:4] > 0).all(axis=1) & (hits[:, 2:4] < 3 * max(size)).all(axis=1)
    return np.asarray(finite & fits & (hits[:, 14] < 0.999))


def _clusters(candidates: Sequence[_Candidate]) -> list[list[_Candidate]]:
    """Hits on the same face, best first in each cluster."""
    clusters: list[list[_Candidate]] = []
    for candidate in sorted(candidates, key=lambda c: -c.score):
        for cluster in clusters:
            if _same(cluster[0], candidate):
                cluster.append(candidate)
                break
        else:
            clusters.append([candidate])
    return clusters


def _same(a: _Candidate, b: _Candidate) -> bool:
    if overlap(a.box, b.box) > 0.3:
        return True
    ax0, ay0, ax1, ay1 = bounds(a.box)
    bx0, by0, bx1, by1 = bounds(b.box)
    w, h = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    smaller = min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))
    return w > 0 and h > 0 and w * h > 0.6 * smaller


def _upright_rival(pixels: Image, rivals: Sequence[_Candidate]) -> _Candidate:
    """The best hit; between turns of nearly the same score the landmark network decides."""
    close: dict[int, _Candidate] = {}
    for rival in rivals:
        if rival.score >= rivals[0].score - _RIVAL:
            close.setdefault(rival.turn, rival)
    if len(close) == 1:
        return rivals[0]
    return max(close.values(), key=lambda c: face_flag(pixels, _place(c)))


def _place(candidate: _Candidate) -> Place:
    centre = candidate.box.mean(axis=0)
    x0, y0, x1, y1 = bounds(candidate.box)
    return Place(float(centre[0]), float(centre[1]), max(x1 - x0, y1 - y0), _roll(candidate))


def _roll(candidate: _Candidate) -> float:
    """Direction from eye to eye, held to +-45 degrees of the face's quarter turn, radians."""
    base = float(np.deg2rad(candidate.turn))
    line = candidate.eyes[1] - candidate.eyes[0]
    off = float(np.arctan2(line[1], line[0])) - base
    off = (off + np.pi) % (2 * np.pi) - np.pi
    return base + float(np.clip(off, -np.pi / 4, np.pi / 4))


def _masked(hit: _Candidate, marks: Landmarks, mode: Mode) -> Finding:
    certain = _agree(hit, marks)
    why = "face, eyes placed by landmarks" if certain else "uncertain face, larger mask"
    if mode == "full":
        return Finding(Kind.FACE, _face_quad(hit, marks, certain), "", hit.score, why, FINDER)
    bar = _bar(marks.left, marks.right)
    if not certain:
        bar = around([_bar(*hit.eyes), between_down(_rolled_box(hit), 0.15, 0.65), bar])
    return Finding(Kind.EYES, bar, "", hit.score, why, FINDER)


def _masked_whole(
    doubtful: Sequence[_Candidate],
    found: Sequence[Finding],
    regions: Sequence[Picture],
    mode: Mode,
) -> Iterator[Finding]:
    """The best doubtful hit in each portrait-shaped picture without a face, masked as a whole:
    there a weak hit is more likely a badly copied face than none."""
    kind = Kind.FACE if mode == "full" else Kind.EYES
    why = "portrait-shaped picture, hardly readable face, all of it masked"
    for region in regions:
        if not is_portrait_shaped(region) or any(region.holds(f.quad) for f in found):
            continue
        hits = [hit for hit in doubtful if _inside(hit, region)]
        if hits:
            best = max(hits, key=lambda hit: hit.score)
            yield Finding(kind, _rolled_box(best), "", best.score, why, FINDER)


def _is_echo(hit: _Candidate, sure: Sequence[_Candidate], regions: Sequence[Picture]) -> bool:
    """Whether a weak hit lies outside all pictures with a sure face next to it: what the
    landmark network would believe in there is that face."""
    if any(region.holds(hit.box) for region in regions):
        return False
    return any(overlap(_doubled(hit.box), other.box) > 0 for other in sure)


def _doubled(box: Quad) -> Quad:
    centre = box.mean(axis=0)
    return centre + 2 * (box - centre)


def _inside(hit: _Candidate, region: Picture) -> bool:
    """Whether the hit lies in the region and is as large as a portrait's face in it."""
    x0, y0, x1, y1 = bounds(hit.box)
    large = max(x1 - x0, y1 - y0) > 0.3 * min(region.width, region.height)
    return large and region.holds(hit.box)


def _agree(hit: _Candidate, marks: Landmarks) -> bool:
    """Whether detector and landmarks tell the same eyes, at a distance that fits the box."""
    distance = float(np.linalg.norm(marks.right - marks.left))
    x0, y0, x1, y1 = bounds(hit.box)
    if marks.flag < _FLAG or not 0.25 < distance / min(x1 - x0, y1 - y0) < 0.8:
        return False
    apart = max(np.linalg.norm(marks.left - hit.eyes[0]), np.linalg.norm(marks.right - hit.eyes[1]))
    return float(apart) <= 0.4 * distance


def _bar(left: Points, right: Points) -> Quad:
    distance = max(float(np.linalg.norm(right - left)), 2.0)
    line = np.array([left, right, right, left])
    direction = (right - left) / distance
    down = np.array([-direction[1], direction[0]]) * 0.01
    thin = line + np.array([-down, -down, down, down])
    return grown(thin, (_BAR_LENGTH - 1) / 2 * distance, _BAR_HEIGHT / 2 * distance)


def _rolled_box(hit: _Candidate) -> Quad:
    """The detector's box turned with the eye line."""
    angle = _roll(hit) - float(np.deg2rad(hit.turn))
    cos, sin = np.cos(angle), np.sin(angle)
    centre = hit.box.mean(axis=0)
    return (hit.box - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre


def _face_quad(hit: _Candidate, marks: Landmarks, certain: bool) -> Quad:
    box = _rolled_box(hit)
    whole = around([box, marks.outline], along=box) if certain else box
    side = float(np.linalg.norm(whole[1] - whole[0]))
    return grown(whole, 0.08 * side, 0.08 * side)


@cache
def _detector() -> cv2.FaceDetectorYN:
    model = str(model_file("face_detection_yunet_2023mar.onnx"))
    return cv2.FaceDetectorYN.create(model, "", (320, 320), _POSSIBLE, 0.3, 5000)

"""Faces on a page and the bars that hide their eyes, at any quarter turn.

`face_search` tells where faces may be, with a coarse idea of the eyes; the eyes are then placed by
Face Mesh landmarks (`face_landmarks`). What the two do not agree on gets a larger mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import cv2
import numpy as np

from redactor.finders.face_landmarks import Landmarks, Points, face_flag, landmarks
from redactor.finders.face_search import LARGEST_PORTRAIT_MM, SURE, Candidate, clusters, search
from redactor.finders.photo_frames import HARDLY_READABLE, is_portrait_shaped
from redactor.finders.pictures import Picture, find_pictures
from redactor.geometry import area, around, between_down, bounds, grown, overlap
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "faces"
CERTAIN = "face, eyes placed by landmarks"
"""The reason of a face whose eyes two networks told alike."""
Mode = Literal["eyes", "full"]

# A bar of 2.5 x 1.1 distances between the eyes covers lids and brows of both.
_BAR_LENGTH, _BAR_HEIGHT = 2.5, 1.1
# The landmark network's belief from which a weak hit is a face; a first look below the second
# number is not worth three more: 55 of 57 weak hits on text and seals, and few faces, show less.
_FLAG, _FAINT_FLAG = 0.5, 0.05
# Where the eyes of an uncertain face are, down its box.
_BAND = (0.1, 0.7)
# Turns whose scores differ less are rivals; by this much one of them has to be ahead in the end.
_RIVAL, _CLEAR = 0.15, 0.08
_SMALLEST_MM = 2.0
# How the reason of an uncertain face begins; characters read this surely that cover so much of one
# are what it is, as in a dark logo.
_SURELY_READ, _PRINT = 0.95, 0.6
# A picture filled less is the ring of a seal; a narrower one that has no portrait's shape, writing.
_LEAST_FILL, _LEAST_MM = 0.3, 8.0


def find_faces(
    pixels: Image,
    dpi: float,
    upright: bool,
    mode: Mode = "eyes",
    pictures: Sequence[Picture] | None = None,
) -> tuple[Finding, ...]:
    """Eye bars (`mode` eyes) or whole faces (`mode` full) as rotated quads in page pixels.

    `upright`: the page's text told which way is up; when False, the whole page is searched at all
    four turns alike. `pictures`: from `find_pictures`, if the caller has them. An uncertain face
    gets a larger mask. Scores are the detector's, 0..1. Raises UnreadablePage when the detector's
    answers cannot be believed.
    """
    regions = find_pictures(pixels, dpi) if pictures is None else pictures
    candidates = list(search(pixels, dpi, upright, regions))
    found: list[Finding] = []
    doubtful: list[Candidate] = []
    sure: list[Candidate] = []
    for rivals in clusters(candidates):
        best, decided = _upright_rival(pixels, rivals)
        if best.score < SURE and _is_echo(best, sure, regions):
            continue
        x0, y0, x1, y1 = bounds(best.box)
        if min(x1 - x0, y1 - y0) < _SMALLEST_MM * dpi / 25.4:
            continue
        if best.score < SURE and face_flag(pixels, best.place) < _FAINT_FLAG:
            doubtful.append(best)
            continue
        marks = landmarks(pixels, best.place)
        if best.score >= SURE or marks.flag >= _FLAG:
            found.append(_masked(best, marks, decided, mode))
            sure += [best] if best.score >= SURE else []
        else:
            doubtful.append(best)
    return (*found, *_masked_whole(doubtful, found, regions, dpi, mode))


def apart_from_print(faces: Sequence[Finding], lines: Sequence[Line]) -> tuple[Finding, ...]:
    """The faces without those that can hardly be told and are print that was surely read."""
    sure = [
        char.quad.astype(np.float32)
        for line in lines
        if line.layer == "ink"
        for char in line.chars
        if char.score >= _SURELY_READ
    ]

    def is_print(face: Finding) -> bool:
        quad = face.quad.astype(np.float32)
        shared = sum(cv2.intersectConvexConvex(quad, char)[0] for char in sure)
        return shared >= _PRINT * area(face.quad)

    return tuple(f for f in faces if not (f.why.startswith(HARDLY_READABLE) and is_print(f)))


def _upright_rival(pixels: Image, rivals: Sequence[Candidate]) -> tuple[Candidate, bool]:
    """(the best hit, whether its turn is sure): between turns of nearly the same score the
    landmark network's belief counts, and a blurred face may leave that in doubt, too."""
    close: dict[int, Candidate] = {}
    for rival in rivals:
        if rival.score >= rivals[0].score - _RIVAL:
            close.setdefault(rival.turn, rival)
    if len(close) == 1:
        return rivals[0], True
    belief = {t: c.score + 2 * _RIVAL * face_flag(pixels, c.place) for t, c in close.items()}
    first, second, *_ = sorted(belief, key=lambda turn: -belief[turn])
    return close[first], belief[first] - belief[second] > _CLEAR


def _masked(hit: Candidate, marks: Landmarks, decided: bool, mode: Mode) -> Finding:
    certain = decided and _agree(hit, marks)
    why = CERTAIN if certain else "uncertain face, larger mask"
    if not decided:
        kind = Kind.FACE if mode == "full" else Kind.EYES
        box = _rolled_box(hit)
        why = "face that may stand in several ways, all of it masked"
        return Finding(kind, grown(box, 0.1 * hit.side, 0.1 * hit.side), "", hit.score, why, FINDER)
    if mode == "full":
        return Finding(Kind.FACE, _face_quad(hit, marks, certain), "", hit.score, why, FINDER)
    bar = _bar(marks.left, marks.right)
    if not certain:
        band = between_down(_rolled_box(hit), *_BAND)
        bar = around([_bar(*hit.eyes), grown(band, 0.1 * hit.side, 0.0), bar])
    return Finding(Kind.EYES, bar, "", hit.score, why, FINDER)


def _masked_whole(
    doubtful: Sequence[Candidate],
    found: Sequence[Finding],
    regions: Sequence[Picture],
    dpi: float,
    mode: Mode,
) -> Iterator[Finding]:
    """Where a picture shows doubtful hits and no face: a portrait-shaped picture, all of it, else
    all of the hit. A weak hit there is more likely a badly copied face than none, and nobody knows
    where its eyes are."""
    kind = Kind.FACE if mode == "full" else Kind.EYES
    used: list[Candidate] = []
    for region in regions:
        large = max(region.width, region.height) > LARGEST_PORTRAIT_MM * dpi / 25.4
        if large or region.fill < _LEAST_FILL or any(region.holds(f.quad) for f in found):
            continue
        hits = [hit for hit in doubtful if hit not in used and _inside(hit, region)]
        if not hits:
            continue
        best = max(hits, key=lambda hit: hit.score)
        quad, what = _rolled_box(best), "hit"
        if is_portrait_shaped(region):
            quad, what = region.quad, "portrait-shaped picture"
        elif min(region.width, region.height) < _LEAST_MM * dpi / 25.4:
            continue
        used += hits
        why = f"{HARDLY_READABLE}, all of the {what} masked"
        yield Finding(kind, quad, "", best.score, why, FINDER)


def _is_echo(hit: Candidate, sure: Sequence[Candidate], regions: Sequence[Picture]) -> bool:
    """Whether a weak hit lies outside all pictures with a sure face next to it: what the
    landmark network would believe in there is that face."""
    if any(region.holds(hit.box) for region in regions):
        return False
    return any(overlap(_doubled(hit.box), other.box) > 0 for other in sure)


def _doubled(box: Quad) -> Quad:
    centre = box.mean(axis=0)
    return centre + 2 * (box - centre)


def _inside(hit: Candidate, region: Picture) -> bool:
    """Whether the hit lies in the region and is as large as a portrait's face in it."""
    x0, y0, x1, y1 = bounds(hit.box)
    large = max(x1 - x0, y1 - y0) > 0.3 * min(region.width, region.height)
    fits = max(x1 - x0, y1 - y0) < 1.2 * max(region.width, region.height)
    return large and fits and region.holds(hit.box)


def _agree(hit: Candidate, marks: Landmarks) -> bool:
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


def _rolled_box(hit: Candidate) -> Quad:
    """The detector's box turned with the eye line."""
    angle = hit.roll - float(np.deg2rad(hit.turn))
    cos, sin = np.cos(angle), np.sin(angle)
    centre = hit.box.mean(axis=0)
    return (hit.box - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre


def _face_quad(hit: Candidate, marks: Landmarks, certain: bool) -> Quad:
    box = _rolled_box(hit)
    whole = around([box, marks.outline], along=box) if certain else box
    side = float(np.linalg.norm(whole[1] - whole[0]))
    return grown(whole, 0.08 * side, 0.08 * side)

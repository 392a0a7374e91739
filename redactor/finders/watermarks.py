"""Other copies of a watermark that tells who it is: under print they may be too broken to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.layers import WORKING_SIDE, inks, pale_ink
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "watermarks"
WELL_READ = 0.6
"""Score of a finding from which its watermark is believed."""
SAME_ROW = 0.6
"""Share of a pale row that lies on a row of ink from which it is a part of it."""
ALIKE = (0.55, 1.7)
"""Thickness of a copy over that of the letters that were read."""
SHORTEST = 1.4
"""Length of a copy over its thickness: two letters."""
JOIN = 0.55
"""Gaps between letters that are bridged, in letter heights."""
LEAST_INK = 0.04
"""Share of a copy's box that is pale ink."""
MARGIN = 0.3
"""Room around a copy, in letter heights."""
SHADED = 3
"""So many pale rows on rows of ink tell that the page lies in the shade and its print is pale."""
LARGEST_PRINT = 40
"""Height of a row at the working size up to which it is faded print; print is no pattern."""
CLEAR = 0.9
"""Share of a watermark's box without print from which it serves as a pattern of its copies."""
LEAST_SEEN = 1 / 3
"""Share of the pattern's ink that print must leave to be seen where a copy is believed."""
SAME_INK, OTHER_INK = 0.7, 0.25
"""Shares that are pale of the pattern's seen ink, at least, and of its seen paper, at most."""
GOES_ON = 0.03
"""Share of what print leaves to see of a letter's place that is pale where a row goes on."""
MOST_LETTERS = 30
"""A row is followed over so many letters at most on either side."""


def watermark_lines(lines: Sequence[Line], size: tuple[int, int]) -> tuple[Line, ...]:
    """The pale lines of a page of `size` (width, height) that are no print: in the shade of a photo
    small print is pale, too, and is read at the same place as ink."""
    largest = LARGEST_PRINT * max(1.0, max(size) / WORKING_SIDE)
    pale = [line for line in lines if line.layer == "pale"]
    ink = [line.quad for line in lines if line.layer == "ink" and line.score >= WELL_READ]
    small = {
        id(line): any(_share_on(line.quad, quad) >= SAME_ROW for quad in ink)
        for line in pale
        if min(geometry.height(line.quad), geometry.width(line.quad)) <= largest
    }
    shaded = sum(small.values()) >= SHADED
    return tuple(line for line in pale if id(line) not in small or not (shaded or small[id(line)]))


def _share_on(quad: Quad, other: Quad) -> float:
    """Share of a quad that lies on another, 0..1."""
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), other.astype(np.float32))
    return float(shared) / max(geometry.area(quad), 1.0)


def find_copies(pixels: Image, read: Sequence[Finding]) -> tuple[Finding, ...]:
    """Rows of pale letters as large as those in `read`, findings in the watermarks of the page.

    Only asked where a watermark tells who it is, so that every copy of it must go.
    """
    read = [f for f in read if f.kind in (Kind.NAME, Kind.UNIT) and f.score >= WELL_READ]
    if not read:
        return ()
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = pale_ink(np.asarray(small, np.uint8))
    sizes = [min(geometry.height(f.quad), geometry.width(f.quad)) for f in read]
    height = float(np.median(sizes)) * scale
    length = max(max(geometry.height(f.quad), geometry.width(f.quad)) for f in read)
    _, print_, pale = inks(np.asarray(small, np.uint8))
    # The edge of print is blurred and looks pale.
    seen = 1 - cv2.dilate(print_, np.ones((3, 3), np.uint8))
    rows = [
        _copy(read[0], quad)
        for quad in (
            _whole(_followed(row, pale & seen, seen) / scale, length) for row in _rows(ink, height)
        )
        if not any(geometry.holds(f.quad, quad) for f in read)
    ]
    whole = [_followed(f.quad * scale, pale & seen, seen) / scale for f in read]
    longer = [
        _copy(f, quad)
        for f, quad in zip(read, whole, strict=True)
        if geometry.width(quad) > geometry.width(f.quad) + 1
    ]
    return (*rows, *longer, *_alike(seen, pale & seen, scale, read))


def _copy(of: Finding, quad: Quad) -> Finding:
    return Finding(of.kind, quad, "", of.score, f"copy of a watermark: {of.why}", FINDER)


def _alike(
    seen: np.ndarray, pale: np.ndarray, scale: float, read: Sequence[Finding]
) -> list[Finding]:
    """Places where a watermark that stands clear of print shows again between the print.

    All copies on a page have one size and direction. What print covers counts neither for nor
    against a place. `seen`, `pale`: the reduced page where no print is, and its pale ink there.
    """
    found: list[Finding] = []
    for finding in read:
        box = finding.quad * scale
        if min(geometry.height(box), geometry.width(box)) <= LARGEST_PRINT:
            continue
        low = np.floor(box.min(axis=0)).astype(int).clip(0)
        high = np.ceil(box.max(axis=0)).astype(int)
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        inside = np.zeros_like(pale[part])
        cv2.fillConvexPoly(inside, np.round(box - low).astype(np.int32), (1,))
        if not (inside & pale[part]).any() or (inside & seen[part]).sum() < CLEAR * inside.sum():
            continue
        paper = cv2.dilate(pale[part], np.ones((5, 5), np.uint8)) == 0
        for x, y in _places(seen, pale, inside & pale[part], inside & paper & seen[part]):
            quad = finding.quad + (np.array([x, y]) - low) / scale
            if all(geometry.overlap(quad, other.quad) < 0.5 for other in (*read, *found)):
                found.append(_copy(finding, quad))
    return found


def _places(
    seen: np.ndarray, pale: np.ndarray, ink: np.ndarray, paper: np.ndarray
) -> Iterator[tuple[int, int]]:
    """(x, y) of the top left corner wherever a pattern of ink and paper fits, best first."""

    def within(plane: np.ndarray, pattern: np.ndarray) -> np.ndarray:
        large, small = plane.astype(np.float32), pattern.astype(np.float32)
        return np.asarray(cv2.matchTemplate(large, small, cv2.TM_CCORR))

    of_ink, of_paper = within(seen, ink), within(seen, paper)
    inked = within(pale, ink) / np.maximum(of_ink, 1)
    soiled = within(pale, paper) / np.maximum(of_paper, 1)
    fits = (of_ink >= LEAST_SEEN * ink.sum()) & (inked >= SAME_INK) & (soiled <= OTHER_INK)
    likeness = np.where(fits, inked - soiled, -1)
    reach = max(1, min(ink.shape) // 4)
    while likeness.max() > 0:
        y, x = (int(v) for v in np.unravel_index(likeness.argmax(), likeness.shape))
        yield x, y
        likeness[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = -1


def _whole(row: Quad, length: float) -> Quad:
    """A row as long as the watermark on both sides: print may have cut either end off."""
    lost = length - geometry.width(row)
    return geometry.grown(row, lost + MARGIN * geometry.height(row), 0) if lost > 0 else row


def _followed(row: Quad, pale: np.ndarray, seen: np.ndarray) -> Quad:
    """A row with the letters at both its ends that print has cut off from it.

    `pale`, `seen`: as for _alike. A letter all but covered by print is stepped over.
    """
    letter = geometry.height(row) / max(geometry.width(row), 1.0)
    reaches = []
    for sign in (-1, 1):
        reach = 0
        for step in range(1, MOST_LETTERS + 1):
            begin = -step * letter if sign < 0 else 1 + (step - 1) * letter
            place = geometry.between(row, begin, begin + letter)
            share = _pale_share(place, pale, seen)
            if share >= GOES_ON:
                reach = step
            elif step - reach >= 2:
                break
        reaches.append(reach * letter)
    return geometry.between(row, -reaches[0], 1 + reaches[1])


def _pale_share(place: Quad, pale: np.ndarray, seen: np.ndarray) -> float:
    """Share of what can be seen of a place that is pale ink, 0..1; 0 outside the page."""
    low = np.floor(place.min(axis=0)).astype(int).clip(0)
    high = np.ceil(place.max(axis=0)).astype(int).clip(0)
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    inside = np.zeros_like(pale[part])
    if not inside.size:
        return 0.0
    cv2.fillConvexPoly(inside, np.round(place - low).astype(np.int32), (1,))
    in_view = int((inside & seen[part]).sum())
    return float((inside & pale[part]).sum()) / in_view if in_view else 0.0


def _rows(ink: np.ndarray, height: float) -> list[Quad]:
    """The tightest rectangles, at any angle, around rows of letters of about one height."""
    reach = max(3, round(JOIN * height) | 1)
    joined = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    count, labels = cv2.connectedComponents(joined)
    rows = []
    for label in range(1, count):
        ys, xs = np.nonzero((labels == label) & (ink > 0))
        points = np.stack([xs, ys], axis=1).astype(np.float32)
        box = cv2.boxPoints(cv2.minAreaRect(points)).astype(np.float64)
        if geometry.height(box) > geometry.width(box):
            box = np.roll(box, 1, axis=0)
        thick, long = geometry.height(box), geometry.width(box)
        if not ALIKE[0] * height < thick < ALIKE[1] * height or long < SHORTEST * thick:
            continue
        if len(points) < LEAST_INK * thick * long:
            continue
        rows.append(geometry.grown(box, MARGIN * height, MARGIN * height))
    return rows

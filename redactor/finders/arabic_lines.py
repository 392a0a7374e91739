"""Finds runs of joined script (Uyghur and others in Arabic letters) that the reader cannot read.

The reader knows no Arabic letter: it leaves such lines out or makes a few odd signs of them. What
is left when everything well read is taken off the page is ink in rows; joined script is told by
its base line, on which most of the ink lies, and by its dots (numpy and cv2, pure).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.channels import Grey, darkest
from redactor.page import Image, Line, Quad, Reading
from redactor.reduction import halved, reduced

WORKING_SIDE = 1600
"""Longest side on which runs are looked for, pixels."""
READ = 0.6
"""Score of a line from which its ink counts as read."""
INK = 45
"""Grey levels below the paper around it from which on a pixel is ink."""
HEIGHTS = (7, 70)
"""Height of a run at the working size, pixels: 8 point on A4 is 17, a heading of 30 point 60; of a
card in a scan of 100 dpi 8."""
LONGEST_STROKE = 90
"""A straight stroke longer than this many pixels at the working size is a ruled line."""
BENT_LENGTH, BENT_RISE, BENT_SHARE = 250, 24, 0.65
BENT_REACH, BENT_DEPTH = 2.5, 5
"""Length and height of a row along which a ruled line slants or bends, pixels at the working size;
share of its columns that hold nothing but this line, how far its ink may lie beside it, and how
much of it a column holds."""
SHORTEST = 1.0
"""Least length of a run in its own heights."""
REACH = 0.9
"""Gap in heights over which neighbouring words are one run."""
ROOM = 0.2
"""Heights of a read character by which its ink may reach beyond its box."""
WIDEST = 1.25
"""Width of a character in heights of its line."""
JOINT = 1.0
"""Gap between two words of one run, in heights of the higher one."""
ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d5\ufb50-\ufdff\ufe70-\ufefc]")
"""A letter of Arabic script."""

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels of the working size."""


@dataclass(frozen=True, eq=False)
class Run:
    """Unread ink in a row. `quad`: page pixels, upright. `likeness`: to joined script, 0..1."""

    quad: Quad
    likeness: float


def find_unread_runs(pixels: Image, reading: Reading) -> tuple[Run, ...]:
    """All rows of ink of an upright page that no line of `reading` accounts for, from the top."""
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    few, rest = halved(pixels, scale)
    ink = _unread_ink(reduced(darkest(few), rest), reading, scale)
    runs = []
    for x0, y0, x1, y1 in _merged(_rows_without_bent_rules(ink)):
        quad = geometry.rectangle(x0 - 1, y0 - 1, x1 + 1, y1 + 1) / scale
        runs.append(Run(quad, _likeness(ink[y0:y1, x0:x1])))
    return tuple(sorted(runs, key=lambda run: float(run.quad[0, 1])))


def _unread_ink(grey: Grey, reading: Reading, scale: float) -> Grey:
    """1 where ink is that is neither read nor a ruled line."""
    coarse = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    paper = cv2.resize(cv2.blur(paper, (5, 5)), grey.shape[::-1])
    _, ink = cv2.threshold(cv2.subtract(paper, grey), INK, 1, cv2.THRESH_BINARY)
    for line in reading.lines:
        if line.layer != "text" and line.score >= READ and not ARABIC.search(line.text):
            for part in np.round(_read_parts(line) * scale).astype(np.int32):
                cv2.fillConvexPoly(ink, part, (0,))
    rules = cv2.dilate(_ruled(np.asarray(ink, np.uint8)), np.ones((3, 3), np.uint8))
    ink[rules > 0] = 0
    return np.asarray(ink, np.uint8)


def _ruled(ink: Grey) -> Grey:
    """1 on straight strokes across and down.

    Only rows and columns with enough ink are searched: most pages have few that hold a rule.
    """
    ruled = np.zeros_like(ink)
    kernel = np.ones((1, LONGEST_STROKE), np.uint8)
    for lines, marks in ((ink, ruled), (ink.T, ruled.T)):
        # At the page's edge cv2 takes what lies beyond for a part of the stroke.
        least = min(LONGEST_STROKE // 2, lines.shape[1])
        full = np.flatnonzero(np.count_nonzero(lines, axis=1) >= least)
        if len(full):
            straight = cv2.morphologyEx(lines[full], cv2.MORPH_OPEN, kernel)
            marks[full] = cv2.bitwise_or(marks[full], straight)
    return ruled


def _rows_without_bent_rules(ink: Grey) -> list[Box]:
    """The rows of ink, which is cleared of ruled lines that slant or bend, as on a photographed
    sheet: they join what stands beside them to one run."""
    rows, ruled = _rows(ink), False
    for x0, y0, x1, y1 in rows:
        if x1 - x0 < BENT_LENGTH or y1 - y0 < BENT_RISE:
            continue
        rule = _bent_rule(ink[y0:y1, x0:x1])
        if rule is not None:
            ink[y0:y1, x0:x1][rule] = 0
            ruled = True
    return _rows(ink) if ruled else rows


def _bent_rule(patch: Grey) -> npt.NDArray[np.bool_] | None:
    """The pixels of a thin line that runs all along a row of ink, as flat as a parabola; None when
    there is none."""
    deep = np.count_nonzero(patch, axis=0)
    thin = np.flatnonzero((deep > 0) & (deep <= BENT_DEPTH))
    ys, xs = np.nonzero(patch)
    alone = np.isin(xs, thin)
    near = alone
    bend = np.zeros(3)
    for reach in (None, 8.0, 4.0, BENT_REACH):
        if reach is not None:
            near = alone & (np.abs(ys - np.polyval(bend, xs)) <= reach)
        if near.sum() < BENT_LENGTH / 2:
            return None
        bend = np.polyfit(xs[near], ys[near], 2)
    if len(np.unique(xs[near])) < BENT_SHARE * patch.shape[1]:
        return None
    on = np.abs(ys - np.polyval(bend, xs)) <= BENT_REACH
    rule = np.zeros(patch.shape, np.bool_)
    rule[ys[on], xs[on]] = True
    return rule


def _read_parts(line: Line) -> npt.NDArray[np.float64]:
    """(N, 4, 2) the parts of a line's box that its characters take, grown up and down by ROOM, as
    detected boxes may be thinner than their glyphs.

    The detector joins a label and the script behind it; the reader then gives the label alone,
    and its first or last character, or a space, reaches over all of the rest.
    """
    quads = np.array([char.quad for char in line.chars if not char.text.isspace()])
    if not len(quads):
        return np.empty((0, 4, 2))
    top, bottom = quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 3]
    wide = (np.hypot(*top.T) + np.hypot(*bottom.T)) / 2
    share = np.minimum(1.0, WIDEST * geometry.height(line.quad) / np.maximum(wide, 1e-9))
    start = (1 - share) / 2
    start[-1], start[0] = 0.0, 1 - share[0]
    ends = np.stack([start, start + share, start + share, start], axis=1)[:, :, None]
    parts = quads[:, [0, 0, 3, 3]] + ends * np.stack([top, top, bottom, bottom], axis=1)
    left, right = parts[:, 3] - parts[:, 0], parts[:, 2] - parts[:, 1]
    high = (np.hypot(*left.T) + np.hypot(*right.T)) / 2
    down = left + right
    room = down * (ROOM * high / np.maximum(np.hypot(*down.T), 1e-9))[:, None]
    return parts + np.stack([-room, -room, room, room], axis=1)


def _rows(ink: Grey) -> list[Box]:
    """Boxes (x0, y0, x1, y1) around words that follow each other in one row."""
    stats = _parts(ink)
    low, high = HEIGHTS
    joined = np.zeros_like(ink)
    wide, tall, area = stats[:, 2:5].T
    words = (low <= tall) & (tall <= high) & (wide <= 25 * tall) & (area <= 0.7 * wide * tall)
    for x, y, w, h in stats[words, :4].tolist():
        reach = round(REACH * h / 2)
        # The middle half only: what hangs down from one row does not touch the next.
        joined[y + h // 4 : y + h - h // 4, max(0, x - reach) : x + w + reach] = 1
    return [box for part in _parts(joined) if (box := _tight(ink, part)) is not None]


def _parts(marks: Grey) -> npt.NDArray[np.int32]:
    """(N, 5) x, y, width, height and area of connected parts.

    Their search takes long for each row of pixels, and most rows are empty: it is done without.
    """
    filled = np.asarray(marks.any(axis=1), np.bool_)
    filled[1:] |= filled[:-1]  # one empty row stays below each group
    (rows,) = np.nonzero(filled)
    if not len(rows):
        return np.empty((0, 5), np.int32)
    stats = np.asarray(cv2.connectedComponentsWithStats(marks[rows])[2][1:], np.int32)
    stats[:, 1] = rows[stats[:, 1]]
    return stats


def _merged(boxes: list[Box]) -> list[Box]:
    """Boxes of one row joined over the gaps between words, those inside others left out."""
    rows: list[Box] = []
    for box in sorted(boxes):
        for at, row in enumerate(rows):
            shared = min(row[3], box[3]) - max(row[1], box[1])
            heights = row[3] - row[1], box[3] - box[1]
            if shared > 0.6 * min(heights) and box[0] - row[2] < JOINT * max(heights):
                rows[at] = (row[0], min(row[1], box[1]), max(row[2], box[2]), max(row[3], box[3]))
                break
        else:
            rows.append(box)
    return [r for r in rows if r[2] - r[0] >= SHORTEST * (r[3] - r[1])]


def _tight(ink: Grey, box: np.ndarray) -> Box | None:
    """The box around the ink of a row, its dots above and below included; None when it is none."""
    x, y, w, h = (int(v) for v in box[:4])
    top, bottom = max(0, y - h), min(ink.shape[0], y + 2 * h)
    columns = np.flatnonzero(ink[y : y + h, x : x + w].any(axis=0))
    if not len(columns):
        return None
    x0, x1 = x + int(columns[0]), x + int(columns[-1]) + 1
    full = np.asarray(ink[top:bottom, x0:x1].any(axis=1))
    y0, y1 = y - top, y + h - top
    gap = max(2, h // 3)
    while y0 > 0 and full[max(0, y0 - gap) : y0].any():
        y0 -= 1
    while y1 < len(full) and full[y1 : y1 + gap].any():
        y1 += 1
    low, high = HEIGHTS
    if not low <= y1 - y0 <= 1.5 * high:
        return None
    x0, x1 = _ends(ink[top + y0 : top + y1], x0, x1, round(REACH * (y1 - y0)))
    if x1 - x0 < SHORTEST * (y1 - y0):
        return None
    return x0, top + y0, x1, top + y1


def _ends(ink: Grey, x0: int, x1: int, reach: int) -> tuple[int, int]:
    """Where the ink of a row ends, flat letters and lone dots included that come within reach."""
    columns = np.flatnonzero(ink.any(axis=0))
    breaks = np.flatnonzero(np.diff(columns) > reach)
    starts, ends = columns[np.r_[0, breaks + 1]], columns[np.r_[breaks, len(columns) - 1]] + 1
    own = (starts < x1) & (ends > x0)
    return int(starts[own].min()), int(ends[own].max())


def _likeness(patch: Grey) -> float:
    """How much a row of ink looks like joined script, 0..1 (see tests for what others get)."""
    rows = patch.sum(axis=1, dtype=np.float64)
    total = rows.sum()
    if total == 0:
        return 0.0
    band = max(2, round(0.2 * len(rows)))
    sums = np.convolve(rows, np.ones(band), "valid")
    at = int(sums.argmax())
    return float(sums[at] / total)

"""Joins lines into streams of text, so that a name split over boxes, lines or a column is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from redactor import geometry
from redactor.normal_text import Normalised, normalise
from redactor.page import Char, Line, Quad, Reading

SAME_ROW = 0.5
"""Two boxes share a row when their middles differ by less than this many line heights."""
WIDEST_GAP = 5.0
"""Boxes of one row further apart than this many line heights belong to different texts."""
NEXT_ROW = (0.45, 2.4)
"""Distance of the middles of two rows of one paragraph, in line heights."""
ALIKE = 1.6
"""Largest ratio of the heights of two lines of one text."""
LONG_ROW = 12
"""Characters of a line from which its own direction is known well."""
STACKED = 2
"""Characters of a box that may be a piece of a column set in single characters."""
NEXT_BELOW = 2.6
"""Widest step between the middles of two stacked characters, in their heights: one may be lost."""
LOST = 1.55
"""A wider step between them hides a character that was not read."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Text in reading order. `places[i]` holds (line, char) of `source[i]`, None for a joint.

    A joint is a space between boxes of one row and a line break between rows.
    """

    source: str
    places: tuple[tuple[int, int] | None, ...]
    lines: tuple[Line, ...]

    @cached_property
    def normal(self) -> Normalised:
        """The normal form of `source` with the way back."""
        return normalise(self.source)

    @property
    def is_pale(self) -> bool:
        """Whether it is the text of a watermark."""
        return any(line.layer == "pale" for line in self.lines)

    def char(self, place: int) -> Char | None:
        """The character at a place of `source`."""
        at = self.places[place]
        return None if at is None else self.lines[at[0]].chars[at[1]]

    def quads(self, start: int, end: int) -> list[tuple[Quad, str]]:
        """(quad, text) of source[start:end], one for each line that it touches."""
        touched: dict[int, list[Char]] = defaultdict(list)
        for at in self.places[start:end]:
            if at is not None:
                touched[at[0]].append(self.lines[at[0]].chars[at[1]])
        return [
            (
                geometry.around([c.quad for c in chars], self.lines[index].quad),
                "".join(c.text for c in chars),
            )
            for index, chars in touched.items()
        ]


def streams(reading: Reading) -> tuple[Stream, ...]:
    """All text of a page, layers kept apart; single stacked characters are read in both ways."""
    layers = dict.fromkeys(line.layer for line in reading.lines)
    return tuple(
        stream
        for layer in layers
        for stream in _layer_streams(
            [line for line in reading.lines if line.layer == layer], reading.cells
        )
    )


def cell_of(quad: Quad, cells: Sequence[Quad]) -> int:
    """Index of the smallest cell that holds the middle of `quad`, -1 for none."""
    x, y = quad.mean(axis=0)
    # The hole of a large letter is closed in on all sides, too, but holds no line.
    least = 0.8 * min(geometry.height(quad), geometry.width(quad))
    for index, cell in enumerate(cells):
        x0, y0, x1, y1 = geometry.bounds(cell)
        if x0 <= x <= x1 and y0 <= y <= y1 and min(y1 - y0, x1 - x0) >= least:
            return index
    return -1


def _layer_streams(lines: Sequence[Line], cells: Sequence[Quad]) -> list[Stream]:
    flat = [line for line in lines if not line.vertical]
    rows = _rows(flat, cells)
    result = [_stream(flat, chain) for chain in _paragraphs(flat, rows, cells)]
    upright = sorted((x for x in lines if x.vertical), key=lambda x: -x.quad[:, 0].mean())
    result += [_stream(upright, chain) for chain in _columns(upright)]
    result += [_stream(stack, [[i] for i in range(len(stack))]) for stack in _stacks(lines)]
    return result


def _stacks(lines: Sequence[Line]) -> list[list[Line]]:
    """Columns of which the detector made several boxes, of one or two characters each.

    A wide step between two of them becomes a line with one illegible character.
    """
    pieces = [line for line in lines if 0 < len(line.chars) <= STACKED and _may_stack(line)]
    if len(pieces) < 2 or all(line.vertical for line in pieces):
        return []
    boxes = np.array([geometry.bounds(line.quad) for line in pieces])
    em = boxes[:, 2] - boxes[:, 0]
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    low = np.minimum(em[:, None], em[None, :])
    gap = boxes[None, :, 1] - boxes[:, None, 3]
    allowed = (
        (np.abs(middle[:, None] - middle[None, :]) < SAME_ROW * low)
        & (gap > -0.4 * low)
        & (gap < (NEXT_BELOW - 1) * low)
        & (boxes[:, None, 1] < boxes[None, :, 1])
        & _alike(em)
    )
    chains = [[pieces[i] for i in chain] for chain in _follow(allowed, gap)]
    return [_with_lost(chain) for chain in chains if sum(len(x.chars) for x in chain) > 2]


def _may_stack(line: Line) -> bool:
    """Whether a box is a piece of a column: stacked, or one character about as wide as high."""
    return line.vertical or len(line.chars) == 1


def _with_lost(chain: Sequence[Line]) -> list[Line]:
    """The chain with an illegible character where a step is too wide."""
    filled = [chain[0]]
    for above, below in pairwise(chain):
        x0, _, x1, bottom = geometry.bounds(above.quad)
        top = geometry.bounds(below.quad)[1]
        if top - bottom > (LOST - 1) * (x1 - x0):
            quad = geometry.rectangle(x0, bottom, x1, top)
            filled.append(Line((Char("\ufffd", quad, 0.0),), quad, 0.0, False, above.layer))
        filled.append(below)
    return filled


def _frame(lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(start, end, middle, height) of each line along and across the page's own direction."""
    angle = geometry.slope(line.quad for line in lines if len(line.chars) > 3)
    right = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-right[1], right[0]])
    quads = np.array([line.quad for line in lines])
    along, across = quads @ right, quads @ down
    heights = np.array([geometry.height(line.quad) for line in lines])
    return along.min(axis=1), along.max(axis=1), across.mean(axis=1), heights


def _follow(allowed: np.ndarray, distance: np.ndarray) -> list[list[int]]:
    """Chains of indices: each joins its nearest allowed follower, nearest pairs first."""
    n = len(allowed)
    followers: dict[int, int] = {}
    led: set[int] = set()
    pairs = np.argwhere(allowed)
    for i, j in pairs[np.argsort(distance[allowed], kind="stable")]:
        if int(i) not in followers and int(j) not in led:
            followers[int(i)] = int(j)
            led.add(int(j))
    chains = []
    for start in range(n):
        if start in led:
            continue
        chain = [start]
        while chain[-1] in followers:
            chain.append(followers[chain[-1]])
        chains.append(chain)
    return chains


def _rows(lines: Sequence[Line], cells: Sequence[Quad]) -> list[list[int]]:
    """Boxes side by side in one row (and one cell), from left to right."""
    if not lines:
        return []
    start, end, middle, height = _frame(lines)
    home = np.array([cell_of(line.quad, cells) for line in lines])
    low = np.minimum(height[:, None], height[None, :])
    gap = start[None, :] - end[:, None]
    allowed = (
        (np.abs(middle[:, None] - middle[None, :]) < SAME_ROW * low)
        & (gap > -0.5 * low)
        & (gap < WIDEST_GAP * low)
        & (start[:, None] < start[None, :])
        & _alike(height)
        & (home[:, None] == home[None, :])
    )
    return _follow(allowed, gap)


def _paragraphs(
    lines: Sequence[Line], rows: list[list[int]], cells: Sequence[Quad]
) -> list[list[list[int]]]:
    """Rows below each other that read on, each paragraph as a list of rows."""
    if not rows:
        return []
    start, end, middle, height = _frame(lines)
    first = np.array([min(start[i] for i in row) for row in rows])
    last = np.array([max(end[i] for i in row) for row in rows])
    tall = np.array([float(np.median(height[row])) for row in rows])
    home = np.array([cell_of(lines[row[0]].quad, cells) for row in rows])
    low = np.minimum(tall[:, None], tall[None, :])
    below = _below(lines, rows, middle)
    shared = np.minimum(last[:, None], last[None, :]) - np.maximum(first[:, None], first[None, :])
    allowed = (
        (below > NEXT_ROW[0] * low)
        & (below < NEXT_ROW[1] * low)
        & (shared > 0)
        & _alike(tall)
        & (home[:, None] == home[None, :])
    )
    shifted = np.abs(first[:, None] - first[None, :]) * 0.1
    return [[rows[i] for i in chain] for chain in _follow(allowed, below + shifted)]


def _below(lines: Sequence[Line], rows: list[list[int]], middle: np.ndarray) -> np.ndarray:
    """[i, j]: how far row j begins below row i, pixels, each long row in its own direction.

    In a photo of a sheet the rows lie at several angles; a short row below the beginning of a long
    one may be higher than the middle of that.
    """
    flat = np.array([float(np.mean(middle[row])) for row in rows])
    below = flat[None, :] - flat[:, None]
    starts = np.array([lines[row[0]].quad[[0, 3]].mean(axis=0) for row in rows])
    for i, row in enumerate(rows):
        line = max((lines[k] for k in row), key=lambda x: len(x.chars))
        if len(line.chars) >= LONG_ROW:
            along = line.quad[1] - line.quad[0]
            down = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1.0)
            below[i] = (starts - starts[i]) @ down
    return below


def _columns(lines: Sequence[Line]) -> list[list[list[int]]]:
    """Stacked lines, each column read on in the next one to its left."""
    if not lines:
        return []
    boxes = np.array([geometry.bounds(line.quad) for line in lines])
    wide = np.array([geometry.height(line.quad) for line in lines])
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    left = middle[:, None] - middle[None, :]
    low = np.minimum(wide[:, None], wide[None, :])
    shared = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(
        boxes[:, None, 1], boxes[None, :, 1]
    )
    allowed = (left > 0.5 * low) & (left < 2.5 * low) & (shared > 0) & _alike(wide)
    return [[[i] for i in chain] for chain in _follow(allowed, left)]


def _alike(height: np.ndarray) -> np.ndarray:
    high = np.maximum(height[:, None], height[None, :])
    return np.asarray(high < ALIKE * np.minimum(height[:, None], height[None, :]))


def _stream(lines: Sequence[Line], rows: list[list[int]]) -> Stream:
    source: list[str] = []
    places: list[tuple[int, int] | None] = []
    order = [i for row in rows for i in row]
    position = {index: k for k, index in enumerate(order)}
    for row_number, row in enumerate(rows):
        for box_number, index in enumerate(row):
            if row_number or box_number:
                source.append(" " if box_number else "\n")
                places.append(None)
            for at, char in enumerate(lines[index].chars):
                # A decoder class may be several code points; each points at the same box.
                source.extend(char.text)
                places.extend([(position[index], at)] * len(char.text))
    return Stream("".join(source), tuple(places), tuple(lines[i] for i in order))

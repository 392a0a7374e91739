"""Judges from a page's pixels what of each planted item a reader of the output still sees.

Nothing that the tool says about itself is believed: masks are found in the pixels, and the
geometry it reports is checked by laying the output over the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.axes import face_axes, face_form, item_axes
from benchmarks.ring_text import laid_over, visible_rings
from benchmarks.verdicts import ItemVerdict, Outcome
from redactor import geometry
from redactor.page import Image, Matrix
from sample_scans.truth import Face, Item, PageTruth, Quad

BLACK = 70
"""Brightest channel of a masked pixel after JPEG."""
HIDDEN, TOUCHED = 0.97, 0.30
"""Share of a glyph's ink box under a mask: from here on it is hidden; from here on it is lost."""
MOSTLY = 0.7
"""Share of a glyph's box under a mask from which its ink is looked at by itself."""
INK, FEWEST_INK = 40, 12
"""Grey levels between ink and its ground; fewest pixels of ink that can be judged."""
DOTS = frozenset("·•・.．‧")
"""Marks between the parts of a name: one that stays between masks tells nothing."""
EYE_REACH = 0.25
"""Around each eye centre this many inter-ocular distances must be covered."""
SLIVER = 3.0
"""A glyph of which the page's edge left less than this many pixels across tells nothing."""
BEYOND = 2.0
"""Pixels around a glyph that must be masked when the glyph is a solid block by itself."""
SAME = 0.5
"""Correlation of output and source outside the masks from which they show the same sheet; pages
that belong together have 0.9 and more, others and wrong matrices less than 0.2."""


@dataclass(frozen=True)
class Judged:
    """One page. `lost` of `kept` glyphs that had to stay are masked. `placed`: the output shows
    the same sheet where its matrix says; otherwise every item counts as leaked."""

    items: tuple[ItemVerdict, ...]
    lost: int
    kept: int
    placed: bool


def solid(pixels: Image) -> np.ndarray:
    """Mask of solid black areas: print is too thin to survive the opening, masks are not."""
    black = (pixels.max(axis=2) <= BLACK).astype(np.uint8)
    size = max(5, round(max(pixels.shape[:2]) / 360)) | 1
    kernel = np.ones((size, size), np.uint8)
    return np.asarray(cv2.dilate(cv2.erode(black, kernel, borderValue=(1,)), kernel)).astype(bool)


def covered(mask: np.ndarray, quad: np.ndarray) -> float:
    """Share of a convex quad's pixels under the mask; what is off the picture is not covered."""
    hull = np.asarray(cv2.convexHull(quad.astype(np.float32))).reshape(-1, 2).astype(float)
    x0, y0, x1, y1 = geometry.bounds(hull)
    left, top = int(np.floor(x0)), int(np.floor(y0))
    wide, high = max(1, int(np.ceil(x1)) - left), max(1, int(np.ceil(y1)) - top)
    if wide > 4 * mask.shape[1] + 64 or high > 4 * mask.shape[0] + 64:
        return 0.0
    inside = np.zeros((high, wide), np.uint8)
    corners = np.round((hull - (left, top)) * 16).astype(np.int32) - 8
    cv2.fillConvexPoly(inside, corners, (1,), shift=4)
    total = int(inside.sum())
    if not total:
        inside[:] = 1
        total = inside.size
    a, b = max(0, left), max(0, top)
    c, d = min(mask.shape[1], left + wide), min(mask.shape[0], top + high)
    if c <= a or d <= b:
        return 0.0
    chosen = inside[b - top : d - top, a - left : c - left].astype(bool)
    return float(mask[b:d, a:c][chosen].sum()) / total


def judge_item(item: Item, cover: Callable[[Quad], float]) -> Outcome:
    """hidden when every glyph is, leaked when none is even touched, partly between.

    Raises:
        ValueError: the item has no glyph on the page, so that nothing can be judged.
    """
    return _outcome([cover(quad) for quad in item.quads])


def judge_page(page: PageTruth, source: Image, output: Image, to_output: Matrix) -> Judged:
    """The verdicts on one page.

    Args:
        source: the page as loaded, in the truth's pixels.
        output: the masked page. to_output: maps the source's pixels to the output's.
    """
    mask = solid(output)
    rings = visible_rings(page, source, output, mask, to_output)
    judged = judge_mask(page, mask, to_output, rings, solid(source), source)
    if same_sheet(page, source, output, mask, to_output):
        return judged
    items = tuple(
        ItemVerdict(i.page, i.kind, i.form, i.text, i.own, i.axes, "leaked", i.of, i.of, "leaked")
        for i in judged.items
    )
    return Judged(items, judged.lost, judged.kept, False)


def judge_mask(
    page: PageTruth,
    mask: np.ndarray,
    to_output: Matrix,
    rings: Mapping[int, tuple[bool, ...]] | None = None,
    before: np.ndarray | None = None,
    source: Image | None = None,
) -> Judged:
    """As judge_page, from a mask of what is solid; `rings` as ring_text.visible_rings gives it,
    `before`: what is solid in the source. With the `source` a glyph is hidden, too, when its box
    sticks out of the mask but nothing of its ink does."""

    def cover(quad: Quad) -> float:
        corners = np.array(quad, dtype=float)
        if before is not None and covered(before, corners) >= HIDDEN:
            # A bar of a letter is solid by itself: a mask reaches farther.
            corners = geometry.grown(corners, BEYOND, BEYOND)
        share = covered(mask, geometry.mapped(corners, to_output))
        if source is not None and MOSTLY <= share < HIDDEN:
            return max(share, ink_covered(source, mask, corners, to_output))
        return share

    verdicts = []
    for number, item in enumerate(page.items):
        always = (True,) * len(item.quads)
        # A character of a lifted seal is gone when nothing of its ink can be made out.
        seen = rings.get(number, always) if rings else always
        glyphs = [char for char in item.text if not char.isspace()]
        named = glyphs if len(glyphs) == len(item.quads) else ["?"] * len(item.quads)
        shares = [
            cover(quad) if visible else 1.0
            for quad, visible, char in zip(item.quads, seen, named, strict=True)
            if not _sliver(quad, page.size) and char not in DOTS
        ]
        if not shares:
            continue
        verdicts.append(_verdict(item, shares, item_axes(item, page)))
    for face in page.eyes:
        shares = [cover(q) for q in eye_quads(face, page.size)]
        if shares:
            whole = Item("eyes", "", face_form(face), face.applicant, False, ())
            verdicts.append(_verdict(whole, shares, face_axes(face, page)))
    kept = kept_glyphs(page)
    lost = sum(cover(quad) >= TOUCHED for quad in kept)
    return Judged(tuple(verdicts), lost, len(kept), True)


def ink_covered(source: Image, mask: np.ndarray, quad: np.ndarray, to_output: Matrix) -> float:
    """Share of the ink in a quad of the source that lies under the output's mask, 0..1.

    Ink is what differs from the ground of the quad and its surroundings; 0 when there is none,
    because then nothing can be said.
    """
    x0, y0, x1, y1 = geometry.bounds(quad)
    room = 0.5 * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    part = source[top : int(y1 + room) + 1, left : int(x1 + room) + 1].min(axis=2).astype(int)
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(quad - (left, top)).astype(np.int32), (1,))
    ys, xs = np.nonzero((np.abs(part - np.median(part)) > INK) & (inside > 0))
    if len(xs) < FEWEST_INK:
        return 0.0
    points = np.stack([xs + left + 0.5, ys + top + 0.5], axis=1)
    at = np.floor(geometry.mapped(points, to_output)).astype(int)
    height, width = mask.shape
    on = (at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)
    return float(mask[at[on, 1], at[on, 0]].sum() / len(xs))


def eye_quads(face: Face, size: tuple[int, int]) -> list[Quad]:
    """The squares around the eye centres that must be covered, as far as they are on the page;
    an eye whose centre is off the page is not on it."""
    width, height = size
    reach = EYE_REACH * face.distance
    quads: list[Quad] = []
    for x, y in face.centres:
        if not (0 <= x < width and 0 <= y < height):
            continue
        x0, y0 = max(0.0, x - reach), max(0.0, y - reach)
        x1, y1 = min(float(width), x + reach), min(float(height), y + reach)
        quads.append(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    return quads


def kept_glyphs(page: PageTruth) -> list[Quad]:
    """Glyphs that must stay: not those that lie on or under an item."""
    marks = [geometry.bounds(np.array(q, dtype=float)) for item in page.items for q in item.quads]
    # A mask over slanting letters takes the print between and beside them, too.
    marks += [
        geometry.bounds(geometry.around([np.array(q, dtype=float) for q in item.quads]))
        for item in page.items
        if item.form == "watermark" and item.quads
    ]
    return [
        quad
        for keep in page.keep
        if not keep.under and not keep.what
        for quad in keep.quads
        if not _touches(quad, marks)
    ]


def same_sheet(
    page: PageTruth, source: Image, output: Image, mask: np.ndarray, to_output: Matrix
) -> bool:
    """Whether the output shows the source's sheet where `to_output` says, beside masks and items.

    True, too, where nothing is left to compare.
    """
    height, width = output.shape[:2]
    moved = laid_over(source, output, to_output)
    # Both are made small: a glyph becomes a grey spot, whose edges matter no more.
    scale = min(1.0, 900 / max(height, width))
    changed = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8))
    for item in page.items:
        for quad in item.quads if item.outline is None else (*item.quads, item.outline):
            corners = geometry.grown(np.array(quad, dtype=float), 6, 6)
            shape = np.round(geometry.mapped(corners, to_output)).astype(np.int32)
            cv2.fillConvexPoly(changed, np.asarray(cv2.convexHull(shape)), (1,))
    small = cv2.resize(changed * 255, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    free = np.asarray(small) == 0
    left, seen = (_spots(p, scale, free)[free] for p in (moved, output))
    if (np.abs(left) > 12).sum() < 40:
        return bool((np.abs(seen) > 12).sum() < 200)
    return bool(seen.std() > 1e-6 and np.corrcoef(left, seen)[0, 1] >= SAME)


def _spots(pixels: Image, scale: float, free: np.ndarray) -> np.ndarray:
    """Ink against the free surroundings, small."""
    small = cv2.resize(pixels.min(axis=2), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey, weight = np.asarray(small).astype(float), free.astype(float)
    total = cv2.GaussianBlur(grey * weight, (0, 0), 8)
    return np.asarray(grey - total / np.maximum(cv2.GaussianBlur(weight, (0, 0), 8), 1e-3))


def _verdict(item: Item, shares: Sequence[float], axes: dict[str, str]) -> ItemVerdict:
    outcome = _outcome(shares)
    left = sum(share < HIDDEN for share in shares)
    return ItemVerdict(0, item.kind, item.form, item.text, bool(item.applicant), axes, outcome,
                       left, len(shares), outcome)  # fmt: skip


def _outcome(shares: Sequence[float]) -> Outcome:
    if not shares:
        raise ValueError("an item without a glyph on the page cannot be judged")
    if all(share >= HIDDEN for share in shares):
        return "hidden"
    return "leaked" if all(share < TOUCHED for share in shares) else "partly"


def _sliver(quad: Quad, size: tuple[int, int]) -> bool:
    """Whether the page's edge cut all but a sliver off a glyph."""
    x0, y0, x1, y1 = geometry.bounds(np.array(quad, dtype=float))
    wide = x1 - x0 < SLIVER and (x0 <= 0 or x1 >= size[0])
    return wide or (y1 - y0 < SLIVER and (y0 <= 0 or y1 >= size[1]))


def _touches(quad: Quad, marks: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether a glyph lies on one to be masked (a watermark, a seal), so that it must go, too."""
    x0, y0, x1, y1 = geometry.bounds(np.array(quad, dtype=float))
    return any(a < x1 and x0 < c and b < y1 and y0 < d for a, b, c, d in marks)

"""Finds codes that lead to the person (学信网 links, e-licences), also those no reader can decode.

Three ways, each for what the one before it cannot see:
1. zxing-cpp decodes the page;
2. QR finder patterns (dark-light-dark as 1:1:3:1:1) show codes whose data is smeared or torn;
3. dense blocks that stand by themselves (code_texture.py) and were not read as print are turned
   upright and given to the reader again, and judged by their looks (code_looks.py).
The decoded text is for the vault's report only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from redactor.finders.code_looks import LARGEST, likelihood, measure
from redactor.finders.code_texture import (
    Block,
    Grey,
    bar_direction,
    blocks,
    cut_out,
    finder_pattern_quads,
    inked,
    shrunk,
    working_scale,
)
from redactor.geometry import area, around, bounds, grown, height, mapped, width
from redactor.page import Finding, Image, Kind, Line, Quad

_LINEAR_PAD = 0.02
"""Share of a bar code's length: about two modules, as its outer bars may be cut by the reader."""
_MATRIX_PAD = 0.05
"""Share of a matrix code's side: one module of the smallest QR code, 21 modules wide."""
_BLOCK_PAD = 0.05
"""Share of a block's smaller side, as the outer modules of a blurred code are pale."""
_READER_SIDE = 2600
"""Longest side in pixels given to the reader: A4 at 220 dpi. Its time grows with the area."""

_WORTH_READING, _LOOKS_LIKE, _LOOKS_UNREAD = 0.05, 0.3, 0.9
"""Likelihood of a block from which the reader tries it, from which looks alone are enough, and
the same where the text is not known or one character by itself was read: short words look alike."""
_SURE_PRINT = 0.9
"""Probability of a character from which it was read and is no part of a code."""
_SHARE_OF_PRINT = 0.6
"""Share of a block's ink that lies under such characters from which it is print."""
_ALONE, _WORD = 1, 2
"""On the map of print. A matrix code is read as one dense character, and as a sure one (國)."""
_LONGEST = 0.35
"""Longest side of a block that is a code by looks alone, as a share of the page's: 100 mm on A4."""
_CODE_LIKE = frozenset("回囬口囗田日目曰皿圖图国器嚣|｜Il1!-_—=一二三.·:：,'\"")
"""What the recogniser sees in codes, too: squares in squares, and bars."""


@dataclass(frozen=True, eq=False)
class _Seen:
    quad: Quad
    text: str
    score: float
    why: str
    exact: bool = False


def find_codes(pixels: Image, lines: Sequence[Line] | None = None) -> tuple[Finding, ...]:
    """All QR, Data Matrix, Aztec, PDF417 and bar codes on a page (H, W, 3).

    `lines`: what was read on the page, None when it was not; a block that was surely read as print
    is no code, so that looks need prove less. `Finding.quad` covers the code with its
    outermost modules; `text` is what it says, '' when it cannot be decoded; `score` is 1 when
    decoded, 0.8 when QR finder patterns show it, else its likelihood by looks.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    scale = working_scale(grey)
    small = shrunk(grey, scale)
    limit = _LOOKS_UNREAD if lines is None else _LOOKS_LIKE
    seen = _read(grey)
    for quad in finder_pattern_quads(small, scale):
        _add(seen, _Seen(quad, "", 0.8, "QR finder patterns, not decodable"))
    for block, looks in _likely(grey, small, scale, lines or ()):
        for code in _judged(grey, block, looks, scale, limit):
            _add(seen, code)
    return tuple(Finding(Kind.CODE, s.quad, s.text, s.score, s.why, "codes") for s in seen)


def _likely(
    grey: Grey, small: Grey, scale: float, lines: Sequence[Line]
) -> list[tuple[Block, float]]:
    """Blocks that may be codes with their likelihood, likeliest first."""
    found, rows, least = [], [], []
    ink = inked(small)
    printed = _print(lines, small.shape, scale)
    for block in blocks(small, scale):
        words, alone = _shares_of_print(printed, ink, block.quad * scale)
        if words > _SHARE_OF_PRINT:
            continue
        large = max(width(block.quad), height(block.quad)) * scale > 2 * LARGEST
        # A large block is measured at a fraction of its size anyway.
        shrunken = block._replace(quad=block.quad * scale)
        row = measure(small, shrunken, 1.0) if large else measure(grey, block, scale)
        if row is not None:
            found.append(block)
            rows.append(row)
            least.append(_LOOKS_UNREAD if alone > _SHARE_OF_PRINT else _WORTH_READING)
    if not found:
        return []
    judged = zip(found, likelihood(np.array(rows)).tolist(), least, strict=True)
    likely = [(block, looks) for block, looks, limit in judged if looks >= limit]
    return sorted(likely, key=lambda j: -j[1])


def _print(lines: Sequence[Line], shape: tuple[int, ...], scale: float) -> Grey:
    """_WORD or _ALONE where a character was read that is no part of a code, on the working page."""
    mask = np.zeros(shape, np.uint8)
    for line in sorted(lines, key=lambda line: len(line.chars)):  # words over what stands alone
        if line.layer != "ink":
            continue  # a PDF may carry a text layer over anything
        sure = [char for char in line.chars if char.score >= _SURE_PRINT]
        words = sum(not set(char.text) <= _CODE_LIKE for char in sure)
        if 2 * words < len(line.chars):
            continue
        value = _WORD if len(line.chars) > 1 else _ALONE
        for char in sure:
            cv2.fillConvexPoly(mask, np.round(char.quad * scale).astype(np.int32), (value,))
    return mask


def _shares_of_print(printed: Grey, ink: Grey, quad: Quad) -> tuple[float, float]:
    """Shares of the ink in a quad that lie under words, and under characters by themselves."""
    x0, y0, x1, y1 = bounds(quad)
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    field = np.s_[top : math.ceil(y1) + 1, left : math.ceil(x1) + 1]
    if not cv2.countNonZero(printed[field]):
        return 0.0, 0.0
    inside = np.zeros_like(ink[field])
    cv2.fillConvexPoly(inside, np.round(quad - (left, top)).astype(np.int32), (255,))
    marks = cv2.bitwise_and(ink[field], inside)
    under = np.bincount(printed[field][marks > 0], minlength=_WORD + 1)
    whole = max(1, int(under.sum()))
    return float(under[_WORD]) / whole, float(under[_ALONE]) / whole


def _judged(grey: Grey, block: Block, looks: float, scale: float, limit: float) -> Iterator[_Seen]:
    """What a likely block is: the reader's second try on it, upright and enlarged; else its looks.

    Readers miss bars that lie at 45 degrees, and modules of less than two pixels.
    """
    low = min(width(block.quad), height(block.quad))
    pad = max(_BLOCK_PAD * low, 1.5 * 2**block.level / scale)
    quad = grown(block.quad, pad, pad)
    outer = grown(block.quad, 0.3 * low, 0.15 * low)  # start and stop bars may stand apart
    patch = cut_out(grey, outer)
    larger = float(np.clip(160 / low, 1.0, 3.0))
    if larger > 1.0:
        enlarged = cv2.resize(patch, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC)
        patch = np.asarray(enlarged, dtype=np.uint8)
    h, w = patch.shape
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    to_page = np.asarray(
        cv2.getPerspectiveTransform(corners, outer.astype(np.float32)), dtype=np.float64
    )
    codes = zxingcpp.read_barcodes(patch)
    for code in codes:
        place, exact = mapped(_corners(code), to_page), _has_exact_corners(code)
        if code.symbology in _LINEAR:
            place = _full_bars(grey, place)
        place = _padded(place, code)
        # A frame around half the page is a block, too.
        fits = not exact and area(quad) < 4 * area(place)
        whole = around([place, quad]) if fits else place
        yield _Seen(whole, code.text, 1.0, f"{code.format} decoded", exact)
    # The column of a table is longer than any code that is not decoded.
    short = max(width(block.quad), height(block.quad)) < _LONGEST * max(grey.shape)
    if not codes and short and looks >= limit:
        yield _Seen(quad, "", min(round(looks, 2), 0.99), "dense modules or bars, not decodable")


def _corners(code: zxingcpp.Barcode) -> Quad:
    p = code.position
    corners = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
    return np.array([(c.x + 0.5, c.y + 0.5) for c in corners], dtype=np.float64)


def _has_exact_corners(code: zxingcpp.Barcode) -> bool:
    """Whether the reader's corners are those of the code; bars it knows only by some rows."""
    return code.symbology not in _LINEAR and code.symbology != zxingcpp.BarcodeFormat.PDF417


def _read(grey: Grey) -> list[_Seen]:
    """What the reader decodes at first sight; other turns and sizes and light on dark are left to
    the second try on likely blocks, which costs a third of the time."""
    scale = min(1.0, _READER_SIDE / max(grey.shape))
    view = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale)
    codes = zxingcpp.read_barcodes(view, try_rotate=False, try_downscale=False, try_invert=False)
    seen: list[_Seen] = []
    for code in codes:
        quad = _corners(code) / scale
        if code.symbology in _LINEAR:
            quad = _full_bars(grey, quad)
        why = f"{code.format} decoded"
        _add(seen, _Seen(_padded(quad, code), code.text, 1.0, why, _has_exact_corners(code)))
    return seen


_LINEAR = frozenset(
    {
        zxingcpp.BarcodeFormat.Codabar,
        zxingcpp.BarcodeFormat.Code39,
        zxingcpp.BarcodeFormat.Code93,
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.ITF,
        zxingcpp.BarcodeFormat.EANUPC,
        zxingcpp.BarcodeFormat.DataBar,
        zxingcpp.BarcodeFormat.DXFilmEdge,
        zxingcpp.BarcodeFormat.Telepen,
        zxingcpp.BarcodeFormat.OtherBarcode,
    }
)


def _padded(quad: Quad, code: zxingcpp.Barcode) -> Quad:
    across, along = height(quad), width(quad)
    if code.symbology == zxingcpp.BarcodeFormat.EANUPC:
        # Its guard bars reach 5 of 95 modules below the others.
        return grown(quad, 0.03 * along, 0.07 * along)
    if code.symbology in _LINEAR:
        return grown(quad, max(3.0, _LINEAR_PAD * along), 3.0)
    if code.symbology == zxingcpp.BarcodeFormat.PDF417:
        # The reader leaves out the start and stop patterns and half a row at top and bottom.
        return grown(quad, 0.12 * along, max(2.0, 0.12 * across))
    pad = max(2.0, _MATRIX_PAD * max(along, across))
    return grown(quad, pad, pad)


def _full_bars(grey: Grey, quad: Quad) -> Quad:
    """The reader reports only the rows that it scanned; this follows the bars to their ends."""
    length, middle = width(quad), quad.mean(axis=0)
    along = bar_direction(grey, quad)
    across = np.array([-along[1], along[0]])
    # Scan rows that cross a tilted code are longer than the code by 1 / cos(tilt).
    row = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    if float(row @ along) < 0:
        along, across = -along, -across
    length = max(16.0, abs(float(row @ along)))
    columns, reach = max(32, round(length)), math.ceil(length)
    # Row r of the strip lies r - reach pixels below the code's middle.
    origin = middle - along * length / 2 - across * reach
    matrix = np.column_stack([along * length / columns, across, origin])
    strip = cv2.warpAffine(
        grey,
        matrix,
        (columns, 2 * reach + 1),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    rows = strip - strip.mean(axis=1, keepdims=True)
    pattern = rows[reach - 1 : reach + 2].mean(axis=0)
    strength = np.linalg.norm(rows, axis=1)
    norms = strength * max(float(np.linalg.norm(pattern)), 1e-6)
    alike = (rows @ pattern) / np.maximum(norms, 1e-6) > 0.5
    same = alike & (strength > 0.3 * np.linalg.norm(pattern))
    gap = max(3, round(0.12 * length))  # a stroke of a pen across the bars
    top = _last_true(same[: reach + 1][::-1], gap)
    bottom = _last_true(same[reach:], gap)
    start, end = middle - along * length / 2, middle + along * length / 2
    return np.array(
        [
            start - across * (top + 1),
            end - across * (top + 1),
            end + across * (bottom + 1),
            start + across * (bottom + 1),
        ]
    )


def _last_true(run: npt.NDArray[np.bool_], gap: int) -> int:
    """Index of the last True of the run from 0 that is broken by at most `gap` False in a row."""
    last = 0
    for index in np.flatnonzero(run):
        if index - last > gap + 1:
            break
        last = int(index)
    return last


def _add(seen: list[_Seen], new: _Seen) -> None:
    """Adds a place, or joins it with one found before that holds most of it or lies within it."""
    for index, old in enumerate(seen):
        inside = _covered(new.quad, old.quad) > (0.9 if old.exact else 0.995)
        if inside and (old.text or not new.text):
            return
        around_old = _covered(old.quad, new.quad) > 0.7 and area(new.quad) < 4 * area(old.quad)
        if old.exact and not new.text and around_old:
            return  # a decoded code with what stands around it
        overlaps = max(_covered(new.quad, old.quad), _covered(old.quad, new.quad)) > 0.5
        if overlaps and 0.1 < area(new.quad) / max(area(old.quad), 1e-6) < 10:
            better = new if (bool(new.text), new.score) > (bool(old.text), old.score) else old
            seen[index] = replace(better, quad=around([better.quad, old.quad, new.quad]))
            return
    seen.append(new)


def _covered(quad: Quad, by: Quad) -> float:
    """Share of `quad` inside `by`, 0..1; both convex."""
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), by.astype(np.float32))
    return float(shared) / max(area(quad), 1e-6)

"""Finds codes that lead to the person (学信网 links, e-licences), also those no reader can decode.

Three ways, each for what the one before it cannot see:
1. zxing-cpp decodes, or reports where it met a code with errors in it;
2. QR finder patterns (dark-light-dark as 1:1:3:1:1) show codes whose data is smeared or torn;
3. texture: bars are dense edges of one direction that repeat along the bar, matrix codes are
   dense black-and-white blocks without the gaps that text has between its lines.
The decoded text is for the vault's report only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from redactor.finders.code_texture import (
    bar_direction,
    block_quads,
    cut_out,
    finder_pattern_quads,
    is_matrix_code,
)
from redactor.geometry import area, around, grown, height, width
from redactor.page import Finding, Image, Kind, Quad

_LINEAR_PAD = 0.02
"""Share of a bar code's length: about two modules, as its outer bars may be cut by the reader."""
_MATRIX_PAD = 0.05
"""Share of a matrix code's side: one module of the smallest QR code, 21 modules wide."""
_READER_SIDE = 2600
"""Longest side in pixels given to the reader: A4 at 220 dpi. Its time grows with the area."""

_TEXTURE_SIDE = 1700
"""Longest side in pixels for looking at texture: A4 at 145 dpi."""


@dataclass(frozen=True, eq=False)
class _Seen:
    quad: Quad
    text: str
    score: float
    why: str


def find_codes(pixels: Image) -> tuple[Finding, ...]:
    """All QR, Data Matrix, Aztec, PDF417 and bar codes on a page (H, W, 3).

    `Finding.quad` covers the code with its outermost modules; `text` is what it says, '' when it
    cannot be decoded; `score` is 1 when decoded, else 0.6 to 0.8.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    seen = _read(grey)
    fine = min(1.0, _TEXTURE_SIDE / max(grey.shape))
    for scale in (fine, fine / 2):  # small codes, then those with large modules
        shrunk = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = np.asarray(shrunk, dtype=np.uint8)
        if scale == fine:
            for quad in finder_pattern_quads(small):
                _add(seen, _Seen(quad / scale, "", 0.8, "QR finder patterns, not decodable"))
        for quad in block_quads(small):
            _add(seen, _read_upright(grey, quad / scale))
    return tuple(Finding(Kind.CODE, s.quad, s.text, s.score, s.why, "codes") for s in seen)


def _read_upright(grey: npt.NDArray[np.uint8], quad: Quad) -> _Seen:
    """A second try on a code seen by its looks: readers miss bars that lie at 45 degrees."""
    wider = grown(quad, 0.1 * width(quad), 0.1 * height(quad))
    for code in zxingcpp.read_barcodes(cut_out(grey, wider)):
        return _Seen(quad, code.text, 1.0, f"{code.format} decoded")
    return _Seen(quad, "", 0.6, "dense modules or bars, not decodable")


def _read(grey: npt.NDArray[np.uint8]) -> list[_Seen]:
    scale = min(1.0, _READER_SIDE / max(grey.shape))
    view = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale)
    seen: list[_Seen] = []
    for code in zxingcpp.read_barcodes(view, return_errors=True):
        p = code.position
        corners = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
        quad = np.array([(c.x + 0.5, c.y + 0.5) for c in corners], dtype=np.float64) / scale
        linear = code.symbology in _LINEAR
        if not code.valid and (linear or not _plausible(grey, quad)):
            continue  # a row of text can look like bars; texture decides on more rows of it
        if linear:
            quad = _full_bars(grey, quad)
        kind = str(code.format)
        if code.valid:
            _add(seen, _Seen(_padded(quad, code), code.text, 1.0, f"{kind} decoded"))
        else:
            _add(seen, _Seen(_padded(quad, code), "", 0.7, f"{kind} found, not decodable"))
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


def _plausible(grey: npt.NDArray[np.uint8], quad: Quad) -> bool:
    """Whether an erroneous reading looks like a code; readers also trip over cells and text."""
    if min(width(quad), height(quad)) < 16 or area(quad) > 0.25 * grey.size:
        return False
    return is_matrix_code(grey, quad)


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


def _full_bars(grey: npt.NDArray[np.uint8], quad: Quad) -> Quad:
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
        if _covered(new.quad, old.quad) > 0.9:
            return
        overlaps = max(_covered(new.quad, old.quad), _covered(old.quad, new.quad)) > 0.5
        if overlaps and 0.1 < area(new.quad) / max(area(old.quad), 1e-6) < 10:
            better = old if old.score >= new.score else new
            seen[index] = replace(better, quad=around([better.quad, old.quad, new.quad]))
            return
    seen.append(new)


def _covered(quad: Quad, by: Quad) -> float:
    """Share of `quad` inside `by`, 0..1; both convex."""
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), by.astype(np.float32))
    return float(shared) / max(area(quad), 1e-6)

"""Takes a coloured seal off the paper, so that the print under it stays readable.

Nothing of the old pixels is kept but the shapes of black strokes: within the seal's box the paper
is drawn anew from what lies around, as a smooth surface, and the print darkens it alike in all
channels. Hue, saturation and chroma then hold no trace of the seal by construction, and `residue`
proves on the encoded bytes that neither they nor the kept strokes show its text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage

from redactor import geometry
from redactor.channels import brightest, darkest
from redactor.errors import Sentence
from redactor.finders.seal_text import picture_strips
from redactor.finders.seals import SealRegion
from redactor.masking import encode
from redactor.normal_text import is_han
from redactor.page import Finding, Image

OWN = {"red": 2, "other": 0}
"""The channel in which the ink of a seal looks like paper (BGR), by `SealRegion.ink`."""
AROUND = 0.2
"""Paper is looked for this far around a seal, share of its size."""
EVEN_PAPER = 18
"""Grey levels by which paper may differ from a smooth surface."""
LEAST_PAPER = 0.15
"""Share of the surroundings that must be paper, or nobody knows what to draw."""
COLOURED = 40
"""A channel this far above the other two is coloured, grey levels 0..255."""
SAME_PAPER = 0.12
"""Share by which paper within the seal may differ from that around it in the seal's own channel."""
DENSEST_INK = 15
"""Percentile of the ink's brightness that counts as its densest; what is darker is print."""
CLEAR = 0.08
"""Share of the paper's brightness by which print is darker than the densest ink."""
LEAST_CONTRAST = 0.2
"""Share of the paper's brightness between ink and print below which they cannot be told apart."""
FULL_AT = 0.5
"""Print is drawn full from this share of the way between the densest ink and the print's black;
so thin strokes, whose edges the ink swallows, stay as bold as they were."""
CORE = 0.8
"""A stroke of print has a pixel at least this dark; what has none is left of the seal."""
MOST_PRINT = 0.35
"""Share of the seal's box that is print; more is a picture, which cannot be redrawn."""
DARK = 0.92
"""Share of the paper's brightness below which a pixel of a lifted seal is print."""
BLOCK = 16
"""Pixels of a JPEG's chroma block: a crop that starts on a multiple is encoded like the page."""
FLAT = 4.0
"""Grey levels by which a lifted seal's smoothed paper may differ from an even surface."""
PLAIN = 8.0
"""The same from which on a trace is refused even when the reader cannot read it."""
TRACE_SHARE = 0.002
"""Share of the pixels that may exceed these levels."""
FOLLOWS = 0.2
"""Correlation with the old ink from which on a channel holds its shape, be it ever so faint."""
RIPPLE = 8
"""Pixels around print in which encoding ripples: a JPEG's block."""
LETTERS, FILLED = 10, 0.6
"""Width of a seal over that of its letters; share of the ink of a letter that print hides at
most."""
MISTAKEN = 0.01
"""Share of the seal's ink that may be kept as print without a look at what it spells."""
LEGIBLE = 3
"""Chinese characters read in a strip from which on the ring's text counts as readable."""

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lifted:
    """`pixels`: a page-sized copy with one seal lifted. `print_share`: share of the seal's box
    that was kept as black print, 0..1."""

    pixels: Image
    print_share: float


def lift(pixels: Image, region: SealRegion) -> Lifted | None:
    """The page without the ink of a red or blue seal; None where that is not possible.

    Not possible: grey and black seals, ink as dark as print, a coloured or uneven ground, a
    picture under the seal. The caller then paints the seal over.
    """
    own = OWN.get(region.ink)
    if own is None:
        return None
    x0, y0, x1, y1 = _box(pixels, region, AROUND)
    part = pixels[y0:y1, x0:x1]
    inside = _inside(part, region, (x0, y0))
    paper = _paper(part, inside)
    if paper is None or not inside.any():
        return None
    light = part[:, :, own].astype(np.float32) / np.maximum(paper[:, :, own], 1)
    cover = _print(part, light, inside > 0, own)
    if cover is None:
        return None
    depth = max(float(paper.min(axis=2)[inside > 0].min()) - 30, 0)
    drawn = np.clip(paper - cover[:, :, None] * depth, 0, 255).round().astype(np.uint8)
    lifted = pixels.copy()
    lifted[y0:y1, x0:x1] = np.where(inside[:, :, None] > 0, drawn, part)
    return Lifted(lifted, float((cover[inside > 0] > 0.5).mean()))


def lift_seals(
    pixels: Image,
    findings: Sequence[Finding],
    regions: Sequence[SealRegion],
    read_text: Callable[[Image], str],
) -> tuple[Image, tuple[Finding, ...]]:
    """(the page with its seals lifted, the findings; those that could not be are `lifted` no more).

    `regions`: the page's seals. A seal that cannot be lifted, or of which a trace could be made
    out, is left to be painted over.
    """
    page, judged = pixels, []
    for finding in findings:
        done = None
        region = next((r for r in regions if geometry.holds(r.quad, finding.quad)), None)
        if finding.lifted and region is not None:
            done = lift(page, region)
            if done is not None and residue(page, done.pixels, region, read_text) is not None:
                done = None
        page = page if done is None else done.pixels
        judged.append(replace(finding, lifted=done is not None))
    return page, tuple(judged)


def residue(
    before: Image, after: Image, region: SealRegion, read_text: Callable[[Image], str]
) -> Sentence | None:
    """Why a lifted seal's text may still be made out, None when it cannot.

    `before`: the page with the seal; `after`: the page once it was lifted, encoded and decoded
    here as it will be released. Where no print is, every channel must be an even surface that
    does not follow the old ink, however faintly. A plain trace is refused at once, a faint one is
    stretched and read, channel by channel. Strokes that were kept as print though
    they had the seal's colour are read by themselves. `read_text`: the text of a picture of
    straight lines.
    """
    x0, y0, x1, y1 = _box(after, region, 0.0)
    x0, y0 = x0 // BLOCK * BLOCK, y0 // BLOCK * BLOCK
    place = np.s_[y0 : y1 + BLOCK, x0 : x1 + BLOCK]
    released, ink = _released(after[place]), _ink(before[place], OWN[region.ink])
    moved = region.moved(-x0, -y0)
    inside = _inside(released, region, (x0, y0)) > 0
    dark = _dark(released, inside)
    mistaken = _mistaken(dark, ink, max(x1 - x0, y1 - y0))
    if mistaken is not None and _legible(mistaken, moved, read_text):
        return _READABLE
    # Encoding ripples within the blocks that print touches, in brightness but not in chroma.
    ripples = cv2.dilate(dark, np.ones((2 * RIPPLE + 1, 2 * RIPPLE + 1), np.uint8)) > 0
    uneven = []
    for plane, chroma in _channels(released):
        trace, alike = _trace(plane, inside if chroma else inside & ~ripples, ink)
        if trace > PLAIN or alike > FOLLOWS:
            return _TRACE
        if trace > FLAT:
            uneven.append(plane)
    if uneven:
        uneven.append(_hue(released))
    bare = inside & (cv2.dilate(dark, np.ones((5, 5), np.uint8)) == 0)
    if any(_legible(_stretched(plane, bare), moved, read_text) for plane in uneven):
        return _READABLE
    return None


_READABLE = Sentence(
    "印章文字去除后仍可辨认，已改为涂黑。",
    "The text of the lifted seal could still be read; it was painted over instead.",
)
_TRACE = Sentence(
    "印章去除后仍有明显痕迹，已改为涂黑。",
    "The lifted seal left a plain trace; it was painted over instead.",
)


def _box(pixels: Image, region: SealRegion, around: float) -> tuple[int, int, int, int]:
    """The seal's box on the page, wider by a share of its size on each side."""
    x0, y0, x1, y1 = geometry.bounds(region.quad)
    margin = around * max(x1 - x0, y1 - y0)
    height, width = pixels.shape[:2]
    return (
        max(0, int(x0 - margin)),
        max(0, int(y0 - margin)),
        min(width, int(np.ceil(x1 + margin))),
        min(height, int(np.ceil(y1 + margin))),
    )


def _inside(part: Image, region: SealRegion, origin: tuple[int, int]) -> Mask:
    """255 within the seal's box."""
    mask = np.zeros(part.shape[:2], np.uint8)
    corners = np.round(region.quad - np.array(origin)).astype(np.int32)
    return np.asarray(cv2.fillConvexPoly(mask, corners, (255,)), np.uint8)


def _paper(part: Image, inside: Mask) -> Plane | None:
    """The colour of the paper as a surface of second degree in x and y for each channel, fitted
    to the surroundings alone; None where too little of them is paper, or paper is coloured."""
    outside = cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0
    ys, xs = np.nonzero(outside)
    if len(ys) < 200:
        return None
    some = np.linspace(0, len(ys) - 1, min(len(ys), 6000)).astype(int)
    ys, xs = ys[some], xs[some]
    colours = part[ys, xs].astype(np.float64)
    terms = _terms(xs, ys, part.shape)
    darkest_first = colours.min(axis=1)
    good = darkest_first >= np.percentile(darkest_first, 50)
    for degree_terms in (3, 3, 6, 6):
        fit = np.linalg.lstsq(terms[good, :degree_terms], colours[good], rcond=None)[0]
        good = (np.abs(colours - terms[:, :degree_terms] @ fit) < EVEN_PAPER).all(axis=1)
        if good.mean() < LEAST_PAPER:
            return None
    height, width = part.shape[:2]
    grid = np.indices((height, width)).reshape(2, -1)
    paper = (_terms(grid[1], grid[0], part.shape) @ fit).reshape(height, width, 3)
    middle = np.median(paper.reshape(-1, 3), axis=0)
    if middle.max() - middle.min() > COLOURED or paper.min() < 60:
        return None
    return np.asarray(paper.clip(0, 255), np.float32)


def _terms(
    xs: npt.NDArray[np.int64], ys: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """1, x, y, then the products of second degree, x and y from -1 to 1."""
    x, y = 2 * xs / shape[1] - 1, 2 * ys / shape[0] - 1
    return np.column_stack([np.ones(len(x)), x, y, x * x, x * y, y * y])


def _print(part: Image, light: Plane, inside: npt.NDArray[np.bool_], own: int) -> Plane | None:
    """How much print covers each pixel, 0..1; None where ink and print cannot be told apart.

    `light`: brightness in the ink's own channel, the paper's being 1.
    """
    ink = inside & (_ink(part, own) > COLOURED)
    if not ink.any():
        return None
    paper = light[inside & (light > np.percentile(light[inside], 50))]
    if abs(float(np.median(paper)) - 1) > SAME_PAPER:
        return None
    bound = min(float(np.percentile(light[ink], DENSEST_INK)), 0.85) - CLEAR
    kept = inside & (light < bound)
    black = float(np.percentile(light[kept], 5)) if kept.sum() > 20 else 0.2
    black = min(black, 0.35)
    if bound - black < LEAST_CONTRAST:
        return None
    cover = np.clip((bound - light) / (FULL_AT * (bound - black)), 0, 1)
    cover[~inside] = 0
    if float((cover > 0.5)[inside].mean()) > MOST_PRINT:
        return None
    _, labels = cv2.connectedComponents((cover > 0).astype(np.uint8))
    cores = np.zeros(int(labels.max()) + 1, bool)
    cores[np.unique(labels[light < bound - CORE * (bound - black)])] = True
    cores[0] = False
    return np.asarray(np.where(cores[labels], cover, 0), np.float32)


def _released(part: Image) -> Image:
    """Pixels as they come out of the released file."""
    picture = PillowImage.open(io.BytesIO(encode(part, "jpg", 200))).convert("RGB")
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def _dark(part: Image, inside: npt.NDArray[np.bool_]) -> Mask:
    """255 on the print of a lifted seal."""
    light = brightest(part)
    paper = float(np.percentile(light[inside], 80))
    return np.where(inside & (light < DARK * paper), np.uint8(255), np.uint8(0))


def _channels(part: Image) -> Iterator[tuple[Mask, bool]]:
    """(a channel; whether print leaves it alone) of every way to look at a colour picture but
    hue, which is noise on paper."""
    blue, green, red = (np.asarray(c, np.uint8) for c in cv2.split(part))
    _, red_chroma, blue_chroma = cv2.split(cv2.cvtColor(part, cv2.COLOR_BGR2YCrCb))
    light, a, b = cv2.split(cv2.cvtColor(part, cv2.COLOR_BGR2Lab))
    saturation = cv2.split(cv2.cvtColor(part, cv2.COLOR_BGR2HSV))[1]
    for plane in (blue, green, red, brightest(part), darkest(part), light, a, b, saturation):
        yield np.asarray(plane, np.uint8), False
    for plane in (red_chroma, blue_chroma):
        yield np.asarray(plane, np.uint8), True
    for one, other in ((red, green), (red, blue), (green, blue)):
        yield np.clip(one.astype(np.int16) - other + 128, 0, 255).astype(np.uint8), True


def _hue(part: Image) -> Mask:
    return np.asarray(cv2.split(cv2.cvtColor(part, cv2.COLOR_BGR2HSV))[0], np.uint8)


def _ink(part: Image, own: int) -> Mask:
    """How strongly each pixel has the seal's colour, grey levels."""
    others = cv2.max(part[:, :, 1], part[:, :, 2 - own])
    return np.asarray(cv2.subtract(np.ascontiguousarray(part[:, :, own]), others), np.uint8)


def _mistaken(dark: Mask, ink: Mask, size: float) -> Image | None:
    """A picture of the seal's strokes that were kept as print; None without.

    Print crosses the seal's strokes, it does not fill them: where most of the ink around a pixel
    stayed dark, it is the ink that was kept. `size`: of the seal, pixels.
    """
    side = max(3, round(size / LETTERS))
    coloured = (ink > COLOURED).astype(np.float32)
    kept = coloured * (dark > 0)
    most = cv2.blur(kept, (side, side)) > FILLED * cv2.blur(coloured, (side, side))
    wrong = (kept > 0) & most
    if wrong.sum() <= MISTAKEN * coloured.sum():
        return None
    picture = np.where(wrong, np.uint8(0), np.uint8(255))
    return np.repeat(picture[:, :, None], 3, axis=2)


def _trace(plane: Mask, place: npt.NDArray[np.bool_], ink: Mask) -> tuple[float, float]:
    """(how far the smoothed channel leaves an even surface at worst, grey levels; how closely it
    follows the old ink, correlation 0..1)."""
    if place.sum() < 200:
        return 0.0, 0.0
    ys, xs = np.nonzero(place)
    some = np.linspace(0, len(ys) - 1, min(len(ys), 4000)).astype(int)
    terms = _terms(xs, ys, plane.shape)
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 1.0)[ys, xs]
    fit = np.linalg.lstsq(terms[some], smooth[some], rcond=None)[0]
    rest = smooth - terms @ fit
    shape = cv2.GaussianBlur(ink.astype(np.float32), (0, 0), 1.0)[ys, xs]
    shape = shape - shape.mean()
    alike = float(rest @ shape / (np.linalg.norm(rest) * np.linalg.norm(shape) + 1e-6))
    return float(np.quantile(np.abs(rest), 1 - TRACE_SHARE)), abs(alike)


def _stretched(plane: Mask, place: npt.NDArray[np.bool_]) -> Image:
    """The channel at full contrast of what lies at `place`, ink dark, the rest left white."""
    if not place.any():
        return np.full((*plane.shape, 3), 255, np.uint8)
    low, high = (float(v) for v in np.percentile(plane[place], (0.5, 99.5)))
    full = np.clip((plane.astype(np.float32) - low) * (255 / max(high - low, 1)), 0, 255)
    if np.median(full[place]) < 128:
        full = 255 - full
    full[~place] = 255
    return np.repeat(full.astype(np.uint8)[:, :, None], 3, axis=2)


def _legible(part: Image, region: SealRegion, read_text: Callable[[Image], str]) -> bool:
    """Whether text is read along the ring or in the rows of a seal."""
    for strip, rows in picture_strips(part, region):
        count = sum(map(is_han, read_text(strip)))
        if (count if rows else count // 2) >= LEGIBLE:
            return True
    return False

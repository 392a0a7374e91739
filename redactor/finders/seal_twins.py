"""Finds a dossier's known seals again where the seal finder missed them: faint, overwritten, grey.

A seal that was found on one page tells what to look for on the others. Its ink is kept as a small
picture; on another page places are proposed by the ring votes (round seals) or by its coarse
picture (others), and proved by the correlation of both unwound around the centre, for all
rotations at once. Print over the seal and seals found already have no weight.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.channels import brightest, darkest
from redactor.finders.seal_ink import square
from redactor.finders.seal_rings import ring_centres
from redactor.finders.seals import SealRegion
from redactor.page import Finding, Image, Kind, Quad

PER_MM = 2.0
"""Pixels per mm of a print and of the page on which it is sought, about 50 dpi."""
COARSE_PER_MM, COARSE_STEP, COARSE_BLUR = 0.6, 10, 0.8
"""Pixels per mm, degrees between the rotations and blur (pixels) with which seals without a ring
are proposed."""
PAPER_MM = 9.0
"""Paper is looked for within about this distance of a pixel."""
DEEPEST = 70
"""Grey levels: ink that is darker counts no more than this."""
FINE = 2
"""Print is told from ink at this many times the resolution, where its strokes are still dark."""
PRINT = 130
"""Grey levels below the paper from which on ink is print, which lies over the seal."""
TINT, TINTED = 20, 0.0003
"""Grey levels between a pixel's channels that are a colour; share of a colour page they take."""
ANGLES, ROWS = 192, 14
INNER, OUTER = 0.45, 0.95
"""Shares of the radius between which seals are compared: without the ring
and the star, which all share."""
LEAST_INK = 0.2
"""Pixels with any ink, as a share of the squared radius, without which no seal is sought."""
FULL_WINDOW = 0.05
"""Share of a window that must have some ink, or no seal is there."""
LETTER_ARC, FAINTEST = 16, 1.0
"""Directions (of `ANGLES`) on both sides over which what is common is taken away; grey levels by
which a seal's letters stand out at least."""
CLOSER = 2
"""Proposals that are looked at closely."""
PROPOSALS, LEAST_VOTE, LEAST_COARSE = 6, 0.12, 0.12
PROMISING, HOPEFUL, SAME = 0.23, 0.35, 0.60
"""Correlation from which a place is looked at closely, more closely still, and is the seal. The
letters of other seals and of print reached 0.55 at most on 264 sample pages."""
MOST_TWINS = 3
"""How often one seal may stand on a page unfound."""
LEAST_SEEN = 0.4
"""Share of the seal's disc that must be open to view."""
ALIKE = 0.6
"""Correlation from which two prints are of one seal."""
SMALLEST_MM = 8.0
"""Radius of the smallest seal; smaller finds are finger prints."""
MARGIN = 1.06
"""A mask is larger than the seal by this factor."""

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SealPrint:
    """A seal as it looked on the page where it was found.

    `strength`: (n, n) uint8, its ink at `PER_MM`, centre in the middle. `radius`: half its longer
    side, mm. `corners`: (4, 2) its quad around the centre, mm. `shape`, `ink`: as in SealRegion.
    """

    strength: npt.NDArray[np.uint8]
    radius: float
    corners: npt.NDArray[np.float64]
    shape: str
    ink: str


def describe(pixels: Image, region: SealRegion, dpi: float) -> SealPrint | None:
    """The print of a seal that was found on `pixels`; None when the page cuts it
    or it is too small to tell."""
    if region.shape == "cut":
        return None
    per_mm = max(dpi, 20.0) / 25.4
    middle = region.quad.mean(axis=0)
    corners = (region.quad - middle) / per_mm
    radius = float(max(geometry.width(corners), geometry.height(corners)) / 2 / 1.05)
    if region.ellipse is not None:
        middle = np.array(region.ellipse[0])
        radius = float(max(region.ellipse[1])) / 2 / per_mm
    half = 1.1 * radius * per_mm
    left, top = (max(0, int(v - half - 4 * per_mm)) for v in middle)
    right, bottom = (int(v + half + 4 * per_mm) for v in middle)
    if radius < SMALLEST_MM:
        return None
    look = _Look(pixels[top : bottom + 1, left : right + 1], dpi)
    plane, _ = look.plane(region.ink)
    size = round(2 * 1.1 * radius * PER_MM) | 1
    scale = per_mm / PER_MM * look.scale
    x, y = ((middle - (left, top)) * look.scale).tolist()
    matrix = np.array([[scale, 0, x - scale * size / 2], [0, scale, y - scale * size / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ink = cv2.warpAffine(plane, matrix, (size, size), flags=flags)
    full = max(float(np.percentile(ink, 97)), 1.0)
    strength = np.clip(ink * (255 / full), 0, 255).astype(np.uint8)
    return SealPrint(strength, radius, corners, region.shape, region.ink)


def distinct_prints(prints: Iterable[SealPrint]) -> tuple[SealPrint, ...]:
    """One print of each seal, so that every seal is sought once however often it was found."""
    kept: list[SealPrint] = []
    for one in prints:
        if not any(_alike(one, other) for other in kept):
            kept.append(one)
    return tuple(kept)


def find_twins(
    pixels: Image, dpi: float, prints: Sequence[SealPrint], found: Iterable[Finding]
) -> tuple[Finding, ...]:
    """Places where one of the `prints` stands on an upright page though nothing found it.

    `found`: what is masked already. `dpi`: resolution of `pixels`.
    """
    if not prints or min(pixels.shape[:2]) < 64:
        return ()
    look = _Look(pixels, dpi)
    done = np.zeros(look.small.shape[:2], np.uint8)
    for finding in found:
        cv2.fillConvexPoly(done, np.round(finding.quad * look.scale).astype(np.int32), (1,))
    twins: list[Finding] = []
    for print_ in prints:
        for ink in _inks(look, print_):
            for _ in range(MOST_TWINS):
                best = _best(look, print_, ink, done)
                if best is None:
                    break
                score, x, y, turn, scale = best
                quad = _quad(print_, (x, y), turn, scale * look.per_mm) / look.scale
                why = f"{print_.shape} seal, known from another page of the dossier"
                twins.append(Finding(Kind.SEAL, quad, "", score, why, "seal_twins"))
                cv2.fillConvexPoly(done, np.round(quad * look.scale).astype(np.int32), (1,))
    return tuple(twins)


def _inks(look: _Look, print_: SealPrint) -> list[str]:
    """The inks in which a seal may stand on a page: its own, and grey where somebody copied it."""
    if print_.ink == "grey" or not look.coloured:
        return ["grey"]
    return [print_.ink, "grey"] if print_.shape == "round" else [print_.ink]


class _Look:
    """A page at about `PER_MM`. `scale`: its pixels per page pixel. `coloured`: not a grey copy."""

    def __init__(self, pixels: Image, dpi: float) -> None:
        per_mm = max(dpi, 20.0) / 25.4
        times = max(1, round(per_mm / PER_MM / FINE))
        self._fine = _reduced(pixels, times)
        self.small = _reduced(self._fine, FINE)
        self.scale = 1 / times / FINE
        self.per_mm = per_mm * self.scale
        tint = cv2.subtract(brightest(self.small), darkest(self.small)) > TINT
        self.coloured = bool(tint.mean() > TINTED)
        self.plane = functools.cache(self._plane)
        self.centres = functools.cache(self._centres)

    def _plane(self, ink: str) -> tuple[Plane, Plane]:
        """(how strong a kind of ink is at each pixel, 0..DEEPEST; weights 0..1)."""
        if ink == "grey":
            return self._grey()
        own = 2 if ink == "red" else 0
        channels = cv2.split(self.small)
        excess = cv2.subtract(channels[own], cv2.max(channels[1], channels[2 - own]))
        plane = np.minimum(excess, DEEPEST).astype(np.float32)
        return plane, np.ones_like(plane)

    def _centres(self, ink: str, radius: float) -> list[tuple[float, float]]:
        """Where rings of a radius (mm) may stand."""
        stretched = np.clip(self.plane(ink)[0] * (255 / DEEPEST), 0, 255).astype(np.uint8)
        return ring_centres(stretched, self.per_mm, radius, LEAST_VOTE, PROPOSALS)

    def _grey(self) -> tuple[Plane, Plane]:
        """(how much darker than the paper around it the paper between print is; how much of each
        pixel is not print, 0..1)."""
        low = darkest(self._fine)
        depth = _depth(low, self.per_mm * FINE)
        size = self.small.shape[1::-1]
        print_ = cv2.dilate((depth > PRINT).astype(np.uint8), np.ones((3, 3), np.uint8))
        bare = np.float32(1) - print_.astype(np.float32)
        share = cv2.resize(bare, size, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(np.minimum(depth, DEEPEST) * bare, size, interpolation=cv2.INTER_AREA)
        return np.asarray(mean / np.maximum(share, 0.05), np.float32), np.asarray(share, np.float32)


def _reduced(pixels: Image, times: int) -> Image:
    height, width = (n // times for n in pixels.shape[:2])
    whole = pixels[: height * times, : width * times]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _depth(low: npt.NDArray[np.uint8], per_mm: float) -> npt.NDArray[np.uint8]:
    """How much darker than the paper around it each pixel is."""
    quarter = cv2.resize(low, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(quarter, cv2.MORPH_CLOSE, square(PAPER_MM * per_mm / 4))
    paper = cv2.resize(cv2.blur(closed, (5, 5)), low.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.subtract(paper, low), np.uint8)


def _best(
    look: _Look, print_: SealPrint, ink: str, done: npt.NDArray[np.uint8]
) -> tuple[float, float, float, float, float] | None:
    """(correlation, x, y, degrees clockwise, scale) of the likeliest place; None below `SAME`."""
    plane, open_ = look.plane(ink)
    plane, open_ = plane * (done == 0), open_ * (done == 0)
    if np.count_nonzero(plane > FAINTEST) < LEAST_INK * (print_.radius * look.per_mm) ** 2:
        return None
    template = _Template.of(print_)
    if print_.shape == "round":
        places = look.centres(ink, round(print_.radius))
    else:
        places = _proposals(plane, look.per_mm, print_)
    looks = [(*template.compare(plane, open_, x, y, look.per_mm), x, y, 1.0) for x, y in places]
    promising = sorted((one for one in looks if one[0] >= PROMISING), reverse=True)[:CLOSER]
    refined = [_refined(template, plane, open_, one, look.per_mm) for one in promising]
    if not refined or max(refined)[0] < SAME:
        return None
    score, turn, x, y, scale = max(refined)
    return score, x, y, turn, scale


def _proposals(plane: Plane, per_mm: float, print_: SealPrint) -> list[tuple[float, float]]:
    """Centres at which a seal that has no ring may stand."""
    share = COARSE_PER_MM / per_mm
    page = cv2.resize(plane, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    page = cv2.GaussianBlur(page, (0, 0), COARSE_BLUR)
    own = COARSE_PER_MM / PER_MM
    small = cv2.resize(print_.strength, None, fx=own, fy=own, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), COARSE_BLUR)
    half = np.array(small.shape[::-1]) / 2
    if min(small.shape) < 6 or min(page.shape) <= max(small.shape):
        return []
    best: Plane | None = None
    for turn in range(0, 360, COARSE_STEP):
        matrix = cv2.getRotationMatrix2D(tuple(half - 0.5), -turn, 1.0)
        turned = cv2.warpAffine(small, matrix, small.shape[::-1]).astype(np.float32)
        match = np.asarray(cv2.matchTemplate(page, turned, cv2.TM_CCOEFF_NORMED), np.float32)
        best = match if best is None else np.maximum(best, match)
    assert best is not None
    # Where the window is empty the correlation is not defined and cv2 gives anything.
    filled = cv2.boxFilter(
        (page > 2).astype(np.float32), -1, small.shape[::-1], borderType=cv2.BORDER_CONSTANT
    )
    height, width = best.shape
    top, left = (n // 2 for n in small.shape)
    best[filled[top : top + height, left : left + width] < FULL_WINDOW] = 0
    peak = cv2.dilate(best, np.ones((7, 7), np.uint8))
    ys, xs = np.nonzero((best >= peak) & (best > LEAST_COARSE))
    order = np.argsort(-best[ys, xs])[:PROPOSALS]
    places = [((xs[i] + half[0]) / share, (ys[i] + half[1]) / share) for i in order]
    # A coarse pixel is wider than a letter's stroke is apart from the next.
    aside = [(dx / share, dy / share) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    near = [(x + dx, y + dy) for x, y in places[:CLOSER] for dx, dy in aside]
    return near + places[CLOSER:]


@dataclass(frozen=True, eq=False)
class _Template:
    """A print unwound: spectra along the angle of its values and of their squares, by row."""

    values: npt.NDArray[np.complex128]
    squares: npt.NDArray[np.complex128]
    radius: float

    @classmethod
    def of(cls, print_: SealPrint) -> _Template:
        middle = len(print_.strength) / 2
        plane = print_.strength.astype(np.float32)
        values = _unwound(plane, middle, middle, print_.radius * PER_MM)
        values = _letters(values, np.ones_like(values))
        spectrum = np.fft.rfft(values, axis=1)
        return cls(spectrum, np.fft.rfft(values * values, axis=1), print_.radius)

    def compare(
        self, plane: Plane, weight: Plane, x: float, y: float, per_mm: float
    ) -> tuple[float, float]:
        """(correlation with the place around (x, y), degrees clockwise), best of all turns."""
        size = self.radius * per_mm
        values, open_ = _unwound(plane, x, y, size), _unwound(weight, x, y, size)
        seen = float(open_.sum())
        if seen < LEAST_SEEN * open_.size:
            return 0.0, 0.0
        values = _letters(values, open_)
        masked = values * open_
        sum_, square_sum = float(masked.sum()), float((masked * values).sum())

        def along(page: npt.NDArray[np.float32], own: npt.NDArray[np.complex128]) -> np.ndarray:
            spectrum = (np.fft.rfft(page, axis=1) * np.conj(own)).sum(axis=0)
            return np.asarray(np.fft.irfft(spectrum, ANGLES))

        own = along(open_, self.values)
        common = along(masked, self.values) - sum_ * own / seen
        spread = along(open_, self.squares) - own * own / seen
        deviation = square_sum - sum_ * sum_ / seen
        if deviation < FAINTEST * FAINTEST * seen:
            return 0.0, 0.0
        scores = common / np.sqrt(np.maximum(spread * deviation, 1e-6))
        best = int(scores.argmax())
        return float(scores[best]), best * 360 / ANGLES


def _unwound(plane: Plane, x: float, y: float, radius: float) -> Plane:
    """(ROWS, ANGLES) of a disc, clockwise from the right; 0 beyond the plane."""
    turn = np.arange(ANGLES) * 2 * np.pi / ANGLES
    reach = np.linspace(INNER, OUTER, ROWS)[:, None] * radius
    xs, ys = x + reach * np.cos(turn) - 0.5, y + reach * np.sin(turn) - 0.5
    return np.asarray(
        cv2.remap(plane, xs.astype(np.float32), ys.astype(np.float32), cv2.INTER_LINEAR,
                  borderMode=cv2.BORDER_CONSTANT, borderValue=(0,)),
        np.float32,
    )  # fmt: skip


def _letters(values: Plane, weight: Plane) -> Plane:
    """What changes along the ring as quickly as letters do, without rings, slopes and shades."""

    def mean(plane: Plane) -> Plane:
        wrapped = np.hstack([plane[:, -LETTER_ARC:], plane, plane[:, :LETTER_ARC]])
        return cv2.blur(wrapped, (2 * LETTER_ARC + 1, 1))[:, LETTER_ARC:-LETTER_ARC]  # type: ignore[return-value]

    return np.asarray(values - mean(values * weight) / np.maximum(mean(weight), 0.05), np.float32)


def _refined(
    template: _Template,
    plane: Plane,
    weight: Plane,
    start: tuple[float, float, float, float, float],
    per_mm: float,
) -> tuple[float, float, float, float, float]:
    """(correlation, turn, x, y, scale) after moving and stretching the place a little."""
    best = start
    for step, stretch in ((1.0, 0.06), (0.5, 0.03), (0.4, 0.02)):
        _, _, x, y, scale = best
        around = [(dx, dy, 1.0) for dx in (-step, 0.0, step) for dy in (-step, 0.0, step)]
        for dx, dy, size in (*around, (0.0, 0.0, 1 - stretch), (0.0, 0.0, 1 + stretch)):
            if size != 1.0:
                _, _, x, y, _ = best
            at = (x + dx * per_mm, y + dy * per_mm)
            score, turn = template.compare(plane, weight, *at, per_mm * scale * size)
            if score > best[0]:
                best = (score, turn, *at, scale * size)
        if best[0] < HOPEFUL:
            break
    return best


def _quad(print_: SealPrint, middle: tuple[float, float], turn: float, per_mm: float) -> Quad:
    """What covers the twin, in pixels of the look."""
    corners = MARGIN * per_mm * print_.corners
    if print_.shape != "round":
        angle = np.radians(turn)
        cos, sin = np.cos(angle), np.sin(angle)
        corners = corners @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray(corners + middle, np.float64)


def _alike(one: SealPrint, other: SealPrint) -> bool:
    """Whether two prints are of the same seal."""
    if one.shape != other.shape or not 0.9 < one.radius / other.radius < 1.11:
        return False
    plane = other.strength.astype(np.float32)
    middle = len(plane) / 2
    start = (0.0, 0.0, middle, middle, other.radius / one.radius)
    return _refined(_Template.of(one), plane, np.ones_like(plane), start, PER_MM)[0] >= ALIKE

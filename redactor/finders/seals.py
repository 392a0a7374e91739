"""Finds official seals (公章) on a page, whatever their outline and ink.

Coloured seals are found as framed blobs of red or blue ink and by their ring; in grey copies, over
other red things and where the page cuts them (骑缝章), the ring alone tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.seal_blobs import Blob, find_blobs, find_frames
from redactor.finders.seal_ink import Grey, Sheet, sheet_of
from redactor.finders.seal_rings import PERFECT, Ellipse, Ring, find_rings, measured
from redactor.finders.seal_text import names_unit, readable, seal_strips, suspicious
from redactor.identity import Identity
from redactor.page import Finding, Image, Kind, Quad

MARGIN = 0.025
"""A mask is larger than its seal by this share of the seal's size on each side."""
LEAST_VOTE_INK, LEAST_VOTE_RED = 0.55, 0.22
"""Votes of a candidate ring, about 1.5 for a clean ring, less where it is cut or broken."""
SMALLEST_PAGE = 32
"""Pixels; narrower pictures hold no seal that could be told."""
SMALLEST_MM = 8.5
"""Radius of the smallest ring, mm; smaller ones are portraits' and letters' curves."""
COVER_INK, COVER_RED = 0.88, 0.70
"""Share of the visible ring with a steady edge, in any ink and in red, where no print disturbs."""
LEAST_INKED, PALE = 0.25, 12
"""Share of a ring's line that has an ink's colour; grey levels between a pale one's channels."""
COVER_TINT = 0.8
"""Share of the ring with a steady edge in a pale colour, which counts as red does."""
LEAST_RED_MM2 = 1.5
"""Less red or blue ink is dust: the shortest arc of the smallest ring is 14 mm long."""
LEAST_ARC = 0.27
"""Share of the whole ring with an edge: a seal cut to a third still has this much."""
OUTSIDE, INSIDE = 0.35, 0.75
"""Most ink just outside the ring and within it; discs and dense pictures have more."""
DENSEST = 0.9
"""Most ink within a perfect ring."""
MOST_BLIND, FLAWLESS, FLAWLESS_RED, RED_ARC = 0.1, 0.98, 0.9, 0.5
"""A ring of which more than this share runs through pictures must be there almost wholly; of a red
one, which no portrait draws, the part beside the picture and half of it in all."""
INK = 30
"""Grey levels below the paper from which on ink counts as part of a frame."""
DOUBTED_MM, DOUBTED_COVER, DOUBTED_ARC = 12.0, 0.75, 0.6
DOUBTED_OUTSIDE, DOUBTED_INSIDE, BEYOND_DOUBT = 0.3, 0.6, 0.9
"""The same of a ring that may be a seal on a page that has others: over a portrait, or too pale for
its page. Radius in mm. The last is the share of its edge from which it is masked unasked."""
OVAL, OVAL_MM, DOUBTED_OVAL = 1.45, (15.0, 26.0), 0.72
"""Longer over shorter axis of oval seals (45 x 30 mm and the like); half of the longer, mm; share
of the edge from which a broken one is for a person to look at."""
CUT = 0.97
"""A ring of whose box less than this share lies on the page is cut."""
SAME = 0.35
"""Regions that overlap by this share of the smaller one are one seal."""

COVERED, ALIKE = 0.995, 1.25
"""Share of a ring's box that its blob's covers to hold it, and how much larger the blob's may be
to hold nothing else."""


@dataclass(frozen=True, eq=False)
class SealRegion:
    """A seal. `quad`: covers all of it, page pixels. `shape`: round, oval, square, triangle, cut.

    `ink`: red, grey (black or no colour at all) or other. `score`: share of the frame that is
    there, 0..1. `ellipse`: ((x, y), (axis, axis), degrees) of the outer ring of round and oval
    seals, page pixels; None for others. `ring`: found by its ring, not as a blob. `sure`: False
    when a person must look whether it is a seal.
    """

    quad: Quad
    shape: str
    ink: str
    score: float
    ellipse: Ellipse | None = None
    ring: bool = False
    sure: bool = True

    def moved(self, dx: float, dy: float) -> SealRegion:
        """The same seal on a page whose origin lies elsewhere."""
        ellipse = self.ellipse
        if ellipse is not None:
            (x, y), axes, turn = ellipse
            ellipse = ((x + dx, y + dy), axes, turn)
        return replace(self, quad=self.quad + (dx, dy), ellipse=ellipse)


def find_seals(pixels: Image, dpi: float, doubtful: bool = False) -> tuple[SealRegion, ...]:
    """All seals of a page, none twice. `dpi`: resolution of `pixels`.

    With `doubtful` also those of which a person must say whether they are seals, last.
    """
    if min(pixels.shape[:2]) < SMALLEST_PAGE:
        return ()
    sheet = sheet_of(pixels, dpi)
    regions: list[SealRegion] = []
    doubted: list[SealRegion] = []
    if cv2.countNonZero(sheet.red) >= LEAST_RED_MM2 * sheet.per_mm**2:
        regions += [
            _of_blob(b, "red", sheet) for b in find_blobs(sheet.red, sheet.pictures, sheet.per_mm)
        ]
        for ring in find_rings(sheet.red, sheet.pictures, sheet.per_mm, LEAST_VOTE_RED):
            if _is_seal(ring, sheet, red=True):
                regions.append(_of_ring(ring, "red", sheet))
    if cv2.countNonZero(sheet.blue) >= LEAST_RED_MM2 * sheet.per_mm**2:
        regions += [
            _of_blob(b, "other", sheet)
            for b in find_blobs(sheet.blue, sheet.pictures, sheet.per_mm)
        ]
    for ring in find_rings(sheet.dark, sheet.pictures, sheet.per_mm, LEAST_VOTE_INK):
        if _is_seal(ring, sheet, red=False) or _is_tinted(ring, sheet):
            regions.append(_of_ring(ring, _ink(ring, sheet, pixels), sheet))
        elif doubtful and _may_be_seal(ring, sheet):
            doubted.append(replace(_of_ring(ring, _ink(ring, sheet, pixels), sheet), sure=False))
    ink = np.asarray(cv2.threshold(sheet.dark, INK, 255, cv2.THRESH_BINARY)[1], np.uint8)
    regions += [_of_blob(b, "grey", sheet) for b in find_frames(ink, sheet.pictures, sheet.per_mm)]
    found = _distinct(regions)
    if not found:
        return ()
    if doubtful and not cv2.countNonZero(sheet.tint):
        doubted += _broken_ovals(sheet)
    clear = _distinct([d for d in doubted if all(_shared(d.quad, f.quad) < SAME for f in found)])
    return (*found, *(replace(d, sure=d.ring and d.score >= BEYOND_DOUBT) for d in clear))


def seal_findings(
    pixels: Image,
    regions: Sequence[SealRegion],
    read_text: Callable[[Image], str],
    identity: Identity,
    keep_others: bool,
) -> tuple[Finding, ...]:
    """What to mask of the seals that `find_seals` found on the same upright `pixels`.

    With `keep_others` (profile notice) seals are read, and those that name none of the
    applicant's units stay; a seal that cannot be read is masked. Without it all are masked and
    `read_text` is never called. `read_text`: the text of a picture of straight lines.
    """
    findings = []
    for region in regions:
        why, text = f"{region.shape} seal, {region.ink} ink", ""
        if keep_others:
            reason, text = _own(pixels, region, read_text, identity)
            if not reason:
                continue
            why = f"{why}, {reason}"
        findings.append(Finding(Kind.SEAL, region.quad, text, region.score, why, "seals"))
    return tuple(findings)


def _own(
    pixels: Image, region: SealRegion, read_text: Callable[[Image], str], identity: Identity
) -> tuple[str, str]:
    """(why a seal must go, "" when it may stay; what was read)."""
    read: list[tuple[str, bool]] = []
    for strip, rows in seal_strips(pixels, region):
        text = read_text(strip)
        unit = names_unit(text, identity)
        if unit:
            return f"names the unit {unit}", text
        read.append((text, rows))
    texts = [text for text, rows in read if readable(text, rows)]
    if not texts:
        return "cannot be read", " ".join(text for text, _ in read).strip()
    if region.shape == "cut" or any(suspicious(text, identity) for text in texts):
        return "read only in part", texts[0]
    return "", texts[0]


def _is_seal(ring: Ring, sheet: Sheet, red: bool) -> bool:
    """Whether the evidence around a ring is that of a seal and not of letters or a disc; `red`: it
    was sought in red ink alone."""
    least_cover = COVER_RED if red else COVER_INK
    perfect = ring.cover >= PERFECT
    return (
        ring.radius >= SMALLEST_MM * sheet.per_mm
        and ring.cover >= least_cover
        and ring.arc >= LEAST_ARC
        and ring.outside <= OUTSIDE
        and ring.inside <= (DENSEST if perfect else INSIDE)
        and (ring.blind <= MOST_BLIND or ring.cover >= FLAWLESS or (red and _stands_out(ring)))
    )


def _is_tinted(ring: Ring, sheet: Sheet) -> bool:
    """Whether a ring through which print runs is whole in a colour that the print has not."""
    if ring.cover < DOUBTED_COVER or ring.arc < DOUBTED_ARC:
        return False
    coloured = measured(sheet.tint, sheet.pictures, sheet.per_mm, ring.box)
    return _is_seal(coloured, sheet, red=True) and coloured.cover >= COVER_TINT


def _stands_out(ring: Ring) -> bool:
    """Whether a red ring that runs through a picture is there beside it."""
    return ring.cover >= FLAWLESS_RED and ring.arc >= RED_ARC


def _may_be_seal(ring: Ring, sheet: Sheet) -> bool:
    """Whether a ring that is not surely a seal looks like one on a page that has others."""
    return (
        ring.radius >= DOUBTED_MM * sheet.per_mm
        and ring.cover >= DOUBTED_COVER
        and ring.arc >= DOUBTED_ARC
        and ring.outside <= DOUBTED_OUTSIDE
        and ring.inside <= DOUBTED_INSIDE
    )


def _broken_ovals(sheet: Sheet) -> list[SealRegion]:
    """Where a bilevel copy may have broken an oval seal: on a page stretched to their proportion
    they are rings."""
    stretched, blind = (
        np.asarray(cv2.resize(plane, None, fx=1, fy=OVAL, interpolation=cv2.INTER_LINEAR), np.uint8)
        for plane in (sheet.dark, sheet.pictures)
    )
    found = []
    for ring in find_rings(stretched, blind, sheet.per_mm, LEAST_VOTE_INK):
        if (
            OVAL_MM[0] * sheet.per_mm <= ring.radius <= OVAL_MM[1] * sheet.per_mm
            and ring.cover >= DOUBTED_OVAL
            and ring.outside <= OUTSIDE
            and ring.inside <= OUTSIDE
            and ring.blind <= MOST_BLIND
        ):
            (x, y), axes, _ = ring.box
            half = max(axes) / 2
            quad = geometry.rectangle(x - half, (y - half) / OVAL, x + half, (y + half) / OVAL)
            region = _region(quad, "oval", "grey", ring.cover, None, sheet)
            found.append(replace(region, sure=False))
    return found


def doubtful_seals(regions: Sequence[SealRegion]) -> tuple[Finding, ...]:
    """The regions that are not sure, for a person to look at."""
    return tuple(
        Finding(Kind.SEAL, r.quad, "", r.score, f"perhaps a {r.shape} seal, {r.ink} ink", "seals")
        for r in regions
        if not r.sure
    )


def _of_blob(blob: Blob, ink: str, sheet: Sheet) -> SealRegion:
    points = blob.hull.astype(np.float32)
    (cx, cy), (a, b), turn = cv2.minAreaRect(points)
    ellipse = None
    if blob.shape in ("round", "oval") and len(points) >= 8:
        (ex, ey), (ea, eb), tilt = cv2.fitEllipse(points)
        k = 1 / sheet.scale
        ellipse = ((ex * k, ey * k), (ea * k, eb * k), tilt)
    if blob.shape == "round":
        x0, y0, x1, y1 = geometry.bounds(blob.hull)
        return _region(geometry.rectangle(x0, y0, x1, y1), "round", ink, blob.border, ellipse,
                       sheet)  # fmt: skip
    box = cv2.boxPoints(((cx, cy), (a, b), turn)).astype(np.float64)
    return _region(_clockwise(box), blob.shape, ink, blob.border, ellipse, sheet)


def _of_ring(ring: Ring, ink: str, sheet: Sheet) -> SealRegion:
    (cx, cy), axes, turn = ring.box
    half = max(axes) / 2
    k = 1 / sheet.scale
    ellipse = ((cx * k, cy * k), (axes[0] * k, axes[1] * k), turn)
    quad = geometry.rectangle(cx - half, cy - half, cx + half, cy + half)
    on_page = geometry.area(quad.clip(0, np.array(sheet.size))) / geometry.area(quad)
    shape = "cut" if on_page < CUT else "round"
    return replace(_region(quad, shape, ink, ring.cover, ellipse, sheet), ring=True)


def _region(
    quad: Quad,
    shape: str,
    ink: str,
    score: float,
    ellipse: Ellipse | None,
    sheet: Sheet,
) -> SealRegion:
    """Sheet pixels to page pixels, with the margin; cut off at the page's edge."""
    size = max(geometry.width(quad), geometry.height(quad))
    margin = MARGIN * size + 1.0
    whole = geometry.grown(quad, margin, margin) / sheet.scale
    limit = np.array(sheet.size) / sheet.scale
    if shape in ("cut", "round"):
        whole = whole.clip(0, limit)
    return SealRegion(whole, shape, ink, float(score), ellipse)


def _clockwise(box: Quad) -> Quad:
    """Corners from the one nearest to the top left, clockwise on the page."""
    x, y = box[:, 0], box[:, 1]
    if float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) < 0:
        box = box[::-1]
    return np.roll(box, -int(box.sum(axis=1).argmin()), axis=0)


def _ink(ring: Ring, sheet: Sheet, pixels: Image) -> str:
    """The ink that most of a ring's line is made of; a pale one is told on the page's pixels."""
    line = np.zeros(sheet.dark.shape, np.uint8)
    (cx, cy), axes, turn = ring.box
    inner = tuple(max(1.0, v - 0.8 * sheet.per_mm) for v in axes)
    cv2.ellipse(line, ((cx, cy), inner, turn), 255, max(1, round(0.8 * sheet.per_mm)))  # type: ignore[call-overload]

    def share(mask: Grey) -> float:
        return cv2.countNonZero(cv2.bitwise_and(mask, line)) / max(cv2.countNonZero(line), 1)

    if share(sheet.red) > LEAST_INKED:
        return "red"
    if share(sheet.blue) > LEAST_INKED:
        return "other"
    pale = np.where(sheet.tint > PALE, np.uint8(255), np.uint8(0))
    if share(pale) <= LEAST_INKED:
        return "grey"
    ys, xs = np.nonzero(line & pale)
    height, width = pixels.shape[:2]
    rows = (ys / sheet.scale).astype(int).clip(0, height - 1)
    columns = (xs / sheet.scale).astype(int).clip(0, width - 1)
    blue, _, red = pixels[rows, columns].astype(int).T
    return "red" if np.median(red - blue) > 0 else "other"


def _distinct(regions: list[SealRegion]) -> tuple[SealRegion, ...]:
    """One region for each seal: whole outlines before cut ones, large before small."""
    ranked = sorted(regions, key=lambda r: (r.shape == "cut", -geometry.area(r.quad)))
    kept: list[SealRegion] = []
    for region in ranked:
        same = [i for i, k in enumerate(kept) if _shared(region.quad, k.quad) >= SAME]
        if not same:
            kept.append(region)
            continue
        if kept[same[0]].ink == "grey":  # found by its darkness first; its own colour tells more
            kept[same[0]] = replace(kept[same[0]], ink=region.ink)
        if region.ring and kept[same[0]].shape in ("oval", "triangle"):
            # Something red touches the seal or the page cuts it: its ring tells its form.
            quad = _with_ring(kept[same[0]].quad, region.quad)
            kept[same[0]] = replace(
                kept[same[0]], quad=quad, shape=region.shape, ellipse=region.ellipse
            )
    return tuple(kept)


def _with_ring(blob: Quad, ring: Quad) -> Quad:
    """What covers a blob and the ring in it: a box that stands aslant may cut the ring's sides."""
    inside, _ = cv2.intersectConvexConvex(blob.astype(np.float32), ring.astype(np.float32))
    if inside >= COVERED * geometry.area(ring):
        return blob
    if geometry.area(blob) <= ALIKE * geometry.area(ring):
        return ring
    return geometry.rectangle(*geometry.bounds(np.concatenate([blob, ring])))


def _shared(a: Quad, b: Quad) -> float:
    """Share of the smaller of two boxes that lies in the other."""
    ax0, ay0, ax1, ay1 = geometry.bounds(a)
    bx0, by0, bx1, by1 = geometry.bounds(b)
    w, h = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / max(1.0, min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0)))

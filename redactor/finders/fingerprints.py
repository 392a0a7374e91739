"""Finds fingerprints (手印): oval patches of ink made of fine ridges that turn.

A patch of a thumb's size and form (thumb_patches.py) is one where the waves in it are ridges
(ridges.py), or, for a person to look at, where its colour and form alone say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.ridges import Ridges, ridges_of
from redactor.finders.speckled_prints import find_speckled, is_speckled
from redactor.finders.thumb_patches import Patch, find_pale_patches, find_patches
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "fingerprints"
PALE_PRINT = "an oval patch of pale ridges"
"""How the reason of a doubtful print begins that a copier made pale."""
RIDGE_MM = 0.8
"""Waves up to this long can be a finger's ridges."""
MARGIN_MM = 1.6
"""A mask reaches this far beyond the patch: ridges at its rim are thin and broken."""
SIGNED = re.compile("签[字名章]|捺印|指纹|手印|承诺人|本人")
"""Words of a page on which a pale print is sought as well."""
PALE_MARGIN_MM = 4.0
"""A mask reaches this far beyond a pale patch, of which a copier leaves only the core."""
FEWEST, PALE_WINDOWS = 20, 14
"""Windows of coarse ridges that make a print, and a pale patch that a person must look at."""
SURELY_READ, SAME_PLACE = 0.95, 0.5
"""Probability of a character that is print for sure, and its overlap with the patch that it is."""


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """`sure`: to mask, kind SIGNATURE. `doubtful`: oval patches of red ink whose ridges are too
    smeared or too coarsely scanned to be seen, for a person to look at."""

    sure: tuple[Finding, ...]
    doubtful: tuple[Finding, ...]


def find_fingerprints(
    pixels: Image, dpi: float, seals: Sequence[Quad] = (), lines: Sequence[Line] = ()
) -> Fingerprints:
    """Fingerprints in red, black or blue ink on an upright page.

    `dpi`: that of `pixels`. `seals`: places of seals; a red patch in one is its own emblem, and
    only ridges show a print there. `lines`: what was read; where it asks for a signature and no
    other print was found, pale prints of grey copies and broken ones of faxes are sought, too.
    """
    sure: list[Finding] = []
    doubtful: list[Finding] = []
    per_mm = max(dpi, 20.0) / 25.4
    for patch in find_patches(pixels, per_mm):
        ridges = ridges_of(pixels, patch, per_mm)
        margin = MARGIN_MM * per_mm
        quad = geometry.rectangle(
            patch.x0 - margin, patch.y0 - margin, patch.x1 + margin, patch.y1 + margin
        ).clip(0, np.array(pixels.shape[1::-1], np.float64))
        if is_fingerprint(ridges):
            why = f"fingerprint, ridges {ridges.period:.1f} mm apart"
            sure.append(Finding(Kind.SIGNATURE, quad, "", ridges.share, why, FINDER))
        elif _is_smear(pixels, patch, per_mm) and not _is_print(patch, lines):
            why = "an oval patch of red ink, perhaps a fingerprint"
            doubtful.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
        elif _is_broken_print(pixels, patch, per_mm):
            why = "an oval patch of specks, perhaps a fingerprint"
            doubtful.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
    if not sure and any(SIGNED.search(line.text) for line in lines):
        for is_sure, finding in _find_pale(pixels, per_mm):
            (sure if is_sure else doubtful).append(finding)
        for box in find_speckled(pixels, per_mm):
            quad = geometry.grown(box, MARGIN_MM * per_mm, MARGIN_MM * per_mm)
            why = "a place dense with specks on a page to be signed"
            sure.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
    whole = _joined(sure)
    taken = [*seals, *(f.quad for f in whole)]
    # A thumb pressed beside a seal touches the seal's box with its margin.
    clear = [f for f in doubtful if not any(geometry.holds(t, f.quad) for t in taken)]
    return Fingerprints(whole, tuple(clear))


def _find_pale(pixels: Image, per_mm: float) -> Iterator[tuple[bool, Finding]]:
    """(whether it is sure, a print that a copier made paler than the handwriting over it)."""
    size = np.array(pixels.shape[1::-1], np.float64)
    margin = PALE_MARGIN_MM * per_mm
    for patch in find_pale_patches(pixels, per_mm):
        ridges = ridges_of(pixels, patch, per_mm)
        box = geometry.rectangle(patch.x0, patch.y0, patch.x1, patch.y1)
        quad = geometry.grown(box, margin, margin).clip(0, size)
        if is_fingerprint(ridges):
            why = f"fingerprint, ridges {ridges.period:.1f} mm apart"
            yield True, Finding(Kind.SIGNATURE, quad, "", ridges.share, why, FINDER)
        elif is_fingerprint(replace(ridges, windows=ridges.windows + FEWEST - PALE_WINDOWS)):
            why = f"{PALE_PRINT}, perhaps a fingerprint"
            yield False, Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER)


def _is_broken_print(pixels: Image, patch: Patch, per_mm: float) -> bool:
    """Whether a dark patch is nothing but specks; its form is broken as well."""
    crop = pixels[patch.y0 : patch.y1, patch.x0 : patch.x1]
    return not patch.red and is_speckled(crop, patch.mask, per_mm)


def _is_print(patch: Patch, lines: Sequence[Line]) -> bool:
    """Whether a patch is one large character that was read surely, as of a red masthead."""
    box = geometry.rectangle(patch.x0, patch.y0, patch.x1, patch.y1)
    return any(
        char.score >= SURELY_READ and geometry.overlap(char.quad, box) >= SAME_PLACE
        for line in lines
        for char in line.chars
    )


def _joined(findings: list[Finding]) -> tuple[Finding, ...]:
    """One finding where the red and the dark patch of one print were found."""
    whole: list[Finding] = []
    for finding in findings:
        same = [f for f in whole if geometry.overlap(f.quad, finding.quad) > 0]
        quads = [finding.quad, *(f.quad for f in same)]
        upright = geometry.rectangle(0, 0, 1, 1)
        joined = replace(finding, quad=geometry.around(quads, upright))
        whole = [f for f in whole if f not in same] + [joined]
    return tuple(whole)


def is_fingerprint(ridges: Ridges) -> bool:
    """Whether waves are ridges. Coarse ones must fill the patch: large print has waves, too."""
    if ridges.period <= RIDGE_MM:
        fine = ridges.windows >= 6 and ridges.share >= 0.2
        return fine and ridges.turn >= 0.08 and ridges.smooth >= 0.5
    coarse = ridges.windows >= FEWEST and ridges.share >= 0.55
    return coarse and ridges.turn >= 0.5 and ridges.smooth >= 0.54


def _is_smear(pixels: Image, patch: Patch, per_mm: float) -> bool:
    """Whether a red patch has the form of a thumb and lies on paper; faces and discs do not."""
    width, height = patch.x1 - patch.x0, patch.y1 - patch.y0
    formed = (
        patch.red
        and patch.solid >= 0.94
        and 0.70 <= patch.oval <= 0.83
        and 0.6 <= patch.slender <= 0.86
        and min(width, height) >= 10 * per_mm
        and 13 * per_mm <= max(width, height) <= 27 * per_mm
    )
    if not formed:
        return False
    inside = cv2.resize(patch.mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    blue, green, red = np.median(pixels[patch.y0 : patch.y1, patch.x0 : patch.x1][inside], axis=0)
    # Skin and orange cloth lean to yellow, ink paste does not.
    if green - blue > 0.2 * (red - blue):
        return False
    rim = round(2 * per_mm)
    left, top = max(0, patch.x0 - rim), max(0, patch.y0 - rim)
    around = pixels[top : patch.y1 + rim, left : patch.x1 + rim]
    sides = (around[:rim], around[-rim:], around[:, :rim], around[:, -rim:])
    edge = np.concatenate([side.reshape(-1, 3) for side in sides])
    paper = np.percentile(edge, 30, axis=0)
    return bool(paper.min() > 110 and paper.max() - paper.min() < 60)

"""Doubts frames of a seal's size in black-and-white copies that neither text nor seals explain.

There print and seal are one ink and a worn frame runs into the print it touches, so that its
outline is not its own. What was read is taken out first, and the rest joined more boldly.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.seal_blobs import Mask, framed_blob, share_within
from redactor.finders.seal_ink import disc, sheet_of
from redactor.finders.seals import SealRegion
from redactor.page import Finding, Image, Kind, Quad, Reading

FINDER = "seals"
TONES, MOST_TONES = (50, 205), 0.01
"""Grey levels that a black-and-white copy does not have, and the share of pixels that may."""
INK = 30
"""Grey levels below the paper from which on there is ink."""
SURELY_READ = 0.9
"""Score of a line whose ink is explained."""
BRIDGE_MM = 2.4
"""Gaps that are joined: frame and lettering become one piece."""
NARROWEST_MM = 18.0
"""Shorter side of a frame; smaller ones are drawings of letters and name seals."""
LEAST_BORDER, LETTERING, MOST_PICTURE = 0.75, (0.08, 0.4), 0.45
"""Share of the outline with ink along it, of the inside that is ink, and of it on pictures."""
BESIDE_MM = 2.0
"""Cells this near to each other are of one table."""
SAME = 0.3
"""Overlap from which a frame is a seal or a cell that is known already."""


def find_copied_frames(
    pixels: Image, dpi: float, seals: Sequence[SealRegion], reading: Reading
) -> tuple[Finding, ...]:
    """Frames for a person to look at, in a black-and-white copy with at least one of `seals`."""
    if not seals or not _is_black_and_white(pixels):
        return ()
    sheet = sheet_of(pixels, dpi)
    ink = np.asarray(cv2.threshold(sheet.dark, INK, 255, cv2.THRESH_BINARY)[1], np.uint8)
    read = [line.quad for line in reading.lines if line.score >= SURELY_READ]
    for quad in (*read, *(seal.quad for seal in seals)):
        cv2.fillConvexPoly(ink, np.round(quad * sheet.scale).astype(np.int32), (0,))
    known = [*_table_cells(reading.cells, dpi / 25.4), *(seal.quad for seal in seals)]
    return tuple(
        Finding(Kind.SEAL, quad, "", 0.5, "perhaps a worn seal, grey ink", FINDER)
        for quad in _frames(ink, sheet.pictures, sheet.per_mm, 1 / sheet.scale)
        if all(geometry.overlap(quad, other) < SAME for other in known)
    )


def _table_cells(cells: Sequence[Quad], per_mm: float) -> list[Quad]:
    """Cells that lie beside or in others: a frame that stands alone is no table."""
    room = BESIDE_MM * per_mm
    return [
        cell
        for cell in cells
        if sum(geometry.overlap(geometry.grown(cell, room, room), o) > 0 for o in cells) > 1
    ]


def _is_black_and_white(pixels: Image) -> bool:
    few = pixels[::3, ::3, 1]
    return bool(((few > TONES[0]) & (few < TONES[1])).mean() <= MOST_TONES)


def _frames(ink: Mask, pictures: Mask, per_mm: float, enlarged: float) -> list[Quad]:
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, disc(BRIDGE_MM * per_mm))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for label in np.flatnonzero(stats[:, 2:4].min(axis=1) >= NARROWEST_MM * per_mm):
        x, y, w, h = (int(v) for v in stats[label, :4])
        part = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        # Joined so boldly, lettering may fill the frame.
        blob = framed_blob(part, (x, y), per_mm, fullest=1.0) if label else None
        if blob is None or blob.border < LEAST_BORDER:
            continue
        if share_within(pictures, blob.hull) > MOST_PICTURE:
            continue
        if LETTERING[0] <= share_within(ink, blob.hull) <= LETTERING[1]:
            box = cv2.boxPoints(cv2.minAreaRect(blob.hull.astype(np.float32)))
            found.append(np.asarray(box, np.float64) * enlarged)
    return found

"""Small pictures for the vault's report: the masked page with every mask outlined by kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.page import Finding, Image, Kind

WIDTH = 640
"""Width of a thumbnail, pixels."""
COLOURS: dict[Kind, tuple[int, int, int]] = {
    Kind.NAME: (60, 60, 230),
    Kind.UNIT: (220, 120, 30),
    Kind.ID_NUMBER: (30, 160, 230),
    Kind.PHONE: (60, 170, 60),
    Kind.EMAIL: (160, 170, 0),
    Kind.ADDRESS: (120, 120, 120),
    Kind.CERT_NUMBER: (170, 80, 170),
    Kind.DOCUMENT_NUMBER: (200, 60, 140),
    Kind.CODE: (130, 90, 30),
    Kind.SEAL: (40, 40, 160),
    Kind.SIGNATURE: (30, 110, 160),
    Kind.EYES: (180, 140, 60),
    Kind.FACE: (180, 140, 60),
    Kind.LABEL_VALUE: (90, 90, 170),
    Kind.CUSTOM: (0, 0, 0),
}
"""BGR outline colour of each kind; the report's legend uses the same."""


HIT_COLOUR, HIT_ROOM = (0, 140, 255), 6
"""BGR outline of a place to look at, and its room around the place, pixels of the thumbnail."""
CROP_ROOM, CROP_WIDTH = 1.5, 420
"""Surroundings shown with a hit, in heights of its box; most pixels across."""


def thumbnail(masked: Image, findings: Iterable[Finding], hits: Sequence[Finding] = ()) -> bytes:
    """JPEG of the masked page, at most WIDTH wide, with an outline around every mask.

    Below the page stand crops of `hits`, the places to look at, which are ringed on the page.
    """
    scale = min(1.0, WIDTH / masked.shape[1])
    small = np.asarray(
        cv2.resize(masked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    for finding in findings:
        corners = np.round(finding.quad * scale).astype(np.int32)
        cv2.polylines(small, [corners], True, COLOURS[finding.kind], 2, cv2.LINE_AA)
    for hit in hits:
        x0, y0, x1, y1 = (round(v * scale) for v in geometry.bounds(hit.quad))
        room = HIT_ROOM
        cv2.rectangle(small, (x0 - room, y0 - room), (x1 + room, y1 + room), HIT_COLOUR, 3)
    if hits:
        small = _with_crops(small, [_crop(masked, hit) for hit in hits])
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 70])
    return data.tobytes() if done else b""


def _crop(masked: Image, hit: Finding) -> Image:
    x0, y0, x1, y1 = geometry.bounds(hit.quad)
    room = CROP_ROOM * min(x1 - x0, y1 - y0)
    rows = slice(max(0, int(y0 - room)), max(1, int(y1 + room)))
    columns = slice(max(0, int(x0 - room)), max(1, int(x1 + room)))
    part = masked[rows, columns]
    scale = min(1.0, CROP_WIDTH / max(part.shape[:2]))
    return np.asarray(
        cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )


def _with_crops(small: Image, crops: Sequence[Image]) -> Image:
    """The page with the crops below it, each framed."""
    framed = [
        cv2.copyMakeBorder(crop, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=HIT_COLOUR)
        for crop in crops
    ]
    width = max(part.shape[1] for part in (small, *framed))
    rows = [
        cv2.copyMakeBorder(
            part, 0, 6, 0, width - part.shape[1], cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
        for part in (small, *framed)
    ]
    return np.asarray(np.vstack(rows), np.uint8)

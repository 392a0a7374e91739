"""Proves an encoded page before it may leave: right pixels, solid masks, nothing but pixels."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from redactor.errors import ProofError
from redactor.page import Image, Quad

DARKEST_RESIDUE = 60
"""Brightest value that JPEG ringing may leave inside a black mask, 0..255."""
JPEG_SEGMENTS = frozenset({0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9})
"""SOI, JFIF, tables, baseline frame, scan, EOI: what a picture needs and no more."""
JFIF_HEADER = 16
"""Length of a JFIF header without a thumbnail, bytes."""
PNG_CHUNKS: dict[bytes, int | None] = {b"IHDR": 13, b"pHYs": 9, b"IDAT": None, b"IEND": 0}
"""Chunks of a bare picture and their lengths, bytes; a longer one hides something."""
GREY, RGB = b"\x00", b"\x02"
"""PNG colour types without palette and alpha."""
COARSE, LARGEST_CHANGE = 8, 40
"""JPEG is compared in patches of COARSE pixels: a patch's mean may change by this much, 0..255."""


def prove(data: bytes, masked: Image, quads: Sequence[Quad]) -> None:
    """Raises ProofError unless `data` decodes to `masked`, solid in `quads`, without metadata."""
    extra = stray_parts(data)
    if extra:
        raise _refused(f"stray parts {extra}")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None or not _same(np.asarray(decoded, np.uint8), masked, data[:1] == b"\x89"):
        raise _refused("another picture")
    inside = np.zeros(masked.shape[:2], np.uint8)
    for quad in quads:
        cv2.fillConvexPoly(inside, np.round(quad * 16).astype(np.int32) - 8, (1,), shift=4)
    eroded = cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=(1,))
    core = np.asarray(eroded).astype(bool)
    if core.any() and int(decoded[core].max()) > DARKEST_RESIDUE:
        raise _refused("a mask that is not solid")


def _same(decoded: Image, masked: Image, lossless: bool) -> bool:
    """Whether two pictures are equal, but for what JPEG changes."""
    if decoded.shape != masked.shape:
        return False
    if lossless:
        return np.array_equal(decoded, masked)
    height, width = masked.shape[:2]
    size = (-(-width // COARSE), -(-height // COARSE))
    coarse = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (decoded, masked)]
    return int(cv2.absdiff(*coarse).max()) <= LARGEST_CHANGE


def stray_parts(data: bytes) -> list[str]:
    """Names of everything in a JPEG or PNG that is no part of the bare picture."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _stray_png(data)
    if data.startswith(b"\xff\xd8"):
        return _stray_jpeg(data)
    return ["unknown format"]


def _stray_png(data: bytes) -> list[str]:
    stray: list[str] = []
    place = 8
    while place + 12 <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        if kind not in PNG_CHUNKS or PNG_CHUNKS[kind] not in (None, size):
            stray.append(kind.decode("latin-1"))
        if kind == b"IHDR" and data[place + 17 : place + 18] not in (GREY, RGB):
            stray.append("palette or transparency")
        place += 12 + size
        if kind == b"IEND":
            break
    if place != len(data):
        stray.append("trailing bytes")
    return stray


def _stray_jpeg(data: bytes) -> list[str]:
    stray: list[str] = []
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return [*stray, "broken segment"]
        marker = data[place + 1]
        size = int.from_bytes(data[place + 2 : place + 4])
        if marker not in JPEG_SEGMENTS:
            stray.append(f"segment {marker:#x}")
        if marker == 0xE0 and size != JFIF_HEADER:
            stray.append("thumbnail")
        if marker == 0xDA:
            break
        place += 2 + size
    end = data.find(b"\xff\xd9", place)
    if end < 0 or end + 2 != len(data):
        stray.append("trailing bytes")
    return stray


def _refused(what: str) -> ProofError:
    return ProofError(
        f"输出页未通过核验（{what}），未放行。请重新运行；若仍出现，请报告此问题。",
        f"An output page failed its proof ({what}) and was not let out. Run again; if it happens "
        "again, report the problem.",
    )

"""Proves an encoded page before it may leave: right pixels, solid masks, nothing but pixels."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import simplejpeg

from redactor.errors import ProofError
from redactor.loading import Limits
from redactor.page import Image, Quad

DARKEST_RESIDUE = 60
"""Brightest value that JPEG ringing may leave inside a black mask, 0..255."""
JPEG_SEGMENTS: dict[int, tuple[int, frozenset[int]]] = {
    0xE0: (1, frozenset({16})),
    0xDB: (2, frozenset({67})),
    0xC0: (1, frozenset({11, 17})),
    0xC4: (4, frozenset({31, 181})),
    0xDA: (1, frozenset({8, 12})),
}
"""JFIF without a thumbnail, 8-bit tables, baseline frame, standard codes, one scan: how often each
may stand and how long it may be, bytes. A picture needs no more; further tables can hide text."""
JFIF = re.compile(rb"JFIF\x00\x01[\x00-\x02][\x00\x01](..)\1\x00\x00", re.DOTALL)
"""Header with one resolution for both ways."""
_MARKER = re.compile(rb"\xff[^\x00]", re.DOTALL)
_DIMENSIONS = struct.Struct(">II")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS: dict[bytes, int | None] = {b"IHDR": 13, b"pHYs": 9, b"IDAT": None, b"IEND": 0}
"""Chunks of a bare picture and their lengths, bytes; a longer one hides something."""
GREY, RGB = b"\x00", b"\x02"
"""PNG colour types without palette and alpha."""
LARGEST_PAGE = Limits().pixels
_BLOCK = 1 << 20
COARSE, LARGEST_CHANGE = 8, 40
"""JPEG is compared in patches of COARSE pixels: a patch's mean may change by this much, 0..255."""


def prove(data: bytes, masked: Image, quads: Sequence[Quad]) -> None:
    """Raises ProofError unless `data` decodes to `masked`, solid in `quads`, without metadata."""
    extra = stray_parts(data)
    if extra:
        raise _refused(f"stray parts {extra}")
    shown = decoded(data)
    if shown is None or not _same(shown, masked, data.startswith(PNG_SIGNATURE)):
        raise _refused("another picture")
    inside = np.zeros(masked.shape[:2], np.uint8)
    for quad in quads:
        cv2.fillConvexPoly(inside, np.round(quad * 16).astype(np.int32) - 8, (1,), shift=4)
    eroded = cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=(1,))
    core = np.asarray(eroded).astype(bool)
    if core.any() and int(shown[core].max()) > DARKEST_RESIDUE:
        raise _refused("a mask that is not solid")


def decoded(data: bytes) -> Image | None:
    """The pixels of a bare JPEG or PNG; None when it is damaged, too large, or holds more bytes
    than its pixels need."""
    try:
        if data.startswith(PNG_SIGNATURE):
            width, height = _DIMENSIONS.unpack(data[16:24])
            if width * height > LARGEST_PAGE:
                return None
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            return None if pixels is None else np.asarray(pixels, np.uint8)
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        if width * height > LARGEST_PAGE or _decodes(_without_last_byte(data)):
            return None
        return np.asarray(simplejpeg.decode_jpeg(data, "BGR", strict=True), np.uint8)
    except (ValueError, struct.error, cv2.error):
        return None


def _decodes(data: bytes) -> bool:
    try:
        simplejpeg.decode_jpeg(data, "GRAY", strict=True)
    except ValueError:
        return False
    return True


def _without_last_byte(data: bytes) -> bytes:
    """The JPEG less the last byte of its scan, which is needed unless bytes were added there.

    The decoder reads some bytes ahead, so that it takes a few more without a word.
    """
    scan = data[:-2]
    return (scan[:-2] if scan.endswith(b"\xff\0") else scan[:-1]) + data[-2:]


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
    if data.startswith(PNG_SIGNATURE):
        return _stray_png(data)
    if data.startswith(b"\xff\xd8"):
        return _stray_jpeg(data)
    return ["unknown format"]


def _stray_png(data: bytes) -> list[str]:
    stray: list[str] = []
    place = 8
    seen: list[bytes] = []
    packed: list[bytes] = []
    header = b""
    while place + 12 <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + size]
        if kind not in PNG_CHUNKS or PNG_CHUNKS[kind] not in (None, size):
            stray.append(kind.decode("latin-1"))
        elif kind != b"IDAT" and kind in seen:
            stray.append(f"another {kind.decode()}")
        elif kind == b"pHYs" and (body[:4] != body[4:8] or body[8:] not in (b"\0", b"\1")):
            stray.append("two resolutions")
        if zlib.crc32(kind + body).to_bytes(4) != data[place + 8 + size : place + 12 + size]:
            stray.append("a wrong checksum")
        seen.append(kind)
        if kind == b"IHDR":
            header = body
        if kind == b"IDAT":
            packed.append(body)
        place += 12 + size
        if kind == b"IEND":
            break
    if place != len(data):
        stray.append("trailing bytes")
    return stray + list(_stray_png_pixels(header, packed))


def _stray_png_pixels(header: bytes, packed: Sequence[bytes]) -> Iterator[str]:
    """What is no pixel in the compressed data; only one block of it is unpacked at a time."""
    if len(header) != PNG_CHUNKS[b"IHDR"] or header[9:10] not in (GREY, RGB):
        yield "palette or transparency"
        return
    if header[8:9] + header[10:] != b"\x08\0\0\0":
        yield "another depth or interlacing"
        return
    width, height = _DIMENSIONS.unpack(header[:8])
    wanted = height * (1 + width * (1 if header[9:10] == GREY else 3))
    unpacker, size, beyond = zlib.decompressobj(), 0, b""
    try:
        for block in packed:
            rest = block
            while rest and not unpacker.eof and size <= wanted:
                size += len(unpacker.decompress(rest, _BLOCK))
                rest = unpacker.unconsumed_tail
            beyond = rest if unpacker.eof and rest else unpacker.unused_data
            if beyond or size > wanted:
                break
    except zlib.error:
        yield "broken pixels"
        return
    if size != wanted or not unpacker.eof or beyond:
        yield "bytes among the pixels"


def _stray_jpeg(data: bytes) -> list[str]:
    stray: list[str] = []
    count: dict[int, int] = {}
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return [*stray, "broken segment"]
        marker = data[place + 1]
        size = int.from_bytes(data[place + 2 : place + 4])
        count[marker] = count.get(marker, 0) + 1
        most, sizes = JPEG_SEGMENTS.get(marker, (0, frozenset()))
        if count[marker] > most or size not in sizes:
            stray.append("thumbnail" if marker == 0xE0 else f"segment {marker:#x}")
        elif marker == 0xE0 and not JFIF.fullmatch(data[place + 4 : place + 2 + size]):
            stray.append("more than a resolution")
        place += 2 + size
        if marker == 0xDA:
            break
    # In the scan 0xFF is always followed by 0; anything else is a marker, the last one the end.
    end = _MARKER.search(data, place)
    if end is None or end.group() != b"\xff\xd9":
        stray.append("no end" if end is None else f"segment {end.group()[1]:#x} in the scan")
    elif end.end() != len(data):
        stray.append("trailing bytes")
    return stray


def _refused(what: str) -> ProofError:
    return ProofError(
        f"输出页未通过核验（{what}），未放行。请重新运行；若仍出现，请报告此问题。",
        f"An output page failed its proof ({what}) and was not let out. Run again; if it happens "
        "again, report the problem.",
    )

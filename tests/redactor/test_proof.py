"""The proof lets out only the masked picture: every way to smuggle something past it is tried."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from redactor import geometry
from redactor.errors import ProofError
from redactor.masking import encode, paint
from redactor.page import Image
from redactor.proof import decoded, prove, stray_parts

QUAD = geometry.rectangle(30, 20, 110, 60)
SECRET = "李明"


def page(seed: int = 1) -> Image:
    """Something like a scan: paper with soft marks all over it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(90, 250, (12, 16, 3)).astype(np.uint8)
    picture = Pillow.fromarray(coarse).resize((160, 120), Pillow.Resampling.BICUBIC)
    return np.array(picture)


MASKED = paint(page(), [QUAD])


def saved(picture: Image, form: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    Pillow.fromarray(rgb).save(buffer, form, **how)  # type: ignore[arg-type]
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exif() -> bytes:
    tags = Pillow.Exif()
    tags[0x013B] = SECRET
    return tags.tobytes()


def note() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", SECRET)
    return info


def with_jfif_thumbnail(data: bytes) -> bytes:
    """A JFIF header whose own thumbnail (2 x 2 pixels, uncompressed) shows what was masked."""
    pixels = bytes(range(12))
    segment = b"JFIF\0\x01\x01\0\0\x01\0\x01\x02\x02" + pixels
    assert data[2:4] == b"\xff\xe0"
    rest = 4 + int.from_bytes(data[4:6]) - 2 + 2
    return data[:4] + struct.pack(">H", len(segment) + 2) + segment + data[rest:]


def with_alpha(picture: Image) -> bytes:
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    alpha[40:44, 40:60] = 1
    rgba = np.concatenate([picture[:, :, ::-1], alpha], axis=2)
    buffer = io.BytesIO()
    Pillow.fromarray(rgba).save(buffer, "PNG")
    return buffer.getvalue()


def before_the_end(data: bytes, segment: bytes) -> bytes:
    """A segment between the scan and the end marker, where viewers do not look."""
    return data[:-2] + segment + data[-2:]


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A further segment behind the JFIF header."""
    return data[:20] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[20:]


def with_longer_segment(data: bytes, marker: int, more: bytes) -> bytes:
    """The first segment of a kind with further bytes in it."""
    place = data.index(bytes([0xFF, marker]))
    end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
    length = struct.pack(">H", end - place - 2 + len(more))
    return data[: place + 2] + length + data[place + 4 : end] + more + data[end:]


def repacked(data: bytes, change: Callable[[bytes], bytes], behind: bytes = b"") -> bytes:
    """A PNG whose compressed pixels went through `change`, with bytes behind them."""
    place, packed, head = 8, b"", b""
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        if kind == b"IDAT":
            packed += data[place + 8 : place + 8 + size]
        elif kind != b"IEND":
            head += data[place : place + 12 + size]
        place += 12 + size
    pixels = zlib.compress(change(zlib.decompress(packed)))
    return data[:8] + head + chunk(b"IDAT", pixels + behind) + chunk(b"IEND", b"")


def with_two_resolutions(data: bytes) -> bytes:
    """A JFIF header whose two densities differ: four bytes of a name."""
    return data[:14] + b"\x4e\x00" + data[16:]


def sixteen_bits() -> bytes:
    done, data = cv2.imencode(".png", MASKED.astype(np.uint16) * 257 ^ 1)
    assert done
    return data.tobytes()


JPG, PNG = encode(MASKED, "jpg", 200), encode(MASKED, "png", 200)


@pytest.mark.parametrize("data", [JPG, PNG])
def test_what_the_program_writes_is_let_out(data: bytes) -> None:
    assert stray_parts(data) == []
    prove(data, MASKED, [QUAD])


@given(st.integers(0, 30), st.sampled_from(["jpg", "png"]), st.floats(-0.4, 0.4))
def test_no_honest_page_is_held_back(seed: int, form: str, angle: float) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    quad = geometry.rectangle(-25, -8, 25, 8) @ turn.T + (80, 60)
    masked = paint(page(seed), [quad])
    prove(encode(masked, form, 200), masked, [quad])


def test_a_page_of_noise_is_not_held_back() -> None:
    rng = np.random.default_rng(3)
    masked = paint(rng.integers(0, 256, (400, 300, 3)).astype(np.uint8), [QUAD])
    for form in ("jpg", "png"):
        prove(encode(masked, form, 200), masked, [QUAD])


SMUGGLED = {
    "JPEG with EXIF": saved(MASKED, "JPEG", exif=exif()),
    "JPEG with a comment": saved(MASKED, "JPEG", comment=SECRET.encode()),
    "JPEG with a colour profile": saved(MASKED, "JPEG", icc_profile=b"x" * 200),
    "JPEG with XMP": saved(MASKED, "JPEG", xmp=b"<x:xmpmeta/>"),
    "JPEG with trailing bytes": JPG + SECRET.encode(),
    "JPEG with another picture behind it": JPG + saved(page(), "JPEG"),
    "JPEG with a thumbnail in its header": with_jfif_thumbnail(JPG),
    "JPEG with a comment behind the scan": before_the_end(JPG, b"\xff\xfe\0\x08" + SECRET.encode()),
    "JPEG with a table behind the scan": before_the_end(JPG, b"\xff\xdb\0\x43" + bytes(65)),
    "JPEG with two headers": with_segment(JPG, 0xE0, JPG[6:20]),
    "JPEG with a header of another kind": JPG[:6] + b"JFXX\0" + JPG[11:],
    "JPEG with a third table": with_segment(JPG, 0xDB, b"\x03" + bytes(64)),
    "JPEG with a table of two": with_segment(JPG, 0xDB, b"\x03" + bytes(129)),
    "JPEG with a long code table": with_segment(JPG, 0xC4, b"\x12" + bytes(40)),
    "JPEG with two tables in one": with_longer_segment(JPG, 0xDB, b"\x03" + bytes(64)),
    "JPEG with a code table behind another": with_longer_segment(JPG, 0xC4, b"\x12" + bytes(16)),
    "JPEG with bytes behind its pixels": before_the_end(JPG, SECRET.encode()),
    "JPEG with two resolutions": with_two_resolutions(JPG),
    "JPEG in several scans": saved(MASKED, "JPEG", progressive=True),
    "JPEG without an end": JPG[:-2],
    "PNG with EXIF": saved(MASKED, "PNG", exif=exif()),
    "PNG with a text chunk": saved(MASKED, "PNG", pnginfo=note()),
    "PNG with a colour profile": saved(MASKED, "PNG", icc_profile=b"x" * 200),
    "PNG with a time": PNG[:33] + chunk(b"tIME", b"\x07\xe8\1\1\1\1\1") + PNG[33:],
    "PNG with transparency": saved(MASKED, "PNG", transparency=(1, 2, 3)),
    "PNG with an alpha channel": with_alpha(MASKED),
    "PNG with trailing bytes": PNG + b"x",
    "PNG with a filled end": PNG[:-12] + chunk(b"IEND", SECRET.encode()),
    "PNG with a long resolution": PNG[:33] + chunk(b"pHYs", bytes(9) + SECRET.encode()) + PNG[33:],
    "PNG with two resolutions": PNG[:33] + chunk(b"pHYs", b"\0\0\1\0\0\0\2\0\1") + PNG[54:],
    "PNG with a second resolution": PNG[:33] + PNG[33:54] + PNG[33:],
    "PNG with rows below the picture": repacked(PNG, lambda rows: rows + SECRET.encode()),
    "PNG with bytes behind its pixels": repacked(PNG, bytes, SECRET.encode()),
    "PNG with a chunk behind its pixels": PNG[:-12] + chunk(b"IDAT", SECRET.encode()) + PNG[-12:],
    "PNG with a row missing": repacked(PNG, lambda rows: rows[:-1]),
    "PNG with a wrong checksum": PNG[:-4] + b"name",
    "PNG with a wrong checksum of its resolution": PNG[:50] + b"name" + PNG[54:],
    "PNG in 16 bits": sixteen_bits(),
    "PNG without an end": PNG[:-12],
    "TIFF": saved(MASKED, "TIFF"),
    "WebP": saved(MASKED, "WEBP"),
    "nothing": b"",
}


@pytest.mark.parametrize("what", list(SMUGGLED))
def test_anything_beside_the_pixels_is_refused(what: str) -> None:
    with pytest.raises(ProofError):
        prove(SMUGGLED[what], MASKED, [QUAD])


def bare(picture: Image) -> list[bytes]:
    return [encode(picture, form, 200) for form in ("jpg", "png")]


def grey_mask() -> Image:
    return np.where(paint(page(), [QUAD]) == 0, np.uint8(90), MASKED)


def mask_with_a_hole() -> Image:
    """A mask in which one glyph-sized patch of the page shows."""
    picture = MASKED.copy()
    picture[34:46, 60:72] = page()[34:46, 60:72]
    return picture


@pytest.mark.parametrize(
    ("what", "picture"),
    [
        ("no mask", page()),
        ("a grey mask", grey_mask()),
        ("a hole in the mask", mask_with_a_hole()),
        ("another page", paint(page(7), [QUAD])),
        ("another size", MASKED[:-1]),
        ("turned", MASKED[::-1, ::-1].copy()),
    ],
)
def test_another_picture_is_refused(what: str, picture: Image) -> None:
    for data in bare(picture):
        with pytest.raises(ProofError):
            prove(data, MASKED, [QUAD])


@pytest.mark.parametrize("masked", [page(), grey_mask(), mask_with_a_hole()])
def test_a_page_that_was_not_masked_is_refused_even_when_it_is_encoded_well(masked: Image) -> None:
    for data in bare(masked):
        with pytest.raises(ProofError, match="not solid"):
            prove(data, masked, [QUAD])


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("form", ["jpg", "png"])
def test_any_honest_picture_is_bare(grey: bool, form: str) -> None:
    """The lists of allowed parts are those of the encoder, for grey and for colour, and no more."""
    picture = np.repeat(MASKED[:, :, :1], 3, axis=2) if grey else MASKED
    assert stray_parts(encode(picture, form, 149.6)) == []


SCAN = JPG.index(b"\xff\xda") + 14
"""Where the compressed pixels of the JPEG begin; bytes put in there are pixels, too."""


@given(
    st.sampled_from(
        [(JPG, place) for place in (*range(8, SCAN), len(JPG) - 2, len(JPG))]
        + [(PNG, place) for place in range(8, len(PNG) + 1)]
    ),
    st.binary(min_size=1, max_size=9),
)
def test_no_byte_can_be_put_between_the_parts(where: tuple[bytes, int], more: bytes) -> None:
    whole, place = where
    with pytest.raises(ProofError):
        prove(whole[:place] + more + whole[place:], MASKED, [QUAD])


@pytest.mark.parametrize("data", [JPG, PNG])
def test_bytes_behind_a_picture_are_named(data: bytes) -> None:
    assert stray_parts(data + data) == ["trailing bytes"]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 40])
def test_bytes_behind_the_pixels_of_a_jpeg_are_seen(count: int) -> None:
    """A decoder reads ahead: it takes up to four bytes for part of the last pixels."""
    data = before_the_end(JPG, b"\x4e" * count)
    assert stray_parts(data) == []
    assert decoded(data) is None


@pytest.mark.parametrize("data", [JPG, PNG])
def test_a_picture_larger_than_any_page_is_not_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decoded(data) is not None
    monkeypatch.setattr("redactor.proof.LARGEST_PAGE", 160 * 120 - 1)
    assert decoded(data) is None


def test_the_refusal_says_what_and_how_to_go_on() -> None:
    with pytest.raises(ProofError) as refused:
        prove(PNG + b"x", MASKED, [QUAD])
    assert "trailing bytes" in refused.value.sentence.en
    assert "Run again" in refused.value.sentence.en
    assert "请重新运行" in refused.value.sentence.zh

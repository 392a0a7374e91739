"""The proof lets out only the masked picture: every way to smuggle something past it is tried."""

from __future__ import annotations

import io
import struct
import zlib

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
from redactor.proof import prove, stray_parts

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


def test_the_refusal_says_what_and_how_to_go_on() -> None:
    with pytest.raises(ProofError) as refused:
        prove(PNG + b"x", MASKED, [QUAD])
    assert "trailing bytes" in refused.value.sentence.en
    assert "Run again" in refused.value.sentence.en
    assert "请重新运行" in refused.value.sentence.zh

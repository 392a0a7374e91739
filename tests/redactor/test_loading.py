"""Loading is the only door for files: every odd but valid file must show what a person sees, and
every bad one must be refused with a sentence. All files are made here."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile

from redactor.errors import UnreadablePage
from redactor.geometry import mapped, rectangle
from redactor.loading import (
    Limits,
    count_pages,
    load_page,
    load_pages,
    true_dpi,
)
from redactor.loading_picture import orientation_matrix

DEFAULT = Limits()
RED, GREEN, BLUE, GREY = (220, 20, 20), (20, 200, 20), (20, 20, 220), (128, 128, 128)


def quarters(size: tuple[int, int] = (320, 240)) -> Pillow.Image:
    """RGB picture: red, green / blue, grey."""
    w, h = size
    image = Pillow.new("RGB", size, GREY)
    image.paste(RED, (0, 0, w // 2, h // 2))
    image.paste(GREEN, (w // 2, 0, w, h // 2))
    image.paste(BLUE, (0, h // 2, w // 2, h))
    return image


def saved(path: Path, image: Pillow.Image, form: str, **options: object) -> Path:
    image.save(path, form, **options)
    return path


def only_page(path: Path):
    (page,) = load_pages(path)
    return page


def colours(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """RGB in the middle of the four quarters, row by row."""
    h, w = pixels.shape[:2]
    spots = [(h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4), (3 * h // 4, 3 * w // 4)]
    return [tuple(int(v) for v in pixels[y, x, ::-1]) for y, x in spots]


def near(a: tuple[int, ...], b: tuple[int, ...], tolerance: int = 12) -> bool:
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= tolerance


def refused(path: Path, *words: str, limits: Limits = DEFAULT) -> UnreadablePage:
    with pytest.raises(UnreadablePage) as caught:
        list(load_pages(path, limits))
    sentence = caught.value.sentence
    for word in words:
        assert word in sentence.zh or word in sentence.en, sentence
    assert "。" in sentence.zh
    assert sentence.en.endswith(".")
    return caught.value


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF"])
def test_every_format_shows_its_colours(tmp_path: Path, form: str) -> None:
    # The name lies on purpose: content decides.
    path = saved(tmp_path / "扫描 件😀.dat", quarters(), form, quality=95)
    page = only_page(path)
    assert page.pixels.shape == (240, 320, 3)
    assert page.pixels.dtype == np.uint8
    assert page.pixels.flags.c_contiguous
    assert page.source_size == (320, 240)
    for got, want in zip(colours(page.pixels), (RED, GREEN, BLUE, GREY), strict=True):
        assert near(got, want, 25), form


def test_every_tiff_page_comes_in_order_and_alone(tmp_path: Path) -> None:
    pages = [Pillow.new("RGB", (200, 100 + 10 * i), (i * 40,) * 3) for i in range(4)]
    path = saved(tmp_path / "a.tif", pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert count_pages(path) == 4
    assert [p.pixels[0, 0, 0] for p in load_pages(path)] == [0, 40, 80, 120]
    assert load_page(path, 2).pixels.shape[0] == 120
    with pytest.raises(UnreadablePage):
        load_page(path, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF"])
def test_orientation_is_applied_exactly_once(tmp_path: Path, form: str, orientation: int) -> None:
    upright = quarters()
    undo = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    if form == "TIFF":
        options: dict[str, object] = {"tiffinfo": {274: orientation}}
    else:
        exif = Pillow.Exif()
        exif[274] = orientation
        options = {"exif": exif.tobytes(), "quality": 95}
    page = only_page(saved(tmp_path / "a", stored, form, **options))
    assert page.pixels.shape == (240, 320, 3)
    for got, want in zip(colours(page.pixels), (RED, GREEN, BLUE, GREY), strict=True):
        assert near(got, want, 25)
    if form != "HEIF":
        assert page.source_size == stored.size
        # The red quarter, wherever it was stored, is mapped to the top left.
        array = np.asarray(stored).astype(int)
        ys, xs = np.nonzero((array[..., 0] > 150) & (array[..., 1] < 100))
        red = rectangle(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        box = mapped(red, page.source_to_page)
        assert np.allclose([box.min(axis=0), box.max(axis=0)], [[0, 0], [160, 120]], atol=2)


def test_orientation_matrices_keep_the_page_in_its_frame() -> None:
    for orientation in range(1, 9):
        box = mapped(rectangle(0, 0, 30, 20), orientation_matrix(orientation, (30, 20)))
        size = (20, 30) if orientation >= 5 else (30, 20)
        assert np.allclose([box.min(axis=0), box.max(axis=0)], [[0, 0], size])


def test_cmyk_with_and_without_adobe_inversion(tmp_path: Path) -> None:
    cmyk = quarters().convert("CMYK")
    adobe = saved(tmp_path / "adobe.jpg", cmyk, "JPEG", quality=95)  # Pillow writes inverted inks
    data = adobe.read_bytes()
    at = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[at + 2 : at + 4])[0]
    plain = tmp_path / "plain.jpg"
    inverted = Pillow.fromarray(255 - np.asarray(cmyk), "CMYK")
    inverted.save(plain, "JPEG", quality=95)
    data = plain.read_bytes()
    plain.write_bytes(data[:at] + data[at + 2 + length :])
    for path in (adobe, plain):
        for got, want in zip(
            colours(only_page(path).pixels), (RED, GREEN, BLUE, GREY), strict=True
        ):
            assert near(got, want, 20), path.name


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    cv2.imwrite(str(tmp_path / "g.png"), ramp)
    cv2.imwrite(str(tmp_path / "g.tif"), ramp)
    cv2.imwrite(str(tmp_path / "c.png"), np.dstack([ramp, ramp // 2, ramp // 4]))
    cv2.imwrite(str(tmp_path / "c.tif"), np.dstack([ramp, ramp // 2, ramp // 4]))
    for name in ("g.png", "g.tif"):
        pixels = only_page(tmp_path / name).pixels
        assert np.abs(pixels[5, :, 1].astype(int) - np.arange(256)).max() <= 1, name
    for name in ("c.png", "c.tif"):
        pixels = only_page(tmp_path / name).pixels.astype(int)
        assert np.abs(pixels[5, :, 0] - np.arange(256)).max() <= 1, name
        assert np.abs(pixels[5, :, 2] - np.arange(256) / 4).max() <= 2, name


def test_transparency_is_white_paper(tmp_path: Path) -> None:
    layered = Pillow.new("RGBA", (64, 64), (0, 0, 0, 0))
    layered.paste((200, 0, 0, 255), (0, 0, 32, 64))
    palette = Pillow.new("P", (64, 64), 0)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.paste(1, (0, 0, 32, 64))
    paths = [
        saved(tmp_path / "rgba.png", layered, "PNG"),
        saved(tmp_path / "rgba.webp", layered, "WEBP", lossless=True),
        saved(tmp_path / "p.png", palette, "PNG", transparency=0),
        saved(tmp_path / "p.gif", palette, "GIF", transparency=0),
    ]
    for path in paths:
        pixels = only_page(path).pixels
        assert tuple(pixels[30, 50]) == (255, 255, 255), path.name
        assert tuple(pixels[30, 10]) == (0, 0, 200), path.name
    grey = Pillow.new("LA", (64, 64), (0, 0))
    assert only_page(saved(tmp_path / "la.png", grey, "PNG")).pixels.min() == 255


def test_bilevel_and_lab(tmp_path: Path) -> None:
    bits = Pillow.new("1", (100, 60), 1)
    bits.paste(0, (0, 0, 50, 60))
    for form, options in (("PNG", {}), ("TIFF", {"compression": "group4"}), ("BMP", {})):
        pixels = only_page(saved(tmp_path / form, bits, form, **options)).pixels
        assert pixels[5, 5, 0] == 0, form
        assert pixels[5, 90, 0] == 255, form


def test_a_grey_jpeg_has_three_equal_channels(tmp_path: Path) -> None:
    pixels = only_page(saved(tmp_path / "a", quarters().convert("L"), "JPEG")).pixels
    assert pixels.shape == (240, 320, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


def noisy_jpeg() -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(noise).save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("ending", [b"", b"\xff\xd9"])
def test_a_cut_off_jpeg_is_refused(
    tmp_path: Path, ending: bytes, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    data = noisy_jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: len(data) * 6 // 10] + ending)
    assert refused(path, "损坏").__cause__ is not None


def test_a_jpeg_with_a_hole_is_refused_but_padding_is_not(tmp_path: Path) -> None:
    data = noisy_jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[:20000] + bytes(3000) + data[23000:])
    refused(path, "damaged")
    path.write_bytes(data[:-2] + b"\x12\x34" + data[-2:])
    assert only_page(path).pixels.shape == (400, 300, 3)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF"])
def test_a_cut_off_picture_is_refused(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    path = saved(tmp_path / "a", Pillow.fromarray(noise), form)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    refused(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "0 字节"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "HTML"),
        (b"\xef\xbb\xbf\n <HTML>", "HTML"),
        (b"PK\x03\x04 word/document.xml", "Word"),
        (b"PK\x03\x04 OFD.xml", "OFD"),
        (b"PK\x03\x04 a.txt", "ZIP"),
        (b"Rar!\x1a\x07\x00" + bytes(50), "RAR"),
        (b"\0\0\0\x20ftypisom" + bytes(50), "video"),
        (b"\0\0\0\x20ftypavif" + bytes(50), "AVIF"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "Office"),
        ("姓名：张三".encode(), "text"),
        (bytes(range(256)), "unknown"),
        (b"\xff\xd8\xff", "损坏"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "损坏"),
        (b"II*\0" + bytes(30), "损坏"),
        (b"BM" + bytes(60), "损坏"),
    ],
)
def test_what_is_no_scan_is_named(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "学历证书.jpg"
    path.write_bytes(content)
    refused(path, word)


def test_missing_files_and_folders_are_sentences(tmp_path: Path) -> None:
    refused(tmp_path / "none.jpg", "打不开")
    refused(tmp_path, "regular file")


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9)))


@pytest.mark.parametrize("side", [11_000, 12_500, 30_000])
def test_a_pixel_bomb_is_refused_from_its_header(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    refused(path, "像素", "megapixels" if side < 13_000 else "pixels")


def test_the_limits_are_limits(tmp_path: Path) -> None:
    pages = [Pillow.new("1", (20, 20), 1) for _ in range(6)]
    path = saved(tmp_path / "a.tif", pages[0], "TIFF", save_all=True, append_images=pages[1:])
    refused(path, "5", limits=Limits(pages=5))
    refused(path, "MB", limits=Limits(file_bytes=100))
    refused(path, "20 x 20", limits=Limits(pixels=399))
    assert len(list(load_pages(path, Limits(pages=6, pixels=400)))) == 6
    refused(saved(tmp_path / "dot.png", Pillow.new("RGB", (4, 100)), "PNG"), "4 x 100")


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_animations_are_refused(tmp_path: Path, form: str) -> None:
    frames = [quarters(), Pillow.new("RGB", (320, 240), RED)]
    path = saved(tmp_path / "a", frames[0], form, save_all=True, append_images=frames[1:])
    refused(path, "动画")


def test_an_mpo_shows_its_first_picture(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", quarters(), "MPO", save_all=True, append_images=[quarters()])
    assert near(colours(only_page(path).pixels)[0], RED)


def test_a_resolution_is_believed_only_when_it_can_be_true(tmp_path: Path) -> None:
    page = Pillow.new("RGB", (1654, 2339), (255, 255, 255))
    assert only_page(saved(tmp_path / "a.jpg", page, "JPEG", dpi=(200, 200))).dpi == 200
    assert only_page(saved(tmp_path / "b.jpg", page, "JPEG", dpi=(72, 72))).dpi == pytest.approx(
        200, abs=1
    )
    assert only_page(saved(tmp_path / "c.png", page, "PNG")).dpi == pytest.approx(200, abs=1)
    assert true_dpi(None, (1011, 638)) == pytest.approx(300, abs=1)  # an ID card
    assert true_dpi(None, (295, 413)) == pytest.approx(300, abs=1)  # a one-inch photo
    assert true_dpi(100, (4000, 3000)) != 100  # a sheet of one metre
    assert true_dpi(600, (4960, 7016)) == 600
    assert true_dpi(None, (9, 9)) == 50


def test_a_colour_profile_does_no_harm(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "a.jpg", quarters(), "JPEG", icc_profile=profile, quality=95)
    assert near(colours(only_page(path).pixels)[0], RED)

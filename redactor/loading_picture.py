"""Pictures in every format and mode that scanners and phones write, as they are shown."""

from __future__ import annotations

import io
import re
import warnings

import cv2
import numpy as np
import simplejpeg
from PIL import Image as Pillow
from pillow_heif import register_heif_opener

from redactor.errors import UnreadablePage
from redactor.page import Image, Matrix, SourcePage

register_heif_opener()

_PILLOW_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF")
_ORIENTATION, _STORED_WIDTH, _STORED_HEIGHT, _BITS = 274, 256, 257, 258
_HARMLESS_EXTRA_BYTES = 64
"""Some phones pad the end of the scan data; more than this is lost picture data."""


class PictureFile:
    """An open picture file; TIFF may hold many pages, MPO and HEIC show their primary picture only.

    `max_pixels`: of a page. `max_pages`: from which on nobody counts.
    """

    def __init__(self, data: bytes, max_pixels: int, max_pages: int) -> None:
        self._data, self._max_pixels, self._max_pages = data, max_pixels, max_pages
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is checked below
            self._image = Pillow.open(io.BytesIO(data), formats=_PILLOW_FORMATS)
        try:
            self.count = self._count()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._image.close()

    def page(self, number: int) -> SourcePage:
        image = self._image
        if image.format == "TIFF":
            image.seek(number)
        self._check_size(image.size)
        orientation = image.getexif().get(_ORIENTATION, 1)
        stored, dpi = image.size, _declared_dpi(image)
        if image.format == "TIFF":
            tags = image.tag_v2  # type: ignore[attr-defined]
            stored = (int(tags[_STORED_WIDTH]), int(tags[_STORED_HEIGHT]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = self._decoded()
        if image.format == "HEIF":  # its library turns the picture while decoding
            orientation = 1
        elif image.format != "TIFF":  # Pillow itself turns a TIFF
            pixels = _turned(pixels, orientation)
        return SourcePage(
            pixels=np.ascontiguousarray(pixels),
            dpi=dpi or 0.0,
            source_size=stored,
            source_to_page=orientation_matrix(orientation, stored),
        )

    def _count(self) -> int:
        image = self._image
        if image.format == "TIFF":
            # Counting stops one above the limit: a file can list millions of pages.
            count = 1
            while count <= self._max_pages:
                try:
                    image.seek(count)
                except EOFError:
                    break
                count += 1
            image.seek(0)
            return count
        if image.format in ("GIF", "WEBP", "PNG") and getattr(image, "n_frames", 1) > 1:
            raise UnreadablePage(
                "这是动画图片，不是扫描件。请另存为静态的 JPG 或 PNG。",
                "This is an animation, not a scan. Save it as a still JPG or PNG.",
            )
        return 1

    def _check_size(self, size: tuple[int, int]) -> None:
        width, height = size
        if width * height > self._max_pixels:
            raise UnreadablePage(
                f"图片为 {width} × {height} 像素，超过上限"
                f" {self._max_pixels / 1e6:.0f} 百万像素。请以 200 至 300 dpi 重新扫描。",
                f"The picture has {width} x {height} pixels, more than the"
                f" {self._max_pixels / 1e6:.0f} megapixels allowed. Scan it again at 200 to 300"
                " dpi.",
            )
        if min(width, height) < 8:
            raise UnreadablePage(
                f"图片只有 {width} × {height} 像素，没有内容。请重新扫描。",
                f"The picture has only {width} x {height} pixels and shows nothing. Scan it again.",
            )

    def _decoded(self) -> Image:
        image = self._image
        if image.format in ("JPEG", "MPO"):
            return _decoded_jpeg(self._data, image)
        image.load()
        return bgr(image)


def _decoded_jpeg(data: bytes, image: Pillow.Image) -> Image:
    """Decodes strictly: Pillow paints the lost part of some damaged files grey without a word."""
    space = "CMYK" if image.mode == "CMYK" else "BGR"
    try:
        pixels = simplejpeg.decode_jpeg(data, space, strict=True)
    except ValueError as error:
        extra = re.search(r"(\d+) extraneous bytes before marker", str(error))
        if extra is None or int(extra[1]) > _HARMLESS_EXTRA_BYTES:
            raise damaged() from error
        pixels = simplejpeg.decode_jpeg(data, space, strict=False)
    if image.mode == "CMYK":
        # Only Adobe's programs store the inks inverted; Pillow takes every file for theirs.
        inks = 255 - pixels if "adobe" in image.info else pixels
        return bgr(Pillow.fromarray(inks, "CMYK"))
    return np.asarray(pixels, dtype=np.uint8)


def bgr(image: Pillow.Image) -> Image:
    """A decoded Pillow picture of any mode as (H, W, 3) uint8 BGR; transparent parts are white."""
    if image.mode.startswith(("I", "F")):
        return np.repeat(_eight_bits(image)[:, :, None], 3, axis=2)
    if image.has_transparency_data or image.mode in ("LA", "La", "PA", "RGBa"):
        layered = image.convert("RGBA")
        white = Pillow.new("RGBA", layered.size, (255, 255, 255, 255))
        image = Pillow.alpha_composite(white, layered)
    rgb = np.asarray(image.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _eight_bits(image: Pillow.Image) -> np.ndarray:
    """Grey of 10 to 32 bits on 0..255: by its declared depth, else by its range."""
    values = np.asarray(image).astype(np.float32)
    depth = 16
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS, (16,))  # type: ignore[attr-defined]
        depth = int(bits[0])
    if image.mode.startswith("I") and depth <= 16:
        low, high = 0.0, float(2**depth - 1)
    else:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        low = min(low, 0.0)
    scaled = np.nan_to_num((values - low) * (255.0 / max(high - low, 1e-6)), nan=255.0)
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)


def _turned(pixels: Image, orientation: int) -> Image:
    turns = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p[::-1].transpose(1, 0, 2),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p[:, ::-1].transpose(1, 0, 2),
    }
    turn = turns.get(orientation)
    return pixels if turn is None else turn(pixels)


def _declared_dpi(image: Pillow.Image) -> float | None:
    declared = image.info.get("dpi")
    try:
        return float(min(declared)) if declared else None
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def damaged() -> UnreadablePage:
    return UnreadablePage(
        "文件不完整或已损坏，只能显示一部分。请重新扫描或重新上传。",
        "The file is cut off or damaged and would show only in part. Scan or upload it again.",
    )


def orientation_matrix(orientation: int, size: tuple[int, int]) -> Matrix:
    """Homography from stored pixels to shown pixels for an EXIF orientation 1..8.

    `size` is (width, height) as stored; coordinates are continuous (pixel (0, 0) covers 0..1).
    Source: Exif 2.32, tag 0x0112.
    """
    w, h = size
    turns = {
        2: [[-1, 0, w], [0, 1, 0], [0, 0, 1]],
        3: [[-1, 0, w], [0, -1, h], [0, 0, 1]],
        4: [[1, 0, 0], [0, -1, h], [0, 0, 1]],
        5: [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        6: [[0, -1, h], [1, 0, 0], [0, 0, 1]],
        7: [[0, -1, h], [-1, 0, w], [0, 0, 1]],
        8: [[0, 1, 0], [-1, 0, w], [0, 0, 1]],
    }
    return np.array(turns.get(orientation, np.eye(3).tolist()), dtype=np.float64)

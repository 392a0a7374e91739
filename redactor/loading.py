"""Turns files into pages, so that nothing after it needs to know a file format.

A file is recognised by its content, never by its name. Sizes are checked from the header, before
any pixel is decoded. Every failure is an UnreadablePage whose sentence says what is wrong and how
to mend it; the caller adds the file's name. A damaged picture is refused, never shown in part.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import simplejpeg
from PIL import Image as Pillow
from PIL import ImageFile, UnidentifiedImageError
from pillow_heif import register_heif_opener

from redactor.errors import UnreadablePage
from redactor.file_format import is_pdf, refuse_other_formats
from redactor.limits import TOOK_TOO_LONG, PageTookTooLong, time_limit
from redactor.loading_pdf import PdfFile
from redactor.page import Image, Matrix, SourcePage
from redactor.sealed_files import read_file

register_heif_opener()

A4_LONG_INCHES = 11.69
ID_CARD_LONG_INCHES = 3.37
ONE_INCH_PHOTO_LONG_INCHES = 1.38  # the Chinese one-inch photo is 25 mm x 35 mm

_PILLOW_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF")
_ORIENTATION, _STORED_WIDTH, _STORED_HEIGHT, _BITS = 274, 256, 257, 258
_HARMLESS_EXTRA_BYTES = 64
"""Some phones pad the end of the scan data; more than this is lost picture data."""


@dataclass(frozen=True)
class Limits:
    """What a file may ask of the machine. `pixels` is per page, `file_bytes` and `pages` per file.

    120 megapixels is an A3 sheet at 770 dpi; 3 bytes a pixel make it 360 MB.
    """

    file_bytes: int = 300_000_000
    pixels: int = 120_000_000
    pages: int = 1_000


class _File(Protocol):
    count: int

    def page(self, number: int) -> SourcePage: ...
    def close(self) -> None: ...


class ScanFile:
    """An open file: `count` pages, each to be loaded by `page`, also behind one that fails."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self.count = file.count

    def page(self, number: int) -> SourcePage:
        """Page `number` (from 0). Raises UnreadablePage."""
        return _page(self._file, number)


@contextmanager
def open_file(path: Path, limits: Limits = Limits()) -> Iterator[ScanFile]:
    """The file, read once for all its pages. Raises UnreadablePage."""
    with _opened(path, limits) as file:
        yield ScanFile(file)


def load_pages(path: Path, limits: Limits = Limits()) -> Iterator[SourcePage]:
    """All pages of a file in their order, one in memory at a time.

    Ends with UnreadablePage at the first page that cannot be read; `load_page` reaches the
    pages behind it.
    """
    with _opened(path, limits) as file:
        for number in range(file.count):
            yield _page(file, number)


def load_page(path: Path, number: int, limits: Limits = Limits()) -> SourcePage:
    """Page `number` (from 0) alone. Raises UnreadablePage."""
    with _opened(path, limits) as file:
        return _page(file, number)


def count_pages(path: Path, limits: Limits = Limits()) -> int:
    """Pages in the file, from its structure alone. Raises UnreadablePage."""
    with _opened(path, limits) as file:
        return file.count


def true_dpi(declared: float | None, size: tuple[int, int]) -> float:
    """Resolution in pixels per inch, 50 to 1200, for a page of `size` (width, height) pixels.

    The file's own figure counts when it is 90 to 1200, is not the 72 or 96 that phones and
    screen tools write without measuring, and makes the sheet 1 to 17.5 inches long (a one-inch
    photo to A3). Else the sheet is taken for an ID card when its sides are 1.55 to 1.62 to 1 and
    it has at most 2,200 pixels on the long side, for a one-inch photo when it has fewer than 600
    pixels there, else for A4.
    """
    long, short = max(size), max(1, min(size))
    if (
        declared is not None
        and 90 <= declared <= 1200
        and round(declared) not in (72, 96)
        and 1.0 <= long / declared <= 17.5
    ):
        return float(declared)
    if 1.55 <= long / short <= 1.62 and long <= 2200:
        inches = ID_CARD_LONG_INCHES
    elif long < 600:
        inches = ONE_INCH_PHOTO_LONG_INCHES
    else:
        inches = A4_LONG_INCHES
    return float(np.clip(long / inches, 50, 1200))


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


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[_File]:
    file: _File
    data = _checked_bytes(path, limits)
    with _library_errors(), time_limit():
        if is_pdf(data):
            file = PdfFile(data, limits.pixels)
        else:
            refuse_other_formats(data)
            file = _Picture(data, limits)
    try:
        if file.count > limits.pages:
            raise UnreadablePage(
                f"文件页数超过上限 {limits.pages} 页。请拆分成几个文件。",
                f"The file has more than the {limits.pages} pages allowed. Split it.",
            )
        yield file
    finally:
        file.close()


def _page(file: _File, number: int) -> SourcePage:
    if not 0 <= number < file.count:
        raise UnreadablePage(
            f"没有第 {number + 1} 页，文件只有 {file.count} 页。请重新选择文件。",
            f"There is no page {number + 1}, the file has {file.count}. Choose the file again.",
        )
    with _library_errors(), time_limit():
        page = file.page(number)
    height, width = page.pixels.shape[:2]
    return replace(page, dpi=true_dpi(page.dpi, (width, height)))


def _checked_bytes(path: Path, limits: Limits) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise UnreadablePage(
                "这不是普通文件。请换成扫描件。",
                "This is not a regular file. Replace it by a scan.",
            )
        if size == 0:
            raise UnreadablePage(
                "文件是空的（0 字节），可能上传中断。请重新上传。",
                "The file is empty (0 bytes); its upload may have been cut off. Upload it again.",
            )
        if size > limits.file_bytes:
            raise UnreadablePage(
                f"文件有 {size / 1e6:.0f} MB，超过上限 {limits.file_bytes / 1e6:.0f} MB。"
                "请降低扫描分辨率或拆分文件。",
                f"The file has {size / 1e6:.0f} MB, more than the {limits.file_bytes / 1e6:.0f} MB"
                " allowed. Scan at a lower resolution or split it.",
            )
        return read_file(path)
    except OSError as error:
        raise UnreadablePage(
            f"文件打不开（{error.strerror or error}）。请检查文件是否存在以及读取权限。",
            f"The file cannot be opened ({error.strerror or error})."
            " Check that it exists and may be read.",
        ) from error


class _Picture:
    """A picture file; TIFF may hold many pages, MPO and HEIC show their primary picture only."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
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
            while count <= self._limits.pages:
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
        if width * height > self._limits.pixels:
            raise UnreadablePage(
                f"图片为 {width} × {height} 像素，超过上限"
                f" {self._limits.pixels / 1e6:.0f} 百万像素。请以 200 至 300 dpi 重新扫描。",
                f"The picture has {width} x {height} pixels, more than the"
                f" {self._limits.pixels / 1e6:.0f} megapixels allowed. Scan it again at 200 to 300"
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
            raise _damaged() from error
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


def _damaged() -> UnreadablePage:
    return UnreadablePage(
        "文件不完整或已损坏，只能显示一部分。请重新扫描或重新上传。",
        "The file is cut off or damaged and would show only in part. Scan or upload it again.",
    )


@contextmanager
def _library_errors() -> Iterator[None]:
    """Decoders raise almost anything on hostile input; all of it means one thing to the user.

    Also makes Pillow fail on a cut-off file, whatever another library has told it to do.
    """
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    except UnreadablePage:
        raise
    except PageTookTooLong as error:
        raise UnreadablePage(TOOK_TOO_LONG.zh, TOOK_TOO_LONG.en) from error
    except MemoryError as error:
        raise UnreadablePage(
            "内存不足，无法打开此文件。请降低扫描分辨率，或减少并行任务数（--jobs）。",
            "Not enough memory to open the file. Scan at a lower resolution or use fewer --jobs.",
        ) from error
    except Pillow.DecompressionBombError as error:
        raise UnreadablePage(
            "图片的像素数超过上限。请以 200 至 300 dpi 重新扫描。",
            "The picture has more pixels than allowed. Scan it again at 200 to 300 dpi.",
        ) from error
    except UnidentifiedImageError as error:
        raise _damaged() from error
    except Exception as error:
        raise _damaged() from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient

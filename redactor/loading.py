"""Turns files into pages, so that nothing after it needs to know a file format.

A file is recognised by its content, never by its name. Sizes are checked from the header, before
any pixel is decoded. Every failure is an UnreadablePage whose sentence says what is wrong and how
to mend it; the caller adds the file's name. A damaged picture is refused, never shown in part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile, UnidentifiedImageError

from redactor.errors import UnreadablePage
from redactor.file_format import is_pdf, refuse_other_formats
from redactor.limits import TOOK_TOO_LONG, PageTookTooLong, time_limit
from redactor.loading_pdf import PdfFile
from redactor.loading_picture import PictureFile, damaged
from redactor.page import SourcePage
from redactor.sealed_files import read_file

A4_LONG_INCHES = 11.69
ID_CARD_LONG_INCHES = 3.37
ONE_INCH_PHOTO_LONG_INCHES = 1.38  # the Chinese one-inch photo is 25 mm x 35 mm


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


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[_File]:
    file: _File
    data = _checked_bytes(path, limits)
    with _library_errors(), time_limit():
        if is_pdf(data):
            file = PdfFile(data, limits.pixels)
        else:
            refuse_other_formats(data)
            file = PictureFile(data, limits.pixels, limits.pages)
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
        raise damaged() from error
    except Exception as error:
        raise damaged() from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient

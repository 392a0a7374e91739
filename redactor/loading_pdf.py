"""PDF pages as a person sees them, with the page's own text, since pdfium is a world of its own."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
import simplejpeg

from redactor.errors import UnreadablePage
from redactor.geometry import mapped
from redactor.page import Char, Image, Line, Matrix, Quad, SourcePage

BORN_DIGITAL_DPI = 200.0
MAX_DPI = 300.0
MAX_SIDE = 8_000
"""Longest side of a rendered page in pixels; a larger sheet is rendered at a lower dpi."""
MIN_DPI = 50.0
"""Below this no text can be read, so a sheet that needs it is refused."""
MAX_CHARACTERS = 100_000
FULL_PAGE = 0.85
"""Share of the page's area from which a picture counts as the scan of the whole page."""

_POINTS_PER_INCH = 72.0
_FINE = 64
"""pdfium converts to whole device pixels; asking on a 64 times finer device keeps the fraction."""


class PdfFile:
    """An open PDF. Not thread-safe, as pdfium is not. `max_pixels` per page or picture in it."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        if b"%%EOF" not in data[-4096:] and b"startxref" not in data[-4096:]:
            raise _damaged()  # pdfium would repair it silently and lose pages
        try:
            self._document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "assword" in str(error):
                raise UnreadablePage(
                    "PDF 已加密，需要密码才能打开。请去掉密码后重新上传。",
                    "The PDF is encrypted and needs a password. Remove the password and upload it"
                    " again.",
                ) from error
            raise _damaged() from error
        self._document.init_forms()
        self.count = len(self._document)
        if self.count == 0:
            self.close()
            raise UnreadablePage(
                "PDF 里没有页面。请重新导出。", "The PDF has no pages. Export it again."
            )

    def close(self) -> None:
        self._document.close()

    def page(self, number: int) -> SourcePage:
        """Page `number` with all annotations and form fields drawn; `dpi` is that of rendering."""
        page = self._document[number]
        try:
            dpi = self._rendering_dpi(page)
            scale = dpi / _POINTS_PER_INCH
            pixels = _rendered(page, scale)
            height, width = pixels.shape[:2]
            text = tuple(_text_lines(page, _to_pixels(page, (width, height)), (width, height)))
        finally:
            page.close()
        return SourcePage(pixels, dpi, text, (width, height), np.eye(3))

    def _rendering_dpi(self, page: pdfium.PdfPage) -> float:
        width, height = page.get_size()
        if not (math.isfinite(width) and math.isfinite(height)) or min(width, height) < 3:
            raise _damaged()
        dpi = self._scan_dpi(page, width * height) or BORN_DIGITAL_DPI
        dpi = min(dpi, MAX_DPI, MAX_SIDE * _POINTS_PER_INCH / max(width, height))
        too_many = width * height * (dpi / _POINTS_PER_INCH) ** 2 > self._max_pixels
        if dpi < MIN_DPI or too_many:
            raise UnreadablePage(
                f"PDF 页面为 {width / 28.35:.0f} × {height / 28.35:.0f} 厘米，太大。"
                "请按 A4 或 A3 重新导出。",
                f"The PDF page measures {width / 28.35:.0f} x {height / 28.35:.0f} cm, too large."
                " Export it again as A4 or A3.",
            )
        return dpi

    def _scan_dpi(self, page: pdfium.PdfPage, page_area: float) -> float | None:
        """Resolution of the picture that fills the page, None when there is none."""
        best: float | None = None
        for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=4):
            columns, rows = item.get_px_size()
            if columns * rows > self._max_pixels:
                raise UnreadablePage(
                    f"PDF 内嵌图片为 {columns} × {rows} 像素，超过上限"
                    f" {self._max_pixels / 1e6:.0f} 百万像素。请以 200 至 300 dpi 重新扫描。",
                    f"A picture in the PDF has {columns} x {rows} pixels, more than the"
                    f" {self._max_pixels / 1e6:.0f} megapixels allowed. Scan it again at 200 to"
                    " 300 dpi.",
                )
            matrix = item.get_matrix()
            across = math.hypot(matrix.a, matrix.b)
            down = math.hypot(matrix.c, matrix.d)
            if across * down < FULL_PAGE * page_area:
                continue
            _refuse_damaged_jpeg(item)
            dpi = math.sqrt(columns * rows / (across * down)) * _POINTS_PER_INCH
            best = dpi if best is None else max(best, dpi)
        return best


def _refuse_damaged_jpeg(item: pdfium.PdfImage) -> None:
    """pdfium draws the readable part of a damaged scan and leaves the rest blank."""
    if item.get_filters() != ["DCTDecode"]:
        return
    data = bytes(item.get_data(decode_simple=True))
    try:
        *_, space, _ = simplejpeg.decode_jpeg_header(data)
        if space in ("Gray", "GRAY", "YCbCr", "RGB"):
            simplejpeg.decode_jpeg(data, "GRAY", strict=True, min_factor=1)
    except ValueError as error:
        if "extraneous" not in str(error):
            raise _damaged() from error


def _rendered(page: pdfium.PdfPage, scale: float) -> Image:
    bitmap = page.render(
        scale=scale,
        may_draw_forms=True,
        draw_annots=True,
        fill_color=(255, 255, 255, 255),
        force_bitmap_format=raw.FPDFBitmap_BGR,
    )
    try:
        return np.array(bitmap.to_numpy(), dtype=np.uint8)[:, :, :3].copy()
    finally:
        bitmap.close()


def _to_pixels(page: pdfium.PdfPage, size: tuple[int, int]) -> Matrix:
    """Affine map from PDF user space to rendered pixels, /Rotate and crop box included."""
    width, height = size
    corners = []
    for x, y in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0)):
        dx, dy = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width * _FINE, height * _FINE, 0, x, y, dx, dy)
        corners.append(np.array([dx.value, dy.value], dtype=np.float64) / _FINE)
    origin, right, up = corners
    along, across = (right - origin) / 1000, (up - origin) / 1000
    return np.array(
        [[along[0], across[0], origin[0]], [along[1], across[1], origin[1]], [0, 0, 1]],
        dtype=np.float64,
    )


def _text_lines(page: pdfium.PdfPage, matrix: Matrix, size: tuple[int, int]) -> Iterator[Line]:
    """The page's own text, split at line ends, changes of direction and gaps of two characters."""
    chars: list[Char] = []
    pending_space = False
    for char in _characters(page, matrix, size):
        if char is None or (chars and not _continues(chars[-1], char)):
            if chars:
                yield _line(chars)
            chars, pending_space = [], False
        if char is None:
            continue
        if char.text.isspace():
            pending_space = bool(chars)
            continue
        if pending_space:
            chars.append(_space(chars[-1], char))
        chars.append(char)
        pending_space = False
    if chars:
        yield _line(chars)


def _characters(
    page: pdfium.PdfPage, matrix: Matrix, size: tuple[int, int]
) -> Iterator[Char | None]:
    """Characters with their quads in pixels; None stands for the end of a line."""
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        if count > MAX_CHARACTERS:
            raise UnreadablePage(
                f"PDF 页面含 {count} 个字符，太多。请打印后扫描，或另存为图片型 PDF。",
                f"The PDF page holds {count} characters, too many. Print and scan it, or save it"
                " as a picture PDF.",
            )
        high = 0
        for index in range(count):
            code = raw.FPDFText_GetUnicode(textpage, index)
            if code in (10, 13):
                yield None
                continue
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000 and high:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
            if (code < 32 and code != 9) or 0xD800 <= code < 0xE000 or code >= 0xFFFE:
                continue
            quad = _char_quad(textpage, index, matrix)
            if chr(code).isspace() or _on_page(quad, size):
                yield Char(chr(code), quad, 1.0)
    finally:
        textpage.close()


def _char_quad(textpage: pdfium.PdfTextPage, index: int, matrix: Matrix) -> Quad:
    """The character's cell (advance by font height) joined with its ink, in reading direction."""
    tight = textpage.get_charbox(index)
    loose = textpage.get_charbox(index, loose=True)
    left, bottom = min(tight[0], loose[0]), min(tight[1], loose[1])
    right, top = max(tight[2], loose[2]), max(tight[3], loose[3])
    quad = mapped(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), matrix)
    # Text set at an angle keeps its upright box; the corner order follows the nearest quarter.
    clockwise = raw.FPDFText_GetCharAngle(textpage, index)
    return np.roll(quad, -round(max(clockwise, 0.0) / (math.pi / 2)) % 4, axis=0)


def _on_page(quad: Quad, size: tuple[int, int]) -> bool:
    x, y = quad.mean(axis=0)
    return bool(0 <= x <= size[0] and 0 <= y <= size[1])


def _continues(last: Char, char: Char) -> bool:
    """Whether `char` stands behind `last` on the same line, at most two characters away."""
    right, down = last.quad[1] - last.quad[0], last.quad[3] - last.quad[0]
    height = float(np.linalg.norm(down))
    width = float(np.linalg.norm(right))
    if char.text.isspace() or height < 1e-6 or width < 1e-6:
        return True
    step = char.quad.mean(axis=0) - last.quad.mean(axis=0)
    same_way = float(right @ (char.quad[1] - char.quad[0])) > 0
    ahead, aside = float(step @ right) / width, abs(float(step @ down)) / height
    return same_way and -0.5 * height <= ahead <= 3 * height and aside <= 0.7 * height


def _space(last: Char, char: Char) -> Char:
    quad = np.array([last.quad[1], char.quad[0], char.quad[3], last.quad[2]])
    return Char(" ", quad, 1.0)


def _line(chars: list[Char]) -> Line:
    first = chars[0].quad
    right = first[1] - first[0]
    right = right / max(float(np.linalg.norm(right)), 1e-9)
    down = first[3] - first[0]
    down = down - float(down @ right) * right
    down = down / max(float(np.linalg.norm(down)), 1e-9)
    points = np.concatenate([c.quad for c in chars])
    u, v = points @ right, points @ down
    corners = ((u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max()))
    quad = np.array([a * right + b * down for a, b in corners])
    return Line(tuple(chars), quad, 1.0, layer="text")


def _damaged() -> UnreadablePage:
    return UnreadablePage(
        "PDF 不完整或已损坏。请重新导出或重新上传。",
        "The PDF is cut off or damaged. Export or upload it again.",
    )

"""Tells by its content what a file is, since file names on uploads are often wrong."""

from __future__ import annotations

from redactor.errors import UnreadablePage

_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


def is_pdf(data: bytes) -> bool:
    """Whether the content is a PDF; some have a few bytes in front of their header."""
    return b"%PDF-" in data[:1024]


def refuse_other_formats(data: bytes) -> None:
    """Says what a file that is no scan really is, since its name often claims otherwise."""
    if (known := _picture_format(data)) is not None:
        if known in ("BigTIFF", "AVIF"):
            raise _wrong_format(f"{known} 图片", f"a {known} picture")
        return
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    lowered = head[:2048].lower()
    if lowered.startswith((b"<!doctype html", b"<html")) or b"<html" in lowered:
        raise _wrong_format(
            "网页（HTML），通常是下载时登录已过期", "a web page (HTML), often from an expired login"
        )
    if head.startswith(b"PK\x03\x04"):
        names = {b"word/": ("Word 文档", "a Word document"), b"xl/": ("Excel 表格", "a workbook")}
        names |= {b"OFD.xml": ("OFD 版式文件", "an OFD document")}
        for mark, (zh, en) in names.items():
            if mark in data[:65536] or mark in data[-65536:]:
                raise _wrong_format(zh, en)
        raise _wrong_format("压缩包（ZIP）", "a ZIP archive")
    others = (
        (b"\xd0\xcf\x11\xe0", "旧版 Office 文档", "an old Office document"),
        (b"Rar!", "压缩包（RAR）", "a RAR archive"),
        (b"7z\xbc\xaf", "压缩包（7z）", "a 7z archive"),
        (b"<svg", "SVG 图形", "an SVG drawing"),
        (b"<?xml", "XML 文件", "an XML file"),
        (b"{\\rtf", "RTF 文档", "an RTF document"),
        (b"%!PS", "PostScript 文件", "a PostScript file"),
        (b"8BPS", "Photoshop 文件", "a Photoshop file"),
        (b"AT&TFORM", "DjVu 文件", "a DjVu file"),
    )
    for mark, zh, en in others:
        if head.startswith(mark):
            raise _wrong_format(zh, en)
    if data[4:8] == b"ftyp":
        raise _wrong_format("视频", "a video")
    if b"\0" not in data[:4096]:
        raise _wrong_format("文本文件", "a text file")
    raise _wrong_format("无法识别的格式", "of an unknown format")


def _picture_format(data: bytes) -> str | None:
    marks = (
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "BigTIFF"),
        (b"MM\0+", "BigTIFF"),
        (b"GIF8", "GIF"),
    )
    for mark, name in marks:
        if data.startswith(mark):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return "BMP"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (b"avif", b"avis"):
            return "AVIF"
        return "HEIF" if brand in _HEIF_BRANDS else None
    return None


def _wrong_format(zh: str, en: str) -> UnreadablePage:
    return UnreadablePage(
        f"这不是扫描图片，而是{zh}。请换成 JPG、PNG、TIFF、BMP、WebP、HEIC 或 PDF。",
        f"This is not a scan but {en}. Replace it by a JPG, PNG, TIFF, BMP, WebP, HEIC or PDF.",
    )

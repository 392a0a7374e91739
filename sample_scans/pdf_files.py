"""Writes the PDF samples: scans wrapped in a PDF, and a typeset page with real text."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import typst
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas as PdfCanvas

from sample_scans.canvas import Canvas
from sample_scans.fonts import Fonts


def image_pdf(images: list[Image.Image], dpi: int, quality: int) -> bytes:
    """Pages that hold one JPEG each and no text."""
    out = io.BytesIO()
    pdf = PdfCanvas(out, invariant=1)
    pdf.setAuthor("sample")
    for image in images:
        width, height = (v * 72 / dpi for v in image.size)
        pdf.setPageSize((width, height))
        jpeg = io.BytesIO()
        image.save(jpeg, "JPEG", quality=quality)
        pdf.drawImage(ImageReader(jpeg), 0, 0, width, height)
        pdf.showPage()
    pdf.save()
    return out.getvalue()


def typeset_pdf(sheets: list[Canvas], fonts: Fonts) -> bytes:
    """The glyphs of the sheets as real text, each where the sheet has it; lines and pictures are
    left out, so only pages made of text come out whole."""
    pages = []
    for sheet in sheets:
        point = 72 / sheet.dpi
        body = [
            f"#set page(width: {sheet.image.width * point:.2f}pt, "
            f"height: {sheet.image.height * point:.2f}pt, margin: 0pt)"
        ]
        for glyph in sheet.drawn:
            text = glyph.char.replace("\\", "\\\\").replace('"', '\\"')
            body.append(
                f"#place(top + left, dx: {glyph.x * point:.3f}pt, dy: {glyph.y * point:.3f}pt,"
                f' text(size: {glyph.size * point:.3f}pt, "{text}"))'
            )
        pages.append("\n".join(body))
    head = (
        '#set text(font: ("Noto Serif SC", "Noto Sans SC"), lang: "zh", region: "CN", '
        'top-edge: "baseline", bottom-edge: "baseline")\n'
    )
    source = head + "\n#pagebreak()\n".join(pages)
    found = typst.Fonts(font_paths=[str(fonts.path("song").parent)])
    made: bytes = typst.compile(
        source.encode(),
        font_paths=found,
        format="pdf",
        timestamp=int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()),
    )
    return made

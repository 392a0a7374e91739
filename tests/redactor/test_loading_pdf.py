"""PDF pages must come out as a person sees them, with the text layer exactly on the glyphs. The
PDFs are written here by hand, so that each test says what is in the file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from redactor.errors import UnreadablePage
from redactor.geometry import bounds
from redactor.loading import count_pages, load_pages
from redactor.page import Image, Line, SourcePage

FONT = "/Resources << /Font << /F 4 0 R >> /XObject << /Im 5 0 R >> >>"


def pdf(
    path: Path,
    content: str = "",
    page: str = "",
    media: str = "0 0 595 842",
    image: bytes | None = None,
    extra: dict[int, bytes] | None = None,
    trailer: str = "",
    catalog: str = "",
    pages: int = 1,
) -> Path:
    """Objects: 1 catalog, 2 pages, 3 page, 4 font, 5 image, 6 content, further by `extra`."""
    stream = content.encode("latin-1")
    kids = " ".join(["3 0 R"] * pages)
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        3: (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{media}] {FONT} /Contents 6 0 R {page} >>"
        ).encode(),
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        5: image or b"<< >>",
        6: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        **(extra or {}),
    }
    out, offsets = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1)
    for number in range(1, max(objects) + 1):
        out += b"%010d 00000 n \n" % offsets[number]
    out += f"trailer << /Size {max(objects) + 1} /Root 1 0 R {trailer} >>\n".encode()
    path.write_bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)
    return path


def jpeg_object(picture: Pillow.Image, cut: float = 1.0) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    data = out.getvalue()
    data = data[: int(len(data) * cut)]
    return (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB"
        b" /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream"
        % (*picture.size, len(data), data)
    )


def only_page(path: Path) -> SourcePage:
    (page,) = load_pages(path)
    return page


def refused(path: Path, *words: str) -> None:
    with pytest.raises(UnreadablePage) as caught:
        list(load_pages(path))
    text = caught.value.sentence.zh + caught.value.sentence.en
    assert all(word in text for word in words), text


def ink(pixels: Image) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(pixels.min(axis=2) < 128)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


TEXT = "BT /F 24 Tf 100 700 Td (Zhang Xiaolan) Tj ET"


def assert_on_the_glyphs(page: SourcePage, line: Line) -> None:
    """Every inked character's quad holds ink, and all ink lies in the line."""
    x0, y0, x1, y1 = bounds(line.quad)
    ix0, iy0, ix1, iy1 = ink(page.pixels)
    assert x0 - 2 <= ix0 and y0 - 2 <= iy0 and x1 + 2 >= ix1 and y1 + 2 >= iy1
    for char in line.chars:
        if not char.text.isspace():
            cx0, cy0, cx1, cy1 = (round(v) for v in bounds(char.quad))
            assert page.pixels[cy0:cy1, cx0:cx1].min() < 128, char.text


def test_text_has_a_quad_for_every_character(tmp_path: Path) -> None:
    page = only_page(pdf(tmp_path / "a.pdf", TEXT))
    assert page.dpi == 200
    assert page.pixels.shape == (2339, 1653, 3) or page.pixels.shape == (2339, 1654, 3)
    assert page.source_size == page.pixels.shape[1::-1]
    (line,) = page.text_layer
    assert line.text == "Zhang Xiaolan"
    assert_on_the_glyphs(page, line)
    # The first glyph starts at its pen position: 100 pt at 200 dpi.
    assert bounds(line.chars[0].quad)[0] == pytest.approx(100 / 72 * 200, abs=3)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox [50 600 400 800]"])
def test_rotation_and_crop_box_move_text_and_pixels_alike(
    tmp_path: Path, rotate: int, crop: str
) -> None:
    page = only_page(pdf(tmp_path / "a.pdf", TEXT, f"/Rotate {rotate} {crop}"))
    height, width = page.pixels.shape[:2]
    want = (350, 200) if crop else (595, 842)
    want = want[::-1] if rotate in (90, 270) else want
    assert (width, height) == pytest.approx([v / 72 * 200 for v in want], abs=2)
    (line,) = page.text_layer
    assert line.text == "Zhang Xiaolan"
    assert_on_the_glyphs(page, line)
    # Reading direction: the text runs right, down, left, up as the page is turned.
    step = line.quad[1] - line.quad[0]
    assert [round(v) for v in step / np.linalg.norm(step)] == {
        0: [1, 0],
        90: [0, 1],
        180: [-1, 0],
        270: [0, -1],
    }[rotate]


@pytest.mark.parametrize(("matrix", "way"), [("0 1 -1 0", [0, -1]), ("0 -1 1 0", [0, 1])])
def test_text_turned_on_the_page(tmp_path: Path, matrix: str, way: list[int]) -> None:
    page = only_page(pdf(tmp_path / "a.pdf", f"BT /F 24 Tf {matrix} 300 400 Tm (Zhang) Tj ET"))
    (line,) = page.text_layer
    assert line.text == "Zhang"
    assert_on_the_glyphs(page, line)
    step = line.quad[1] - line.quad[0]
    assert [round(v) for v in step / np.linalg.norm(step)] == way


def test_lines_and_columns_are_apart(tmp_path: Path) -> None:
    content = (
        "BT /F 12 Tf 50 700 Td (left) Tj ET BT /F 12 Tf 400 700 Td (right) Tj ET"
        " BT /F 12 Tf 50 650 Td (below) Tj ET"
    )
    page = only_page(pdf(tmp_path / "a.pdf", content))
    assert {line.text for line in page.text_layer} == {"left", "right", "below"}


def test_text_outside_the_page_is_not_delivered(tmp_path: Path) -> None:
    page = only_page(pdf(tmp_path / "a.pdf", TEXT + " BT /F 12 Tf 900 300 Td (gone) Tj ET"))
    assert [line.text for line in page.text_layer] == ["Zhang Xiaolan"]


@pytest.mark.parametrize(
    ("pixels", "media", "want"),
    [
        ((827, 1170), "0 0 595.4 842.4", (827, 1170)),  # 100 dpi: kept
        ((2480, 3508), "0 0 595.2 841.9", (2480, 3508)),  # 300 dpi: kept
        ((3307, 4678), "0 0 595.3 842", (2480, 3508)),  # 400 dpi: lowered to 300
        ((1654, 2339), "0 0 1654 2339", (1654, 2339)),  # a sheet of one point per pixel
    ],
)
def test_a_scan_is_rendered_at_its_own_resolution(
    tmp_path: Path, pixels: tuple[int, int], media: str, want: tuple[int, int]
) -> None:
    _, _, w, h = (float(v) for v in media.split())
    picture = Pillow.effect_noise(pixels, 60).convert("RGB")
    path = pdf(
        tmp_path / "a.pdf",
        f"q {w} 0 0 {h} 0 0 cm /Im Do Q",
        media=media,
        image=jpeg_object(picture),
    )
    page = only_page(path)
    assert page.pixels.shape[1::-1] == pytest.approx(want, abs=2)
    if pixels[0] == 1654:
        assert page.dpi == pytest.approx(200, abs=1)


def test_a_damaged_scan_inside_is_refused(tmp_path: Path) -> None:
    picture = Pillow.effect_noise((827, 1170), 60).convert("RGB")
    image = jpeg_object(picture, cut=0.5)
    refused(pdf(tmp_path / "a.pdf", "q 595 0 0 842 0 0 cm /Im Do Q", image=image), "损坏")


def test_annotations_and_form_fields_are_drawn(tmp_path: Path) -> None:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 100 100]"
    paint = b"0 0 0 rg 0 0 100 100 re f"
    extra = {
        7: b"<< /Type /Annot /Subtype /Stamp /Rect [100 100 200 200] /F 4 /AP << /N 8 0 R >> >>",
        8: b"<< %s /Length %d >>\nstream\n%s\nendstream" % (form, len(paint), paint),
        9: (
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (x) /F 4"
            b" /Rect [300 300 400 400] /AP << /N 8 0 R >> >>"
        ),
    }
    catalog = "/AcroForm << /Fields [9 0 R] >>"
    path = pdf(tmp_path / "a.pdf", "", "/Annots [7 0 R 9 0 R]", extra=extra, catalog=catalog)
    pixels = only_page(path).pixels

    def at(x: float, y: float) -> int:
        return int(pixels[round((842 - y) / 72 * 200), round(x / 72 * 200)].max())

    assert at(150, 150) < 50
    assert at(350, 350) < 50
    assert at(250, 250) == 255


def test_an_encrypted_pdf_asks_for_its_password_to_be_removed(tmp_path: Path) -> None:
    key = "00" * 32
    trailer = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >>"
        " /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]"
    )
    refused(pdf(tmp_path / "a.pdf", TEXT, trailer=trailer), "密码", "password")


def test_huge_sheets_and_huge_pictures_are_refused(tmp_path: Path) -> None:
    refused(pdf(tmp_path / "a.pdf", TEXT, media="0 0 30000 30000"), "太大")
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 30000 /Height 30000 /ColorSpace /DeviceGray"
        b" /BitsPerComponent 1 /Length 4 >>\nstream\nabcd\nendstream"
    )
    refused(pdf(tmp_path / "b.pdf", "q 595 0 0 842 0 0 cm /Im Do Q", image=image), "30000")


def test_a_poster_is_rendered_smaller(tmp_path: Path) -> None:
    page = only_page(pdf(tmp_path / "a.pdf", TEXT, media="0 0 4000 6000"))
    assert max(page.pixels.shape) <= 8001


def test_a_cut_off_pdf_is_refused(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", TEXT + " " * 9000)
    path.write_bytes(path.read_bytes()[:5000])
    refused(path, "PDF", "损坏")
    path.write_bytes(b"%PDF-1.7\n%%EOF")
    refused(path, "损坏")


def test_pages_are_counted_and_limited(tmp_path: Path) -> None:
    assert count_pages(pdf(tmp_path / "a.pdf", TEXT, pages=3)) == 3
    assert len(list(load_pages(pdf(tmp_path / "a.pdf", TEXT, pages=3)))) == 3
    refused(pdf(tmp_path / "b.pdf", TEXT, pages=1001), "1000")
    refused(pdf(tmp_path / "c.pdf", TEXT, pages=0))

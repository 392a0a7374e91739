"""Attempts to get behind a mask or to the person by another way than the pixels that are shown."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from scipy.stats import kendalltau

from redactor import geometry
from redactor.applicant import Applicant
from redactor.finders.known import find_known
from redactor.identity import identity_of
from redactor.loading import load_page, load_pages
from redactor.masking import encode, paint
from redactor.padding import padded_names
from redactor.page import Image, Kind
from redactor.proof import stray_parts
from redactor.streams import streams
from redactor.vault import Vault
from sample_scans.canvas import BLACK, Canvas, Style
from tests.redactor.golden.boxes import reading
from tests.redactor.golden.pages import OWN, Outcome, judged, own, pixels_of, sheet
from tests.redactor.golden.sets import PEOPLE, ROOT, Run, command, write_roster
from tests.redactor.test_loading_pdf import pdf

TEXT = Style(size=12)
FORMATS = ("jpg", "png")
NAMES = ("王芳", "王晓芳", "欧阳震华")


def about(name: str) -> Outcome:
    """A form's row with the label and the name, masked after a real reading."""
    canvas = sheet(110, 40)
    canvas.line(12, 10, ["姓名：", own(name)], TEXT)
    canvas.line(12, 26, "承担胡杨林更新项目，成绩优秀。", TEXT)
    return judged(canvas, who=named(name))


def named(name: str) -> Applicant:
    return replace(OWN, name=name, unit="", id_number=None, phones=(), emails=())


# ---- what lies under a mask


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-3.1, 3.1),
    st.floats(6, 60),
    st.floats(4, 30),
    st.sampled_from(FORMATS),
)
def test_a_file_does_not_depend_on_what_is_under_its_masks(
    seed: int, angle: float, across: float, down: float, form: str
) -> None:
    """The encoder works on blocks of 16 pixels, which lie half under a mask and half beside it."""
    rng = np.random.default_rng(seed)
    one = np.asarray(rng.integers(0, 256, (96, 128, 3)), np.uint8)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = rng.uniform(20, 90, 2)
    quad = geometry.rectangle(-across, -down, across, down) @ turn.T + centre
    pixels = np.stack(np.meshgrid(np.arange(128), np.arange(96)), axis=2) + 0.5
    along = np.abs((pixels - centre) @ turn)
    under = (along[:, :, 0] < across - 1.5) & (along[:, :, 1] < down - 1.5)
    other = one.copy()
    other[under] = rng.integers(0, 256, (int(under.sum()), 3))
    assert encode(paint(one, [quad]), form, 200) == encode(paint(other, [quad]), form, 200)


@pytest.mark.parametrize("form", FORMATS)
def test_two_names_under_one_mask_leave_one_file(form: str) -> None:
    """The mask of one reading hides the other name as well, with the blur around its glyphs."""
    files = []
    masks = [f.quad for f in about("王晓芳").page.findings if f.kind == Kind.NAME]
    assert masks
    for name in ("王晓芳", "李建国"):
        canvas = sheet(110, 40)
        canvas.line(12, 10, ["姓名：", own(name)], TEXT)
        files.append(encode(paint(pixels_of(canvas), masks), form, 120))
    assert files[0] == files[1]


def test_the_ghost_of_the_scan_s_own_jpeg_stays_within_a_block_of_the_mask(tmp_path: Path) -> None:
    """A scanner's JPEG spreads a glyph over its block of 16 pixels, also beyond the mask.

    What is left there ends with the block and is fainter than paper's own noise; who knows the page
    to the grey level could still compare it with guesses.
    """
    scans = []
    quad = next(f.quad for f in about("王晓芳").page.findings if f.kind == Kind.NAME)
    for number, name in enumerate(("王晓芳", "李建国")):
        canvas = sheet(110, 40)
        canvas.line(12, 10, ["姓名：", own(name)], TEXT)
        path = tmp_path / f"{number}.jpg"
        Pillow.fromarray(pixels_of(canvas)[:, :, ::-1]).save(path, quality=75)
        scans.append(paint(load_page(path, 0).pixels, [quad]))
    ghost = cv2.absdiff(*scans).max(axis=2)
    x0, y0, x1, y1 = (int(v) for v in geometry.bounds(quad))
    beside = ghost.copy()
    beside[max(0, y0 - 16) : y1 + 17, max(0, x0 - 16) : x1 + 17] = 0
    assert int(beside.max()) == 0
    assert int(ghost.max()) <= 24
    files = [np.frombuffer(encode(scan, "jpg", 120), np.uint8) for scan in scans]
    shown = [cv2.imdecode(file, cv2.IMREAD_COLOR) for file in files]
    assert int(cv2.absdiff(*shown).max()) <= 12


# ---- how wide a mask is


def form_row(name: str, centred: bool) -> Canvas:
    canvas = sheet(160, 60)
    cells = canvas.table(10, 10, (30, 60, 60), (14, 14))
    canvas.cell(cells[0][0], "姓名", TEXT)
    x, y, width, _ = cells[0][1]
    if centred:
        canvas.line(x + width / 2, y + 4, own(name), TEXT, "center")
    else:
        canvas.line(x + 3, y + 4, own(name), TEXT)
    canvas.cell(cells[0][2], "工程师", TEXT)
    canvas.cell(cells[1][1], "林业工程", TEXT)
    return canvas


@pytest.mark.parametrize("centred", [False, True])
def test_a_padded_mask_does_not_tell_how_long_the_name_is(centred: bool) -> None:
    """The masks as fitted differ by a glyph for each character; padded they are the same."""
    ends, widths = [], []
    for name in NAMES:
        canvas = form_row(name, centred)
        page = judged(canvas, who=named(name)).page
        plain = [f for f in page.findings if f.kind == Kind.NAME]
        widths.append(geometry.width(plain[0].quad))
        (wide,) = padded_names(pixels_of(canvas), plain[:1])
        ends.append(geometry.bounds(wide.quad)[::2])
    glyph = 20
    assert widths[2] - widths[0] > 1.5 * glyph
    assert float(np.ptp(np.array(ends), axis=0).max()) < glyph / 2


# ---- what a file holds besides the pixels that are shown


def plain() -> Image:
    return pixels_of(form_row("王芳", False))


def rgb(pixels: Image) -> Pillow.Image:
    return Pillow.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))


def exif_with_thumbnail() -> bytes:
    """EXIF whose thumbnail shows the page unmasked, with an author."""
    exif = Pillow.Exif()
    exif[0x013B] = "王芳"
    thumbnail = io.BytesIO()
    rgb(plain()).resize((160, 60)).save(thumbnail, "JPEG")
    exif.get_ifd(0x1)[0x0201] = 0
    exif.get_ifd(0x8769)[0x927C] = thumbnail.getvalue()
    return exif.tobytes()


def png(path: Path) -> None:
    notes = PngInfo()
    notes.add_text("Author", "王芳")
    notes.add_itxt("XML:com.adobe.xmp", "<x>王芳</x>")
    rgb(plain()).save(path, pnginfo=notes, exif=exif_with_thumbnail(), icc_profile=b"x" * 200)
    path.write_bytes(path.read_bytes() + "王芳".encode())


def png_hidden(path: Path) -> None:
    """A name in pixels that are wholly transparent."""
    picture = rgb(plain()).convert("RGBA")
    secret = np.array(rgb(pixels_of(form_row("李建国", True))))
    hidden = np.dstack([secret[:20], np.zeros(secret.shape[:2], np.uint8)[:20]])
    page = np.array(picture)
    page[:20] = hidden
    Pillow.fromarray(page).save(path)


def webp(path: Path) -> None:
    rgb(plain()).save(path, lossless=True, exif=exif_with_thumbnail(), xmp=b"<x>\xe7\x8e\x8b</x>")


def tiff(path: Path) -> None:
    """A private tag, an author, a sub-file with the unmasked page, and Photoshop's own block."""
    tags = ImageFileDirectory_v2()
    tags[315] = "Wang Fang"
    tags[65000] = "Wang Fang"
    tags.tagtype[65000] = 2
    tags[34377] = b"8BIM Wang Fang"
    tags.tagtype[34377] = 7
    rgb(plain()).save(path, tiffinfo=tags, compression="tiff_lzw", icc_profile=b"x" * 200)


BESIDE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "PNG with texts, EXIF and bytes behind it": ("a.png", png),
    "WebP with EXIF and XMP": ("a.webp", webp),
    "TIFF with private tags": ("a.tif", tiff),
}


@pytest.mark.parametrize("what", list(BESIDE))
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_beside_the_pixels_comes_through(tmp_path: Path, what: str, form: str) -> None:
    name, write = BESIDE[what]
    write(tmp_path / name)
    (page,) = load_pages(tmp_path / name)
    data = encode(page.pixels, form, 200)
    assert data == encode(plain(), form, 200)
    assert stray_parts(data) == []


@pytest.mark.parametrize("form", FORMATS)
def test_colours_behind_transparency_do_not_come_through(tmp_path: Path, form: str) -> None:
    png_hidden(tmp_path / "a.png")
    (page,) = load_pages(tmp_path / "a.png")
    clean = plain()
    clean[:20] = 255
    assert encode(page.pixels, form, 200) == encode(clean, form, 200)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_text_that_only_the_alpha_channel_draws_is_read_and_masked(
    tmp_path: Path, form: str
) -> None:
    """All colours are black; opacity alone makes the glyphs."""
    canvas = sheet(110, 40)
    canvas.line(12, 10, ["姓名：", own("诸葛晓岚"), "，承担胡杨林更新项目"], TEXT)
    grey = cv2.cvtColor(pixels_of(canvas), cv2.COLOR_BGR2GRAY)
    layers = np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey])
    path = tmp_path / f"a.{form.lower()}"
    how = {"lossless": True} if form == "WEBP" else {}
    Pillow.fromarray(layers).save(path, form, **how)
    canvas.image = rgb(load_page(path, 0).pixels)
    outcome = judged(canvas, who=named("诸葛晓岚"))
    assert outcome.verdicts
    assert outcome.wrong() == [], outcome.why()
    encoded = encode(outcome.page.masked, "png", 120)
    assert Pillow.open(io.BytesIO(encoded)).mode in ("L", "RGB")


def test_every_frame_of_a_file_is_a_page_and_a_second_picture_is_not(tmp_path: Path) -> None:
    """A TIFF's frames are all masked; the pictures that viewers do not show are dropped."""
    first, second = rgb(plain()), rgb(pixels_of(form_row("李建国", True)))
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    assert len(list(load_pages(tmp_path / "a.tif"))) == 2
    first.save(tmp_path / "a.mpo", "MPO", save_all=True, append_images=[second])
    (page,) = load_pages(tmp_path / "a.mpo")
    alone = io.BytesIO()
    first.save(alone, "JPEG")
    shown = cv2.imdecode(np.frombuffer(alone.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(page.pixels, np.asarray(shown))


# ---- PDF

SHOWN = "BT /F 18 Tf 60 700 Td (Populus euphratica project) Tj ET"
NAME = "BT /F 18 Tf 60 640 Td (Zhuge Xiaolan) Tj ET"


def content(text: str) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text.encode())


def saved_again(path: Path, text: str) -> Path:
    """An incremental save: the old content stays in the file, a later one takes its place."""
    old = path.read_bytes()
    start = int(old.split(b"startxref\n")[-1].split(b"\n")[0])
    new = b"6 0 obj\n" + content(text) + b"\nendobj\n"
    table = b"xref\n6 1\n%010d 00000 n \n" % len(old)
    trailer = b"trailer << /Size 7 /Root 1 0 R /Prev %d >>\n" % start
    place = len(old) + len(new)
    path.write_bytes(old + new + table + trailer + b"startxref\n%d\n%%%%EOF\n" % place)
    return path


HIDDEN_NOTE = (
    b"<< /Type /Annot /Subtype /FreeText /F 2 /Rect [60 600 300 640] /DA (/F 18 Tf)"
    b" /Contents (Zhuge Xiaolan) >>"
)
ATTACHED = b"<< /Type /EmbeddedFile /Length 13 >>\nstream\nZhuge Xiaolan\nendstream"
UNSEEN: dict[str, Callable[[Path], Path]] = {
    "an older revision": lambda p: saved_again(pdf(p, SHOWN + " " + NAME), SHOWN),
    "a hidden note": lambda p: pdf(p, SHOWN, page="/Annots [7 0 R]", extra={7: HIDDEN_NOTE}),
    "an attachment": lambda p: pdf(
        p,
        SHOWN,
        catalog="/Names << /EmbeddedFiles << /Names [(Zhuge Xiaolan.txt) 8 0 R] >> >>",
        extra={7: ATTACHED, 8: b"<< /Type /Filespec /F (Zhuge Xiaolan.txt) /EF << /F 7 0 R >> >>"},
    ),
    "an author": lambda p: pdf(p, SHOWN, trailer="/Info << /Author (Zhuge Xiaolan) >>"),
}


@pytest.mark.parametrize("what", list(UNSEEN))
def test_what_a_pdf_does_not_show_does_not_come_through(tmp_path: Path, what: str) -> None:
    attacked = UNSEEN[what](tmp_path / "a.pdf")
    assert b"Zhuge Xiaolan" in attacked.read_bytes()
    page, alone = load_page(attacked, 0), load_page(pdf(tmp_path / "b.pdf", SHOWN), 0)
    assert encode(page.pixels, "png", page.dpi) == encode(alone.pixels, "png", alone.dpi)
    assert "Zhuge" not in "".join(line.text for line in page.text_layer)


@pytest.mark.parametrize(
    "text",
    [
        NAME.replace("Tf", "Tf 3 Tr"),
        NAME.replace("BT", "BT 1 1 1 rg"),
        NAME.replace("18 Tf", "1 Tf"),
    ],
    ids=["invisible", "white on white", "one point high"],
)
def test_hidden_text_of_a_pdf_is_found_as_text(tmp_path: Path, text: str) -> None:
    """What nobody sees could be brought out again from pixels that are not quite blank."""
    page = load_page(pdf(tmp_path / "a.pdf", SHOWN + " " + text), 0)
    who = identity_of(replace(OWN, pinyin=("Zhuge Xiaolan",)))
    found = [f for s in streams(reading(*page.text_layer)) for f in find_known(s, who)]
    assert [f.kind for f in found] == [Kind.NAME]


# ---- order


def test_codes_tell_nothing_of_the_roster_s_order(tmp_path: Path) -> None:
    """Kendall's tau between a code's rank and its row, over rounds of 40: its mean is that of
    chance (standard deviation of tau: sqrt(2(2n+5) / 9n(n-1)))."""
    n, rounds = 40, 60
    taus = []
    for number in range(rounds):
        vault = Vault(tmp_path / str(number))
        vault.create(resume=False)
        codes = vault.codes(range(1, n + 1))
        taus.append(kendalltau(range(n), [codes[row] for row in range(1, n + 1)]).statistic)
    spread = (2 * (2 * n + 5) / (9 * n * (n - 1))) ** 0.5
    # 4.5 standard errors: seven false alarms in a million.
    assert abs(np.mean(taus)) < 4.5 * spread / rounds**0.5
    assert 0.6 < np.std(taus) / spread < 1.5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six applicants with a small page each, from a ZIP, in a temporary folder that is looked at.

    The names of files and folders tell who it is.
    """
    base = tmp_path_factory.mktemp("order")
    people = [*PEOPLE, ("5", "买买提江", "男", "", "且末县文化馆", ""),
              ("6", "赵一鸣", "男", "", "若羌县水利局", "")]  # fmt: skip
    with zipfile.ZipFile(base / "scans.zip", "w") as packed:
        for row, name, *_ in people:
            canvas = sheet(40, 20)
            canvas.line(4, 6, f"成果第{row}项", Style(size=12, colour=BLACK))
            data = io.BytesIO()
            canvas.image.save(data, "PNG", dpi=(120, 120))
            packed.writestr(f"0{row}{name}/{name}-论文.png", data.getvalue())
    roster = write_roster(base / "花名册.csv", people)
    (base / "tmp").mkdir()
    done = subprocess.run(
        command(base / "scans.zip", roster, base, "--jobs", "1"),
        cwd=ROOT,
        env={**os.environ, "MANGPING_LANG": "en", "TMPDIR": str(base / "tmp")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return Run(done.returncode, done.stderr, done.stdout, base / "blind", base / "vault")


def test_the_manifest_is_in_the_order_of_codes(run: Run) -> None:
    listed = [d["code"] for d in json.loads((run.blind / "manifest.json").read_text())["dossiers"]]
    assert listed == sorted(listed)
    assert len(listed) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="asks GNU stat for the time of birth")
def test_files_are_made_in_the_order_of_codes(run: Run) -> None:
    """File systems keep when a file was made, whatever its other times are set to."""
    pages = sorted(run.blind.glob("*/*"))
    assert len(pages) == 6
    said = subprocess.run(
        ["stat", "-c", "%w", *pages], capture_output=True, text=True, check=True
    ).stdout.split("\n")[: len(pages)]
    if "-" in said:
        pytest.skip("this file system does not keep the time of birth")
    assert said == sorted(said)


def test_nothing_but_the_vault_and_the_pages_is_left_behind(run: Run) -> None:
    """No reading, report or part of a file in BLIND, no scan in the temporary folder."""
    files = {path.name for path in run.blind.rglob("*") if path.is_file()}
    assert files == {"manifest.json", "001.jpg"}
    left = [path for path in (run.blind.parent / "tmp").rglob("*") if path.is_file()]
    for path in left:
        assert path.read_bytes()[:4] not in (b"\x89PNG", b"\xff\xd8\xff\xe0"), path
    names = [str(path) for path in (run.blind.parent / "tmp").rglob("*")]
    assert not [name for name in names for person in PEOPLE if person[1] in name]


def test_what_is_said_names_nobody(run: Run) -> None:
    assert not [person[1] for person in PEOPLE if person[1] in run.stderr + run.stdout]


def test_a_name_that_is_not_sought_is_seen() -> None:
    """The control: judged with another person's row, the name in a text shows."""
    canvas = sheet(110, 30)
    canvas.line(12, 10, ["本单位职工", own("王晓芳"), "同志成绩优秀"], TEXT)
    assert judged(canvas, who=named("欧阳建国")).wrong()

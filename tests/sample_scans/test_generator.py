"""The sample generator's promises: repeatable, truth on the ink, a roster that can be read."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from random import Random

import cv2
import numpy as np
import openpyxl
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from benchmarks.axes import known_recipes
from redactor.page import Kind
from sample_scans.canvas import Canvas, Span, Style
from sample_scans.degrade import RECIPES, Recipe, degrade
from sample_scans.dossier import WIDE_PLANS, WIDE_SCANS
from sample_scans.faded import without_faded
from sample_scans.fonts import Fonts
from sample_scans.generate import generate
from sample_scans.marks import barcode, on_sheet, qr, seal
from sample_scans.pages import PAGES
from sample_scans.pages.context import Context
from sample_scans.people import SLOTS, check_digit, make_people
from sample_scans.truth import PageTruth, load_truth

FILES = 3


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set")
    generate(out, seed=5, applicants=1, files=FILES, debian=False)
    return out


def pixels(out: Path, page: PageTruth) -> np.ndarray:
    with Image.open(out / "scans" / page.source) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("L"))


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    made: Path, tmp_path: Path
) -> None:
    generate(tmp_path / "again", seed=5, applicants=1, files=FILES, debian=False)
    assert digests(tmp_path / "again") == digests(made)
    generate(tmp_path / "other", seed=6, applicants=1, files=FILES, debian=False)
    assert digests(tmp_path / "other") != digests(made)


def test_truth_lists_every_file_in_the_size_it_is_stored(made: Path) -> None:
    pages = load_truth(made / "truth.json.gz").pages
    stored = {p.relative_to(made / "scans").as_posix() for p in (made / "scans").rglob("*.*")}
    assert {p.source for p in pages} == {s for s in stored if (made / "scans" / s).is_file()}
    for page in pages:
        assert pixels(made, page).shape[::-1] == page.size


def test_kinds_are_those_of_the_report(made: Path) -> None:
    kinds = {i.kind for p in load_truth(made / "truth.json.gz").pages for i in p.items}
    assert kinds <= {str(k) for k in Kind}
    assert {"name", "id_number", "code", "seal"} <= kinds


@pytest.mark.parametrize("recipe", ["office", "turned_90", "turned_270", "photo_fold"])
@pytest.mark.parametrize("kind", ["summary", "appointment"])
def test_glyph_quads_lie_on_ink_after_degradation(kind: str, recipe: str) -> None:
    """Inside each moved quad there is ink; just beside a line of text there is less of it."""
    person = make_people(Random(3), 1)[0]
    canvas, _ = PAGES[kind](Context(person, Random(3), 120, Fonts(debian=False)))
    sheet = np.asarray(canvas.image, dtype=np.uint8)
    moved, carry = degrade(sheet, RECIPES[recipe], np.random.default_rng(1))
    grey = moved.min(axis=2).astype(float)
    quads = [q for run in canvas.keep if not run.what for q in run.quads]
    quads += [q for item in canvas.items if item.kind != "seal" for q in item.quads]
    hits = 0
    for quad in quads:
        points = carry(np.array(quad))
        (x0, y0), (x1, y1) = points.min(0).round().astype(int), points.max(0).round().astype(int)
        inner = grey[max(y0, 0) : y1, max(x0, 0) : x1]
        around = grey[max(y0 - 25, 0) : y1 + 25, max(x0 - 25, 0) : x1 + 25]
        hits += bool(inner.size and inner.min() < np.percentile(around, 90) - 40)
    assert hits / len(quads) > 0.99


def test_glyph_boxes_are_tight_on_the_clean_sheet() -> None:
    person = make_people(Random(3), 1)[0]
    canvas, _ = PAGES["summary"](Context(person, Random(3), 200, Fonts(debian=False)))
    grey = np.asarray(canvas.image.convert("L"))
    for item in canvas.items:
        for quad in item.quads:
            x0, y0, x1, y1 = (int(v) for v in (*quad[0], *quad[2]))
            ink = grey[y0:y1, x0:x1] < 215
            for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
                assert edge.any(), (item.text, quad)


@pytest.mark.parametrize("kind", sorted(PAGES))
def test_every_page_type_renders_with_pypi_fonts_alone(kind: str) -> None:
    person = make_people(Random(9), 4)[3]
    canvas, _ = PAGES[kind](Context(person, Random(9), 72, Fonts(debian=False)))
    own = [i for i in canvas.items if i.applicant == person.serial]
    assert bool(own) == (kind != "plain")
    assert canvas.keep


def test_people_are_of_every_sort_and_their_ids_check() -> None:
    people = make_people(Random(1), len(SLOTS))
    assert [p.slot for p in people] == list(SLOTS)
    assert len({p.name for p in people}) == len(people)
    for person in people:
        assert len(person.id_number) == 18
        assert check_digit(person.id_number[:17]) == person.id_number[17]
        for decoy in person.decoys:
            assert person.name in decoy.replace("，", "").replace("。", "")
    # The example printed in GB 11643-1999.
    assert check_digit("11010519491231002") == "X"


def test_roster_has_title_rows_and_all_columns(made: Path) -> None:
    sheet = openpyxl.load_workbook(made / "roster.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert "花名册" in str(rows[0][0])
    assert rows[1][0] == "单位（盖章）："
    assert rows[2][:12] == (
        "序号", "姓名", "性别", "族别", "政治面貌", "身份证号码", "现任专业职务",
        "获现任专业职务时间", "拟晋升专业技术职务", "工作单位", "是否通过", "备注",
    )  # fmt: skip
    person = make_people(Random("people/5"), 1)[0]
    assert rows[3][1] == person.name
    assert rows[3][5] == person.id_number
    assert any(p.name == person.folder for p in (made / "scans").iterdir())


def test_wide_pages_hold_every_class_and_every_degradation() -> None:
    """What the accuracy tables have a row for is drawn; 4 steps a file reach every recipe."""
    assert math.gcd(4, len(WIDE_SCANS)) == 1
    assert len(WIDE_PLANS) >= len(WIDE_SCANS)
    assert {p for plan in WIDE_PLANS for p in plan.pages} == set(PAGES)
    unknown = {r for r in RECIPES if r not in known_recipes()}
    assert unknown == set()
    forms: dict[str, set[str]] = {}
    sizes = []
    for slot in range(4):
        person = make_people(Random(4), 4)[slot]
        for kind in ("bulletin", "stamps", "labels", "photos", "board", "bilingual", "contract"):
            canvas, _ = PAGES[kind](Context(person, Random(slot), 100, Fonts(debian=False)))
            for item in canvas.items:
                forms.setdefault(item.kind, set()).add(item.form)
            sizes += [face.distance for face in canvas.faces]
    assert {"round", "oval", "square", "triangle", "embossed"} <= forms["seal"]
    assert forms["code"] == {"qr", "code128", "pdf417", "datamatrix"}
    assert {"handwritten", "fingerprint"} <= forms["signature"]
    assert {"uyghur", "pinyin", "spaced", "white_on_colour"} <= forms["name"]
    assert {"letterhead", "vertical", "white_on_colour"} <= forms["unit"]
    assert sum(12 <= d < 25 for d in sizes) >= 12
    assert sum(d >= 25 for d in sizes) >= 6


@pytest.mark.parametrize("turn", [-90.0, -33.0, 12.0, 77.0])
def test_a_turned_code_decodes_and_lies_in_its_quad(turn: float) -> None:
    canvas = Canvas(Fonts(debian=False), Random(1), 200, 80, 80)
    qr(canvas, 20, 20, 36, "https://example.com/1", 1, turn)
    (item,) = canvas.items
    grey = np.asarray(canvas.image.convert("L"))
    (found,) = zxingcpp.read_barcodes(grey)
    assert found.text == item.text
    inside = np.zeros(grey.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(np.array(item.quads[0])).astype(np.int32), (1,))
    beside = cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0
    assert not (grey[beside] < 128).any()
    assert 0.3 < (grey[inside == 1] < 128).mean() < 0.7


def test_a_square_data_matrix_has_as_many_modules_down_as_across() -> None:
    canvas = Canvas(Fonts(debian=False), Random(1), 200, 80, 80)
    barcode(canvas, 20, 20, 20, 20, "652899197301245723|诸葛晓岚", 1, "datamatrix")
    (item,) = canvas.items
    grey = np.asarray(canvas.image.convert("L"))
    x0, y0, x1, y1 = (round(f(p[k] for p in item.quads[0])) for f in (min, max) for k in (0, 1))
    dark = grey[y0:y1, x0:x1] < 128
    # The dotted border runs along the top and down the right side.
    across, down = (
        int(np.diff(edge.astype(int)).astype(bool).sum()) for edge in (dark[2], dark[:, -3])
    )
    assert across == down >= 20


@pytest.mark.parametrize(("x", "y"), [(1.0, 30.0), (44.0, 30.0), (22.0, -4.0), (22.0, 63.0)])
def test_only_the_part_of_a_seal_on_the_sheet_is_planted(x: float, y: float) -> None:
    """What the edge cut off is not there to be hidden: truth ends where the paper does."""
    canvas = Canvas(Fonts(debian=False), Random(1), 100, 45, 60)
    seal(canvas, x, y, "巴音郭楞蒙古自治州林业和草原局", 1, turn=20)
    (item,) = canvas.items
    points = np.array(item.quads).reshape(-1, 2)
    assert 3 <= len(item.quads) < 14
    assert points.min() >= 0
    assert (points <= canvas.image.size).all()


@given(
    shift=st.tuples(st.floats(-60, 160), st.floats(-60, 160)),
    turn=st.floats(0, 6.3),
    side=st.floats(4, 40),
)
def test_a_glyph_on_the_sheet_is_its_own_part(
    shift: tuple[float, float], turn: float, side: float
) -> None:
    cos, sin = math.cos(turn) * side, math.sin(turn) * side
    glyph = np.array([[0, 0], [cos, sin], [cos - sin, sin + cos], [-sin, cos]]) + shift
    quad = tuple((float(x), float(y)) for x, y in glyph)
    cut = on_sheet(quad, (100, 100))
    if (glyph >= 0).all() and (glyph <= 100).all():
        assert cut == quad
    if cut is None:
        # At most a sliver of it is there: its middle is off the sheet.
        middle = glyph.mean(axis=0)
        assert not ((middle > 1) & (middle < 99)).all()
    else:
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in cut)


def test_crumpled_points_stay_on_their_ink() -> None:
    sheet = np.full((900, 700, 3), 250, np.uint8)
    dots = [(x, y) for x in range(60, 660, 90) for y in range(60, 860, 100)]
    for x, y in dots:
        cv2.circle(sheet, (x, y), 4, (0, 0, 0), -1)
    moved, carry = degrade(sheet, Recipe("c", crumple=6.0), np.random.default_rng(3))
    far = []
    for x, y in carry(np.array(dots, dtype=float)):
        part = moved[int(y) - 14 : int(y) + 15, int(x) - 14 : int(x) + 15].min(axis=2)
        ys, xs = np.nonzero(part < 120)
        far.append(float(np.hypot(xs.mean() - 14, ys.mean() - 14)))
    assert max(far) < 2
    assert np.abs(carry(np.array(dots, dtype=float)) - dots).max() > 3


def test_print_under_a_seal_that_is_gone_does_not_keep_it() -> None:
    canvas = Canvas(Fonts(debian=False), Random(1), 150, 90, 60)
    printed = Canvas(Fonts(debian=False), Random(1), 150, 90, 60)
    for page in (canvas, printed):
        for y in (16, 23, 48):
            page.line(10, y, ["经核对上述材料与原件相符同意上报"], Style(size=14))
    seal(canvas, 35, 35, "库尔勒市第三中学", 1, size=40)
    made = PageTruth(
        "a",
        0,
        1,
        "drawn",
        canvas.image.size,
        0,
        150,
        (),
        tuple(canvas.items),
        tuple(canvas.keep),
        (),
    )
    stamped, bare = (np.asarray(c.image, dtype=np.uint8) for c in (canvas, printed))
    assert [i.kind for i in without_faded(made, stamped).items] == ["seal"]
    assert without_faded(made, bare).items == ()


def test_what_faded_away_is_no_item() -> None:
    """A stamp that a copier made white is gone, with the characters that a photo swallowed."""
    canvas = Canvas(Fonts(debian=False), Random(1), 150, 90, 60)
    canvas.line(10, 5, ["经审核", Span("张岚", "name", applicant=1)], Style(size=12))
    seal(canvas, 45, 35, "库尔勒市第三中学", 1, size=40)
    page = PageTruth("a", 0, 1, "drawn", canvas.image.size, 0, 150, (), tuple(canvas.items), (), ())
    whole = np.asarray(canvas.image, dtype=np.uint8)
    assert without_faded(page, whole) == page
    bare = whole.copy()
    bare[canvas.px(14) :] = 253
    assert [i.kind for i in without_faded(page, bare).items] == ["name"]
    half = whole.copy()
    half[:, canvas.px(58) :] = 253
    (left,) = (i for i in without_faded(page, half).items if i.kind == "seal")
    assert 4 < len(left.quads) < 8

"""Seals of every outline and ink are covered wherever they lie; other red things stay."""

from __future__ import annotations

import math
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageDraw

from redactor import geometry
from redactor.finders.seal_text import names_unit, readable, seal_strips, suspicious
from redactor.finders.seals import SealRegion, doubtful_seals, find_seals, seal_findings
from redactor.geometry import rectangle
from redactor.identity import Identity
from redactor.masking import paint
from redactor.page import Image, Kind
from redactor.unit_forms import unit_terms
from sample_scans.canvas import RED, Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import emblem, seal
from sample_scans.truth import Quad
from tests.redactor.golden.pages import sheet

DPI = 110
UNIT = "巴音郭楞蒙古自治州林业和草原局"
FONTS = Fonts(debian=False)
TEXT = "本项目在塔里木盆地北缘开展防风固沙林营造技术研究，三年完成造林面积一千二百亩。"


def blank(width: float = 210, height: float = 150) -> Canvas:
    return Canvas(FONTS, Random(1), DPI, width, height)


def written(canvas: Canvas) -> Canvas:
    """With lines of print all over."""
    for row in range(9):
        canvas.line(20, 15 + 14 * row, TEXT[row:], Style("song", 11))
    return canvas


def pixels_of(canvas: Canvas, grey: bool = False) -> Image:
    """BGR, with the grain and softness of a scan."""
    rgb = np.asarray(canvas.image.convert("L").convert("RGB") if grey else canvas.image, np.uint8)
    noise = np.random.default_rng(2).normal(0, 2, rgb.shape[:2])[:, :, None]
    soft = cv2.GaussianBlur(rgb[:, :, ::-1], (0, 0), 0.6)
    return np.ascontiguousarray(np.clip(soft + noise, 0, 255).astype(np.uint8))


def uncovered(canvas: Canvas, pixels: Image, regions: tuple[SealRegion, ...]) -> float:
    """Largest share of a glyph of the seals that no region covers."""
    mask = paint(np.full_like(pixels, 255), (r.quad for r in regions))[:, :, 0] == 0
    worst = 0.0
    for item in canvas.items:
        for quad in item.quads:
            worst = max(worst, 1 - _share(mask, quad))
    return worst


def _share(mask: np.ndarray, quad: Quad) -> float:
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(np.array(quad)).astype(np.int32), (1,))
    chosen = inside > 0
    return float(mask[chosen].mean()) if chosen.any() else 1.0


@settings(max_examples=30, deadline=None)
@example(
    size=26.0, angle=26.0, x=45.0, y=35.0, strength=0.40625, colour=RED, over_text=False
)  # a box aslant around its hollow cut the ring
@given(
    size=st.floats(26, 54),
    angle=st.floats(-180, 180),
    x=st.floats(40, 170),
    y=st.floats(35, 115),
    strength=st.floats(0.4, 1.0),
    colour=st.sampled_from([RED, (200, 30, 60), (225, 60, 40), (230, 90, 100), (170, 20, 30)]),
    over_text=st.booleans(),
)
def test_round_red_seals_are_covered_at_any_size_angle_place_and_shade(
    size: float,
    angle: float,
    x: float,
    y: float,
    strength: float,
    colour: tuple[int, int, int],
    over_text: bool,
) -> None:
    """Print that crosses the palest small seals may break their ring: those are not asked for."""
    canvas = written(blank()) if over_text else blank()
    strength = max(strength, 0.55) if over_text else strength
    seal(canvas, x, y, UNIT, 1, size=size, turn=angle, strength=strength, colour=colour)
    pixels = pixels_of(canvas)
    regions = find_seals(pixels, DPI)
    assert uncovered(canvas, pixels, regions) < 0.03
    assert len(regions) == 1


@settings(max_examples=20, deadline=None)
@given(
    size=st.floats(36, 52),
    angle=st.floats(-180, 180),
    x=st.floats(45, 165),
    y=st.floats(35, 115),
    strength=st.floats(0.6, 1.0),
)
def test_round_seals_are_covered_in_grey_copies_over_text(
    size: float, angle: float, x: float, y: float, strength: float
) -> None:
    canvas = written(blank())
    seal(canvas, x, y, UNIT, 1, size=size, turn=angle, strength=strength)
    pixels = pixels_of(canvas, grey=True)
    assert uncovered(canvas, pixels, find_seals(pixels, DPI)) < 0.03


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("shape", "size"), [("oval", 44), ("oval", 32), ("square", 30)])
@pytest.mark.parametrize("turn", [-12, 0, 9])
def test_oval_and_square_seals_are_covered(
    shape: str, size: float, turn: float, grey: bool
) -> None:
    canvas = blank()
    canvas.line(20, 20, TEXT, Style("song", 11))
    seal(canvas, 120, 80, "库尔勒市种苗管理站", 1, shape, size, turn=turn)
    pixels = pixels_of(canvas, grey)
    regions = find_seals(pixels, DPI)
    assert uncovered(canvas, pixels, regions) < 0.03
    assert [r.shape for r in regions] == [shape]


@pytest.mark.parametrize("turn", [0, 20, 60])
def test_triangular_seals_are_covered(turn: float) -> None:
    canvas = blank()
    points = [
        (120 + 22 * math.sin(math.radians(turn + a)), 80 - 22 * math.cos(math.radians(turn + a)))
        for a in (0, 120, 240)
    ]
    draw = ImageDraw.Draw(canvas.image)
    corners = [(canvas.px(x), canvas.px(y)) for x, y in points]
    draw.line([*corners, corners[0]], RED, canvas.px(1))
    draw.text((canvas.px(120), canvas.px(82)), "检验", RED, FONTS.sized("song", 30, "检验"), "mm")
    pixels = pixels_of(canvas)
    (region,) = find_seals(pixels, DPI)
    mask = paint(np.full_like(pixels, 255), [region.quad])[:, :, 0] == 0
    assert region.shape == "triangle"
    assert all(mask[min(y, mask.shape[0] - 1), x] for x, y in corners)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("edge", ["right", "left", "top", "bottom"])
@pytest.mark.parametrize("beyond", [0.0, 0.15])
def test_seals_cut_by_the_edge_are_covered(edge: str, beyond: float, grey: bool) -> None:
    """Half of the seal is on the page, then about a third."""
    canvas, size = blank(), 42.0
    off = beyond * size
    x = {"left": -off, "right": 210 + off}.get(edge, 105)
    y = {"top": -off, "bottom": 150 + off}.get(edge, 75)
    seal(canvas, x, y, UNIT, 1, size=size, turn=30)
    pixels = pixels_of(canvas, grey)
    regions = find_seals(pixels, DPI)
    assert uncovered(canvas, pixels, regions) < 0.03
    assert [r.shape for r in regions] == ["cut"]


@pytest.mark.parametrize("colour", [(40, 60, 160), (30, 30, 30)])
def test_blue_and_black_round_seals_are_covered(colour: tuple[int, int, int]) -> None:
    canvas = written(blank())
    seal(canvas, 110, 80, UNIT, 1, colour=colour)
    pixels = pixels_of(canvas)
    regions = find_seals(pixels, DPI)
    assert uncovered(canvas, pixels, regions) < 0.03


@pytest.mark.parametrize(("colour", "ink"), [(RED, "red"), ((40, 60, 160), "other")])
@pytest.mark.parametrize("strength", [0.22, 0.3])
@pytest.mark.parametrize("turn", [-60, 30, 170])
def test_pale_seals_under_print_are_covered_and_keep_their_colour(
    colour: tuple[int, int, int], ink: str, strength: float, turn: float
) -> None:
    """Print that crosses a ring breaks its edge in the darkness of the page, not in its colour."""
    canvas = written(blank())
    seal(canvas, 110, 80, UNIT, 1, size=40, turn=turn, strength=strength, colour=colour)
    pixels = pixels_of(canvas)
    regions = find_seals(pixels, DPI)
    assert uncovered(canvas, pixels, regions) < 0.03
    assert [r.ink for r in regions] == [ink]


def test_two_seals_side_by_side_are_two_regions() -> None:
    canvas = blank()
    seal(canvas, 60, 80, UNIT, 1)
    seal(canvas, 140, 80, "库尔勒市人民政府", 0)
    assert len(find_seals(pixels_of(canvas), DPI)) == 2


@pytest.mark.parametrize("dark", [(46, 56, 72, 82), (40, 60, 70, 90), (40, 76, 76, 110)])
def test_a_red_seal_half_over_a_dark_portrait_is_covered(dark: tuple[int, ...]) -> None:
    """Red ink does not show on black cloth; the rest of the ring, worn in one place, tells."""
    canvas = blank()
    seal(canvas, 70, 75, UNIT, 1, size=40, turn=25)
    canvas.area(*dark, (26, 24, 24))
    canvas.area(85, 72, 94, 75, (253, 253, 251))
    (region,) = find_seals(pixels_of(canvas), DPI)
    x0, y0, x1, y1 = (v / DPI * 25.4 for v in geometry.bounds(region.quad))
    assert region.shape == "round"
    assert x0 < 50 and y0 < 55 and x1 > 90 and y1 > 95


def worn(*middles: tuple[float, float]) -> Image:
    """A grey copy with seals at `middles`; the ring of the last is gone in four places."""
    canvas = blank()
    for x, y in middles:
        seal(canvas, x, y, UNIT, 1)
    pixels = pixels_of(canvas, grey=True)
    x, y = middles[-1]
    for dx, dy in ((21, 0), (0, 21), (-21, 0), (0, -21)):
        middle = (round((x + dx) / 25.4 * DPI), round((y + dy) / 25.4 * DPI))
        cv2.circle(pixels, middle, round(3 / 25.4 * DPI), (250, 250, 250), -1)
    return pixels


def test_a_worn_ring_on_a_page_that_has_seals_is_for_a_person() -> None:
    pixels = worn((60, 80), (150, 80))
    assert len(find_seals(pixels, DPI)) == 1
    (doubt,) = doubtful_seals(find_seals(pixels, DPI, doubtful=True))
    x0, y0, x1, y1 = (v / DPI * 25.4 for v in geometry.bounds(doubt.quad))
    assert x0 < 129 and y0 < 59 and x1 > 171 and y1 > 101


def test_an_oval_that_a_fax_broke_on_a_page_that_has_seals_is_for_a_person() -> None:
    canvas = blank()
    seal(canvas, 60, 80, UNIT, 1)
    seal(canvas, 150, 80, UNIT, 1, "oval", 44)
    pixels = pixels_of(canvas, grey=True)
    gaps = np.random.default_rng(3).random((150, 210)) < 0.12
    broken = cv2.resize(gaps.astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    broken[:, : pixels.shape[1] // 2] = 0
    pixels[broken > 0] = 250
    assert [r.shape for r in find_seals(pixels, DPI)] == ["round"]
    (doubt,) = doubtful_seals(find_seals(pixels, DPI, doubtful=True))
    x0, y0, x1, y1 = (v / DPI * 25.4 for v in geometry.bounds(doubt.quad))
    assert x0 < 130 and y0 < 68 and x1 > 170 and y1 > 92


def test_a_copied_ring_half_over_a_portrait_on_a_page_that_has_seals_is_masked() -> None:
    canvas = blank()
    seal(canvas, 70, 75, UNIT, 1, size=40, turn=25)
    seal(canvas, 150, 75, UNIT, 1)
    canvas.area(46, 56, 72, 82, (26, 24, 24))
    canvas.area(85, 72, 94, 75, (253, 253, 251))
    pixels = pixels_of(canvas, grey=True)
    assert len(find_seals(pixels, DPI)) == 1
    regions = find_seals(pixels, DPI, doubtful=True)
    assert len(regions) == 2 and doubtful_seals(regions) == ()
    assert min(geometry.bounds(r.quad)[0] for r in regions) < 50 / 25.4 * DPI


def test_a_worn_ring_is_left_where_no_seal_was_found() -> None:
    assert find_seals(worn((150, 80)), DPI, doubtful=True) == ()


def test_the_mask_reaches_beyond_the_rings_outer_edge() -> None:
    canvas = blank()
    seal(canvas, 105, 75, UNIT, 1, size=40)
    (region,) = find_seals(pixels_of(canvas), DPI)
    sides = np.ptp(region.quad, axis=0) / DPI * 25.4
    assert np.all(sides > 40.5)
    assert np.all(sides < 44)


def _letterhead(canvas: Canvas) -> None:
    canvas.line(105, 40, "巴音郭楞蒙古自治州林业和草原局文件", Style("song", 26, RED), "center")
    canvas.rule(20, 70, 190, 70, RED, 0.8, "red_line")
    canvas.line(30, 85, TEXT, Style("song", 11))


def _emblem(canvas: Canvas) -> None:
    emblem(canvas, 60, 60, 20)
    emblem(canvas, 140, 60, 32)


def _title(canvas: Canvas) -> None:
    canvas.area(6, 6, 204, 144, None, RED, 2)
    canvas.line(105, 50, "荣誉证书", Style("kai", 52, RED, gap=0.15), "center")


def _portrait_ground(canvas: Canvas) -> None:
    draw, px = ImageDraw.Draw(canvas.image), canvas.px
    draw.rectangle((px(50), px(40), px(75), px(75)), (200, 30, 40))
    draw.ellipse((px(56), px(45), px(69), px(62)), (225, 180, 150))
    draw.rectangle((px(53), px(63), px(72), px(75)), (30, 30, 50))


def _shaded_table(canvas: Canvas) -> None:
    for row in range(6):
        colour = (250, 205, 205) if row % 2 else (210, 40, 40)
        canvas.area(30, 30 + 12 * row, 180, 42 + 12 * row, colour)
        canvas.line(34, 33 + 12 * row, TEXT[: 12 + row], Style("song", 11))


def _red_text(canvas: Canvas) -> None:
    for row in range(9):
        canvas.line(20, 15 + 12 * row, TEXT[row:], Style("song", 11, RED))


def _grey_table(canvas: Canvas) -> None:
    for row in range(8):
        for column in range(5):
            x, y = 20 + 34 * column, 15 + 15 * row
            canvas.area(x, y, x + 34, y + 15, None, (20, 20, 20), 0.4)
            canvas.line(x + 3, y + 5, TEXT[row : row + 6], Style("song", 10))


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(
    "draw",
    [
        _letterhead,
        _emblem,
        _title,
        _portrait_ground,
        _shaded_table,
        _red_text,
        _grey_table,
        written,
        lambda canvas: canvas.image.paste(RED, (0, 0, *canvas.image.size)),
    ],
    ids=["letterhead", "emblem", "title", "portrait", "shaded", "lines", "table", "print", "cover"],
)
def test_what_is_no_seal_stays(draw, grey: bool) -> None:  # type: ignore[no-untyped-def]
    canvas = blank()
    draw(canvas)
    assert find_seals(pixels_of(canvas, grey), DPI) == ()


def test_a_picture_of_one_framed_red_thing_is_no_seal() -> None:
    """A photographed plaque of unknown resolution."""
    canvas = blank(60, 42)
    canvas.area(2, 2, 58, 40, None, RED, 1)
    canvas.line(30, 15, "先进集体", Style("song", 24, RED), "center")
    assert find_seals(pixels_of(canvas), DPI) == ()


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (40, 40), (900, 12)])
def test_odd_sizes_have_no_seal_and_raise_nothing(size: tuple[int, int]) -> None:
    assert find_seals(np.full((*size, 3), 240, np.uint8), 200) == ()


# ---- which seals a profile masks -------------------------------------------------------------

OWN = Identity(1, tuple(unit_terms(UNIT, "unit")))
REGION = SealRegion(
    rectangle(10, 10, 90, 90), "round", "red", 0.9, ((50.0, 50.0), (76.0, 76.0), 0.0)
)
PAPER = np.full((100, 100, 3), 255, np.uint8)


def masked(text: str, keep_others: bool = True) -> bool:
    return bool(seal_findings(PAPER, [REGION], lambda strip: text, OWN, keep_others))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{UNIT} {UNIT}", True),
        (f"{UNIT[6:]} {UNIT} {UNIT[:6]}", True),
        ("巴音郭愣蒙古自治州林业和草源局" * 2, True),
        ("巴州林草局 巴州林草局", True),
        ("", True),
        ("章印", True),
        ("海尔勤市维辣教商基物 降尔物市维辣教育基物", True),
        (f"{UNIT[:9]} {UNIT[:9]}", True),
        ("新疆农业大学 新疆农业大学", False),
        ("长安大学 长安大学", False),
        ("库尔勒市继续教育基地 库尔勒市继续教育基地", False),
        ("巴音郭楞蒙古自治州总工会 巴音郭楞蒙古自治州总工会", False),
    ],
)
def test_the_notice_profile_masks_own_and_unreadable_seals(text: str, expected: bool) -> None:
    assert masked(text) is expected


def test_the_strict_profile_masks_every_seal_without_reading() -> None:
    def read(strip: Image) -> str:
        raise AssertionError("read although all seals are masked")

    (finding,) = seal_findings(PAPER, [REGION], read, OWN, False)
    assert finding.kind is Kind.SEAL
    assert np.array_equal(finding.quad, REGION.quad)


@given(
    start=st.integers(0, len(UNIT) - 1),
    wrong=st.integers(0, len(UNIT) - 1),
    broken=st.integers(0, 2 * len(UNIT)),
)
def test_a_ring_that_starts_anywhere_names_its_unit(start: int, wrong: int, broken: int) -> None:
    misread = UNIT[:wrong] + "口" + UNIT[wrong + 1 :]
    ring = (misread[start:] + misread[:start]) * 2
    assert names_unit(f"{ring[:broken]} {ring[broken:]}", OWN)


def test_pieces_of_a_unit_are_suspicious_and_others_are_not() -> None:
    assert suspicious("林业和草原 林业和草源", OWN)
    assert not suspicious("继续教育基地 继续教育基地", OWN)
    assert not suspicious("", OWN)


def test_two_copies_that_disagree_were_not_read() -> None:
    assert readable("新疆农业大学新疆农业大学", rows=False)
    assert not readable("新疆农业大学薪噩衣业天字", rows=False)
    assert not readable("新疆农业大学", rows=False)
    assert readable("新疆农业大学", rows=True)


def test_the_ring_is_unwound_clockwise_with_tops_up() -> None:
    """A ring of coloured sectors comes out in its order, the outer half above the inner."""
    ring = PillowImage.new("RGB", (200, 200), (255, 255, 255))
    draw = ImageDraw.Draw(ring)
    for quarter, shade in enumerate((0, 60, 120, 180)):
        # PIL's angles run clockwise from the right, as the strip's do; start at the foot.
        draw.pieslice((4, 4, 196, 196), 90 + 90 * quarter, 180 + 90 * quarter, (shade,) * 3)
    draw.ellipse((28, 28, 172, 172), (255, 255, 255))
    region = SealRegion(
        rectangle(0, 0, 200, 200), "round", "grey", 1.0, ((100.0, 100.0), (192.0, 192.0), 0.0)
    )
    strips = list(seal_strips(np.asarray(ring, np.uint8), region))
    assert [rows for _, rows in strips] == [False, False]
    strip = strips[0][0][20:-20, 20:-20, 0].astype(int)
    once = strip.shape[1] // 2
    assert np.array_equal(strip[:, :once], strip[:, once:])
    quarters = [strip[8, int(once * (k + 0.5) / 4)] for k in range(4)]
    assert quarters == sorted(quarters)
    assert quarters[0] < quarters[-1]
    assert strip[-4].min() > strip[8].min()


def test_grey_ovals_are_covered_also_where_print_touches_them() -> None:
    """In a copy the print that runs into an oval seal is of one ink with it."""
    canvas = sheet(150, 90, dpi=150)
    canvas.line(12, 30, "材料共四十六页装订成册骑缝处加盖印章涂改无效", Style(size=12))
    seal(canvas, 60, 48, "巴音郭楞蒙古自治州林业和草原局", 1, "oval", 45, (110, 110, 110))
    pixels = pixels_of(canvas)
    (item,) = (i for i in canvas.items if i.kind == "seal")
    regions = find_seals(pixels, 150.0)
    assert any(
        all(geometry.holds(region.quad, np.array(quad, dtype=float)) for quad in item.quads)
        for region in regions
    )

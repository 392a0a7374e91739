"""The second look: finds what is still there on a masked page, and nothing on a clean one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from redactor import geometry
from redactor.identity import Identity, identity_of
from redactor.judgement import judge
from redactor.masking import paint
from redactor.page import Finding, Image, Kind, Reading, State
from redactor.profile import NOTICE, STRICT, Profile
from redactor.quality import Quality
from redactor.reading import reader_version, second_reader, shared_reader
from redactor.second_reading import (
    evened,
    is_blank_beside_masks,
    is_sure,
    masked_share,
    read_again,
)
from redactor.verify import FINDER, second_look
from sample_scans.canvas import Canvas, Style
from tests.redactor.golden.boxes import line
from tests.redactor.golden.pages import OWN, own, pixels_of, sheet

TEXT = Style(size=12)
WHO = identity_of(OWN)


def page() -> Canvas:
    canvas = sheet(150, 70)
    canvas.line(12, 8, ["职工", own("诸葛晓岚"), "同志，"], TEXT)
    canvas.line(12, 22, [own(OWN.unit, "unit"), "年度考核优秀。"], TEXT)
    canvas.line(12, 36, ["公民身份号码", own("652899198501014510", "id_number")], TEXT)
    canvas.line(12, 50, "其他内容与本人无关，可以保留。", TEXT)
    return canvas


def masked(canvas: Canvas, kinds: Iterable[str]) -> Image:
    """The page with the planted items of these kinds painted over, and nothing else."""
    quads = [
        np.array(quad, dtype=np.float64)
        for item in canvas.items
        if item.kind in kinds
        for quad in item.quads
    ]
    return paint(pixels_of(canvas), quads)


def look(pixels: Image, who: Identity = WHO, profile: Profile = STRICT) -> tuple[Finding, ...]:
    first = Reading((), (), (pixels.shape[1], pixels.shape[0]), 0, reader_version())
    return second_look(pixels, first, who, profile, shared_reader, second_reader)


def test_a_page_with_everything_masked_gives_no_hit() -> None:
    assert look(masked(page(), {"name", "unit", "id_number"})) == ()


@pytest.mark.parametrize("missed", ["name", "unit", "id_number"])
def test_what_was_not_masked_is_a_hit(missed: str) -> None:
    hits = look(masked(page(), {"name", "unit", "id_number"} - {missed}))
    assert {hit.kind for hit in hits} == {Kind(missed)}
    assert {hit.finder for hit in hits} == {FINDER}
    sharp = Quality(0.9, 200)
    first = Reading((), (), (10, 10), 0, "")
    state, reason = judge(first, (), hits, sharp)
    assert state is State.REVIEW
    assert "复核" in reason


def test_a_name_of_which_one_character_is_covered_is_a_hit() -> None:
    canvas = page()
    (item,) = (i for i in canvas.items if i.kind == "name")
    last = np.array(item.quads[-1], dtype=np.float64)
    pixels = paint(masked(canvas, {"unit", "id_number"}), [last])
    assert [hit.kind for hit in look(pixels)] == [Kind.NAME]


def test_the_notice_asks_for_no_numbers() -> None:
    pixels = masked(page(), {"name", "unit"})
    assert look(pixels, identity_of(OWN, NOTICE.identity_settings()), NOTICE) == ()


def test_another_person_leaves_no_hit() -> None:
    other = identity_of(replace(OWN, name="欧阳建国", unit="阿克苏地区第二水文站", id_number=None))
    assert look(masked(page(), {"id_number"}), other) == ()


def test_pale_text_on_grey_paper_is_read_again() -> None:
    canvas = sheet(150, 40, paper=(190, 190, 190))
    canvas.line(12, 10, ["职工", own("诸葛晓岚")], Style(size=14, colour=(140, 140, 140)))
    assert [hit.kind for hit in look(pixels_of(canvas))] == [Kind.NAME]


def test_a_line_upside_down_is_read_again() -> None:
    canvas = page()
    pixels = pixels_of(canvas)
    half = pixels.shape[0] // 2
    upside = np.vstack([pixels[:half][::-1, ::-1], pixels[half:]])
    lines = read_again(second_reader(), upside, evened(upside))
    assert any("诸葛晓岚" in line.text for line in lines)


def test_evened_paper_is_white_and_ink_is_black() -> None:
    pixels = np.full((200, 300, 3), 150, np.uint8)
    pixels[95:105, 50:250] = 20
    page = evened(pixels)
    assert page[10, 10].min() > 240
    assert page[100, 150].max() < 20


def test_the_masked_share_of_a_box() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[:, :50] = 0
    quad = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], dtype=np.float64)
    assert masked_share(pixels, quad) == pytest.approx(0.5, abs=0.02)
    outside = quad + 500
    assert masked_share(pixels, outside) == 1.0


@pytest.mark.parametrize(
    ("left", "blank"),
    [(None, True), ((30, 60, 60, 100), False), ((40, 40, 70, 52), False)],
)  # fmt: skip
def test_whether_masks_leave_only_paper(
    left: tuple[int, int, int, int] | None, blank: bool
) -> None:
    """A place from (20, 20) to (220, 220) with a mask in its middle."""
    grain = np.random.default_rng(3).normal(0, 2, (240, 240, 1))
    pixels = np.clip(np.full((240, 240, 3), 246.0) + grain, 0, 255).astype(np.uint8)
    if left is not None:
        x0, y0, x1, y1 = left
        pixels[y0:y1, x0:x1] = 190  # a pale portrait, or what the mask covers
    pixels[80:160, 80:170] = 0
    place = geometry.rectangle(20, 20, 220, 220)
    assert is_blank_beside_masks(pixels, place) is blank
    assert not is_blank_beside_masks(pixels, geometry.rectangle(180, 180, 220, 220))


def test_the_dots_of_a_fax_are_no_masks() -> None:
    """They are as black as a mask; of a pale portrait they are all that is left."""
    pixels = np.full((240, 240, 3), 255, np.uint8)
    pixels[120:160, 80:170] = 0
    place = geometry.rectangle(20, 20, 220, 220)
    assert is_blank_beside_masks(pixels, place)
    pixels[40:100:6, 80:170:6] = 0
    pixels[41:100:6, 80:170:6] = 0
    assert not is_blank_beside_masks(pixels, place)


def test_a_line_that_was_read_surely_is_not_read_twice() -> None:
    canvas = page()
    pixels = pixels_of(canvas)
    lines = shared_reader().read_lines(pixels, shared_reader().detect(pixels))
    assert len(lines) == 4
    surely = tuple(replace(x, chars=tuple(replace(c, score=1.0) for c in x.chars)) for x in lines)
    assert read_again(second_reader(), pixels, evened(pixels), surely) == surely
    unsure = (replace(surely[0], chars=(replace(surely[0].chars[0], score=0.9),)), *surely[1:])
    again = read_again(second_reader(), pixels, evened(pixels), unsure)
    assert again[:3] == surely[1:]
    assert again[3].text == surely[0].text
    assert again[3] is not unsure[0]


def test_a_line_beside_a_mask_is_read_twice() -> None:
    pixels = pixels_of(page())
    lines = shared_reader().read_lines(pixels, shared_reader().detect(pixels))
    surely = tuple(replace(x, chars=tuple(replace(c, score=1.0) for c in x.chars)) for x in lines)
    covered = paint(pixels, [surely[0].chars[0].quad])
    assert read_again(second_reader(), covered, evened(covered), surely)[:3] == surely[1:]


@pytest.mark.parametrize(("text", "sure"), [("职工诸葛晓岚", True), ("职工  晓岚", False)])
def test_a_gap_may_hide_a_character(text: str, sure: bool) -> None:
    whole = line(text)
    read = replace(whole, chars=tuple(c for c in whole.chars if c.text != " "))
    wide = replace(
        whole, chars=tuple(c for c in line(text.replace(" ", "　")).chars if c.text != "　")
    )
    assert is_sure(read if sure else wide) is sure

"""Lines are joined as a person reads them, each exactly once, and lead back to their boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.page import Line
from redactor.streams import cell_of, streams
from tests.redactor.golden.boxes import column, line, reading


def sources(*lines: Line, cells: tuple[np.ndarray, ...] = ()) -> list[str]:
    return sorted(s.source for s in streams(reading(*lines, cells=cells)))


PLACED = st.builds(
    line,
    st.text(alphabet="李明业务abc12", min_size=1, max_size=8),
    st.integers(0, 1200),
    st.integers(0, 2000),
    st.sampled_from([20, 40, 80]),
    layer=st.sampled_from(["ink", "lifted", "pale", "text"]),
)


@given(st.lists(PLACED | st.builds(column, st.just("李明同志")), max_size=12))
def test_every_line_is_in_exactly_one_stream_or_once_more_in_a_stack(lines: list[Line]) -> None:
    joined = streams(reading(*lines))
    known = {id(x) for x in lines}
    found = [id(x) for s in joined for x in s.lines if id(x) in known]
    assert set(found) == known
    for x in lines:
        assert found.count(id(x)) <= (2 if len(x.chars) == 1 or x.vertical else 1)
    for stream in joined:
        assert len({x.layer for x in stream.lines}) == 1
        assert len(stream.source) == len(stream.places)
        for place, text in enumerate(stream.source):
            char = stream.char(place)
            assert text in (" ", "\n") if char is None else char.text == text


@given(st.lists(PLACED, min_size=1, max_size=6), st.data())
def test_quads_hold_the_characters_that_were_asked_for(
    lines: list[Line], data: st.DataObject
) -> None:
    stream = data.draw(st.sampled_from(streams(reading(*lines))))
    start = data.draw(st.integers(0, len(stream.source) - 1))
    end = data.draw(st.integers(start + 1, len(stream.source)))
    quads = stream.quads(start, end)
    chars = [c for place in range(start, end) if (c := stream.char(place)) is not None]
    assert "".join(text for _, text in quads) == "".join(c.text for c in chars)
    for char in chars:
        assert any(
            geometry.overlap(geometry.around([char.quad, quad]), quad) > 0.999 for quad, _ in quads
        )


def test_boxes_of_a_row_are_read_from_left_to_right_with_joints() -> None:
    assert sources(line("明", 260), line("李", 100), line("同志", 420)) == ["李 明 同志"]


def test_boxes_far_apart_are_other_texts() -> None:
    assert sources(line("李", 100), line("明", 900)) == ["明", "李"]


def test_rows_of_a_paragraph_are_read_on() -> None:
    first, second = line("本人工作于巴音郭楞蒙古", 100, 100), line("自治州林业和草原局", 100, 160)
    assert sources(second, first) == ["本人工作于巴音郭楞蒙古\n自治州林业和草原局"]


def test_a_heading_in_large_letters_is_no_row_of_the_text_below() -> None:
    assert len(sources(line("聘书", 100, 100, 90), line("兹聘请李明", 100, 210, 30))) == 2


def test_cells_are_read_apart() -> None:
    cells = (geometry.rectangle(90, 90, 250, 150), geometry.rectangle(250, 90, 700, 150))
    assert sources(line("姓名", 100), line("李明", 260), cells=cells) == ["姓名", "李明"]
    assert sources(line("姓名", 100), line("李明", 260)) == ["姓名 李明"]


def test_layers_are_read_apart() -> None:
    assert sources(line("李", 100), line("明", 150, layer="lifted")) == ["明", "李"]


def test_columns_are_read_from_right_to_left() -> None:
    assert sources(column("聘请诸葛", 800), column("晓岚为顾问", 730)) == ["聘请诸葛\n晓岚为顾问"]


@pytest.mark.parametrize("angle", [-0.05, 0.05])
def test_a_skewed_page_is_read_like_a_straight_one(angle: float) -> None:
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )
    straight = [
        line("姓名李明现任职务", 100 + 420 * i, 300 + 60 * j) for j in range(3) for i in (0, 1)
    ]
    skewed = [
        Line(
            tuple(
                type(c)(c.text, geometry.mapped(c.quad, turn), c.score, c.others) for c in x.chars
            ),
            geometry.mapped(x.quad, turn),
            x.score,
        )
        for x in straight
    ]
    assert sources(*skewed) == sources(*straight)


def test_the_smallest_cell_that_holds_a_quad() -> None:
    small, large = geometry.rectangle(0, 0, 50, 50), geometry.rectangle(0, 0, 500, 500)
    cells = [small, large]
    assert cell_of(geometry.rectangle(10, 10, 30, 30), cells) == 0
    assert cell_of(geometry.rectangle(60, 60, 90, 90), cells) == 1
    assert cell_of(geometry.rectangle(600, 60, 690, 90), cells) == -1


def test_a_page_without_text_has_no_streams() -> None:
    assert streams(reading()) == ()


def stack(
    text: str, x: float = 300, y: float = 200, em: float = 40, step: float = 1.05
) -> list[Line]:
    """A box for each character, one below the other; a space leaves a gap."""
    return [line(c, x, y + i * em * step, em) for i, c in enumerate(text) if c != " "]


def test_single_stacked_characters_are_read_downwards() -> None:
    assert "库\n尔\n勒\n市\n三\n中" in sources(*stack("库尔勒市三中"))


def test_a_stack_mixed_of_single_characters_and_columns_is_one_text() -> None:
    pieces = [*stack("库尔勒"), column("市三", 300, 200 + 3 * 42), *stack("中", y=200 + 5 * 42)]
    assert "库\n尔\n勒\n市三\n中" in sources(*pieces)


def test_a_gap_in_a_stack_holds_a_character_that_was_not_read() -> None:
    (found,) = (s for s in streams(reading(*stack("库尔勒市 中"))) if "\ufffd" in s.source)
    assert found.source == "库\n尔\n勒\n市\n\ufffd\n中"
    lost = found.char(found.source.index("\ufffd"))
    assert lost is not None
    assert lost.score == 0
    assert geometry.height(lost.quad) == pytest.approx(40 * 1.05 * 2 - 40)


def test_cells_of_single_characters_side_by_side_are_no_stack() -> None:
    row = [line(c, 300 + 60 * i, 200) for i, c in enumerate("优良中差")]
    assert not any("\n" in source for source in sources(*row))


def test_a_short_row_goes_on_below_a_long_one_that_slants_more_than_the_page() -> None:
    turn = np.deg2rad(6)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])

    def slanted(row: Line) -> Line:
        chars = tuple(replace(c, quad=geometry.mapped(c.quad, matrix)) for c in row.chars)
        return replace(row, chars=chars, quad=geometry.mapped(row.quad, matrix))

    level = [line("项目区位于塔里木盆地东北缘属暖温带", 100, 20 + 60 * k) for k in range(5)]
    long = "作者简介张宇俊女工程师就职于某局主要从事胡杨林更新通讯邮箱zhang"
    rows = [slanted(line(long, 100, 600)), slanted(line("example", 100, 660))]
    (joined,) = [s for s in streams(reading(*level, *rows)) if "example" in s.source]
    assert joined.source.endswith("zhang\nexample")

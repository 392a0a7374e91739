"""What sticks out of a mask of a unit or a long name is known by its end or its beginning."""

from __future__ import annotations

import pytest

from redactor import geometry
from redactor.finders.unit_rests import find_rests_beside, under
from redactor.identity import Identity
from redactor.page import Char, Finding, Kind, Line, Reading
from redactor.term import Script, Term

UNIT, NAME = "巴音郭楞蒙古自治州水利工程质量监督站", "帕提古丽吐尔逊"
SIZE = 20.0
MASK = Finding(Kind.SEAL, geometry.rectangle(200, 0, 400, 200), "", 1.0, "round seal", "seals")


def reading(x: float, text: str) -> Reading:
    """A row of print at y 100, characters of 20 px from x on."""
    chars = tuple(
        Char(c, geometry.rectangle(x + SIZE * i, 90, x + SIZE * (i + 1), 110), 0.99)
        for i, c in enumerate(text)
    )
    line = Line(chars, geometry.rectangle(x, 90, x + SIZE * len(text), 110), 0.99)
    return Reading((line,), (), (800, 300), 0, "test")


def found(x: float, text: str, seals: tuple[Finding, ...] = ()) -> list[Finding]:
    unit = Term(Kind.UNIT, UNIT, "unit", Script.HAN)
    name = Term(Kind.NAME, NAME, "roster name", Script.HAN)
    short = Term(Kind.NAME, "张岚", "former name", Script.HAN)
    identity = Identity(1, (unit, name, short))
    return list(find_rests_beside(reading(x, text), identity, under([MASK]), under(seals)))


@pytest.mark.parametrize("before", ["", "与白州水程"])
def test_the_end_of_a_unit_that_runs_out_of_a_seal_is_masked_up_to_it(before: str) -> None:
    (rest,) = found(405 - SIZE * len(before), before + "量监督站")
    x0, _, x1, _ = geometry.bounds(rest.quad)
    assert rest.kind is Kind.UNIT
    assert x0 <= 400 and x1 == pytest.approx(485)


def test_the_beginning_of_a_unit_that_runs_into_a_seal_is_masked() -> None:
    (rest,) = found(190 - 11 * SIZE, "巴音郭楞蒙古自治州水利")
    x0, _, x1, _ = geometry.bounds(rest.quad)
    assert x0 == pytest.approx(190 - 11 * SIZE) and x1 >= 200


def test_the_second_part_of_a_name_behind_a_lost_dot_is_masked() -> None:
    (rest,) = found(400, "：吐尔逊")
    assert rest.kind is Kind.NAME
    assert geometry.bounds(rest.quad)[2] == pytest.approx(480)


@pytest.mark.parametrize("text", ["站", "督站", "站。"])
def test_beside_a_seal_the_last_character_of_a_unit_is_masked(text: str) -> None:
    """It tells nobody's unit, but nothing of a unit may stay; what stands behind it does."""
    (rest,) = found(405, text, (MASK,))
    x0, _, x1, _ = geometry.bounds(rest.quad)
    assert x0 <= 400 and x1 == pytest.approx(405 + SIZE * len(text.rstrip("。")))
    assert found(405, text) == []
    assert found(450, text, (MASK,)) == []
    assert found(405, "农场", (MASK,)) == []


@pytest.mark.parametrize(
    ("x", "text"), [(405, "逊，"), (405, "尔逊"), (195 - SIZE * 4, "经办人帕"), (405, "岚")]
)
def test_beside_a_seal_one_character_of_a_name_is_masked(x: float, text: str) -> None:
    (rest,) = found(x, text, (MASK,))
    assert rest.kind is Kind.NAME
    assert len(rest.text) == (2 if text == "尔逊" else 1)
    assert len(found(x, text)) == (text == "尔逊")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (405, "监督"),  # as many units end
        (450, "质量监督站"),  # too far from the mask
        (190 - 9 * SIZE, "巴音郭楞蒙古自治州"),  # a place is shared by many
        (260, "质量监督站"),  # under the mask itself
        (405, "林业工作站"),
        (405, "吐鲁番"),
    ],
)
def test_what_many_share_or_stands_apart_is_left(x: float, text: str) -> None:
    assert found(x, text) == []

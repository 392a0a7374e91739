"""Numbers and addresses are found by form and checksum, and what only looks like one stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.citizen_id import checksum_holds
from redactor.finders.patterns import find_patterns, luhn
from redactor.page import Kind
from redactor.profile import STRICT
from tests.redactor.golden.boxes import stream, texts

ALL = STRICT.kinds
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(body: str) -> str:
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, body, strict=True)) % 11]


def found(text: str, kinds: frozenset[Kind] = ALL) -> list[str]:
    return texts(list(find_patterns(stream(text), kinds)))


BODY = r"652899(19[4-9][0-9]|20[01][0-9])(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{3}"


@given(st.from_regex(BODY, fullmatch=True))
def test_every_id_number_is_found_with_its_last_character(body: str) -> None:
    number = id_number(body)
    assert checksum_holds(number)
    numbers = list(find_patterns(stream(f"身份证号：{number}，男"), ALL))
    assert number in texts(numbers)
    assert not [f for f in numbers if f.why.endswith("diploma's")]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("手机19900001234", "19900001234"),
        ("手机 199 0000 1234", "199 0000 1234"),
        ("手机199-0000-1234", "199-0000-1234"),
        ("+8619900001234", "+8619900001234"),
        ("（0996）2012345", "（0996）2012345"),
        ("0996-2012345", "0996-2012345"),
        ("zhang.san@example.com.cn", "zhang.san@example.com.cn"),
        ("邮箱zs_1985@163.com。", "zs_1985@163.com"),
        ("卡号6222021234567890128", "6222021234567890128"),
        ("731155994555008024", "731155994555008024"),
        ("编号：10755120150600123", "10755120150600123"),
    ],
)
def test_numbers_and_addresses_of_anyone(text: str, hidden: str) -> None:
    assert hidden.replace(" ", "") in "".join(found(text)).replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "2023年12月31日",
        "项目编号20231234567",
        "投资19900001234567元",
        "GB11643-1999",
        "ISBN 9787040396638",
        "3.14159265358979",
        "110105194912310020999",
        "第1234567890123456号",
        "12345678 234567890 3",
        "2019 2020 2021 2022 20",
        "https://example.cn/paper",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert found(text) == []


def test_only_kinds_that_were_asked_for() -> None:
    text = "电话19900001234 邮箱zs_1985@163.com"
    assert found(text, frozenset({Kind.EMAIL})) == ["zs_1985@163.com"]
    assert found(text, frozenset()) == []


@given(st.integers(10**14, 10**18))
def test_luhn_finds_every_single_wrong_digit(body: int) -> None:
    whole = next(f"{body}{c}" for c in range(10) if luhn(f"{body}{c}"))
    for place, right in enumerate(whole):
        other = str((int(right) + 3) % 10)
        assert not luhn(whole[:place] + other + whole[place + 1 :])

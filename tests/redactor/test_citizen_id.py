"""Citizen ID numbers: GB 11643 catches every single slip except the one that maths allows."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import citizen_id

# The standard's own published examples.
STANDARD = ("11010519491231002X", "440524188001010014")


@st.composite
def numbers(draw: st.DrawFn) -> str:
    region = draw(st.integers(110000, 659999))
    born = draw(st.dates(date(1900, 1, 1), date(2020, 12, 31)))
    first17 = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first17 + citizen_id.check_character(first17)


@pytest.mark.parametrize("number", STANDARD)
def test_examples_of_the_standard(number: str) -> None:
    assert citizen_id.is_valid(number)


@given(numbers(), st.integers(0, 17), st.integers(1, 9))
def test_every_changed_digit_is_seen(number: str, place: int, step: int) -> None:
    if number[place] == "X":
        changed = number[:place] + str(step)
    else:
        digit = str((int(number[place]) + step) % 10)
        changed = number[:place] + digit + number[place + 1 :]
    assert not citizen_id.checksum_holds(changed)


@given(numbers(), st.integers(0, 16))
def test_every_swap_of_neighbours_is_seen(number: str, place: int) -> None:
    a, b = number[place], number[place + 1]
    swapped = number[:place] + b + a + number[place + 2 :]
    # X may only stand at the end, so that a swap with it is refused by form.
    assert a == b or not citizen_id.checksum_holds(swapped)


@given(numbers())
def test_old_form_and_back(number: str) -> None:
    old = citizen_id.old_form(number)
    if number[6:8] == "19":
        assert old is not None and len(old) == 15 and citizen_id.is_old(old)
        assert citizen_id.new_form(old) == number
    else:
        assert old is None


@pytest.mark.parametrize(
    "number",
    ["", "1" * 18, "11010519491331002X", "11010519490230002X", "11010519491231002x", "１" * 18],
)
def test_what_is_no_number(number: str) -> None:
    assert not citizen_id.is_valid(number)


def test_birth_dates() -> None:
    assert citizen_id.birth_date("11010519491231002X") == date(1949, 12, 31)
    assert citizen_id.birth_date("110105491231002") == date(1949, 12, 31)
    assert citizen_id.birth_date("110105190002290021") is None

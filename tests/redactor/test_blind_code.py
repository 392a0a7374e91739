"""Blind codes: every slip of the pen is found, nothing looks alike, nothing tells the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.blind_code import ALPHABET, check_character, is_code, new_codes

BODIES = st.text(alphabet=ALPHABET, min_size=5, max_size=5)


def code_of(body: str) -> str:
    bare = body + check_character(body)
    return f"{bare[:4]}-{bare[4:]}"


@given(BODIES)
def test_every_single_wrong_character_is_found(body: str) -> None:
    code = code_of(body)
    assert is_code(code)
    for place, right in enumerate(code):
        if right == "-":
            continue
        for wrong in ALPHABET:
            if wrong != right:
                assert not is_code(code[:place] + wrong + code[place + 1 :])


@given(BODIES)
def test_every_swap_of_neighbours_among_the_first_five_is_found(body: str) -> None:
    check = check_character(body)
    for i in range(4):
        swapped = body[:i] + body[i + 1] + body[i] + body[i + 2 :]
        if swapped != body:
            assert check_character(swapped) != check


def test_no_two_characters_look_alike() -> None:
    for alike in ("0OQ", "1IL", "2Z", "5S", "8B"):
        assert len(set(alike) & set(ALPHABET)) <= 1
    assert not set("OIL01258BSZ") & set(ALPHABET)
    assert len(set(ALPHABET)) == 25


def test_codes_are_new_well_formed_and_in_no_order() -> None:
    taken = new_codes(300)
    codes = new_codes(500, taken)
    assert len(set(codes) | set(taken)) == 800
    assert all(is_code(code) for code in codes)
    assert codes != sorted(codes)
    assert new_codes(500) != codes
    # A sequence would share its first characters; random ones use the whole alphabet.
    assert {code[0] for code in codes} == set(ALPHABET)


@pytest.mark.parametrize(
    "text",
    ["", "K7QF3M", "K7QF-3", "k7qf-3m", "K7Q-F3M", "K7QF-3M ", "K7QF--3M", "0000-00", "李明"],
)
def test_what_is_no_code(text: str) -> None:
    assert not is_code(text)

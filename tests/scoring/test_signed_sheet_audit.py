"""The draw depends on the seed alone and can be repeated; every difference of totals is found."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import InputError
from scoring.signed_sheet_audit import compare, draw

NAMES = st.lists(st.text(min_size=1), unique=True, max_size=30)
TOTALS = st.dictionaries(st.text(), st.fractions(min_value=0, max_value=100), max_size=10)


def test_the_draw_as_documented():
    names = [f"R{n:02d}|C{m}" for n in range(3) for m in range(4)]
    by_hand = sorted(names, key=lambda name: hashlib.sha256(f"20240917:{name}".encode()).digest())
    found = draw("20240917", names, 4)
    assert found.sheets == tuple(by_hand[:4])
    assert (found.seed, found.of) == ("20240917", 12)
    # Fixed for good: signed protocols of earlier years must be repeatable.
    assert found.sheets == ("R02|C2", "R01|C3", "R02|C1", "R02|C3")


@given(st.randoms(), NAMES, st.integers(1, 40))
def test_no_order_of_sheets_and_no_size_changes_who_is_drawn(random, names, size):
    found = draw("s", names, size)
    mixed = list(names)
    random.shuffle(mixed)
    assert draw(" s ", mixed, size) == found
    assert len(found.sheets) == min(size, len(names))
    assert set(found.sheets) <= set(names)
    assert draw("s", names, size + 1).sheets[: len(found.sheets)] == found.sheets


def test_every_sheet_is_as_likely():
    counts = Counter(name for n in range(2000) for name in draw(str(n), "abcdefghij", 3).sheets)
    assert all(500 < counts[name] < 700 for name in "abcdefghij")


def test_what_cannot_be_drawn():
    with pytest.raises(InputError) as error:
        draw(" ", ["a", "b", "a"], 0)
    assert len(error.value.problems) == 3


@given(TOTALS, TOTALS)
def test_every_difference_is_found_and_nothing_else(stored, rekeyed):
    found = {item.sheet for item in compare(stored, rekeyed)}
    assert found == {k for k in {*stored, *rekeyed} if stored.get(k) != rekeyed.get(k)}
    assert compare(stored, stored) == ()


def test_a_total_is_compared_exactly():
    (found,) = compare(
        {"a": Fraction("31.50"), "b": Fraction(2)}, {"a": Fraction("31.5"), "b": Fraction(20)}
    )
    assert (found.sheet, found.stored, found.rekeyed) == ("b", 2, 20)
    (missing,) = compare({"a": Fraction(1)}, {})
    assert missing.rekeyed is None

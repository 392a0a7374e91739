"""A roster's words mean one ground or none; what is not clear is left to a person."""

from __future__ import annotations

import pytest

from scoring.exemption_words import WORDS, ground_in
from scoring.policy import GROUNDS


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("访惠聚驻村工作队", "service"),
        ("在若羌县工作", "remote_county"),
        ("县级以下基层单位", "below_county"),
        ("", None),
        ("民营企业，申报初级", None),
        ("其他", None),
    ],
)
def test_words_mean_one_ground_or_none(text: str, ground: str | None) -> None:
    assert ground_in(text) == ground


def test_every_ground_has_words() -> None:
    assert set(WORDS) == set(GROUNDS)

"""Fees as the notices state them; silence gives None and a reason, never a number."""

from __future__ import annotations

import pytest

from scoring.fees import FeeUnknownError, fee, fee_table

WATER = {"middle": 380, "junior": 220, "first_fixed_junior": 100, "first_fixed_middle": 380}
CULTURE = {"junior": 220, "first_fixed_junior": 100, "first_fixed_middle": 380}


@pytest.mark.parametrize(("kind", "yuan"), list(WATER.items()))
def test_stated_fee(kind: str, yuan: int) -> None:
    found = fee(fee_table("水利", WATER, "第七条"), kind)
    assert found.yuan == yuan
    assert str(yuan) in found.sentence.zh
    assert "第七条" in found.sentence.en


def test_silent_fee_is_none_with_the_reason() -> None:
    found = fee(fee_table("文化通知", CULTURE), "middle")
    assert found.yuan is None
    assert "文化通知" in found.sentence.zh
    assert "no fee" in found.sentence.en


def test_a_notice_without_fees_is_silent_everywhere() -> None:
    table = fee_table("林业", {})
    assert [fee(table, kind).yuan for kind in WATER] == [None] * 4


def test_unknown_kind() -> None:
    with pytest.raises(FeeUnknownError) as error:
        fee(fee_table("水利", WATER), "senior")
    assert "first_fixed_middle" in error.value.sentences[0].en


def test_every_bad_entry_is_reported_at_once() -> None:
    bad = {"middle": 380.5, "junior": "220", "seniour": 1, "first_fixed_junior": True}
    with pytest.raises(FeeUnknownError) as error:
        fee_table("水利", bad)
    assert len(error.value.sentences) == 4

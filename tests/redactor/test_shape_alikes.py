"""The table of look-alikes is symmetric, and no character is its own rival."""

from __future__ import annotations

from redactor.shape_alikes import RIVALS, SHAPE_ALIKES


def test_pairs_run_both_ways() -> None:
    assert all((b, a) in SHAPE_ALIKES for a, b in SHAPE_ALIKES)
    assert all(a != b for a, b in SHAPE_ALIKES)


def test_rivals_are_the_pairs() -> None:
    assert {(a, b) for a, rivals in RIVALS.items() for b in rivals} == SHAPE_ALIKES
    assert all(len(set(rivals)) == len(rivals) for rivals in RIVALS.values())


def test_confusions_that_every_reader_makes_are_known() -> None:
    for a, b in ("己已", "未末", "土士", "日曰", "明朋", "戊戌"):
        assert b in RIVALS[a]
        assert a in RIVALS[b]
    assert "o0" in {a + b for a, b in SHAPE_ALIKES}


def test_plain_opposites_are_no_rivals() -> None:
    assert not {("男", "女"), ("州", "县"), ("明", "远")} & SHAPE_ALIKES

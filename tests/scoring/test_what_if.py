"""What-ifs change one thing and leave the round as it is; a tie is open where a quota parts it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from scoring.errors import InputError
from scoring.open_tie import OpenTie, check_order, open_tie
from scoring.policy import Policy
from scoring.round import Round
from scoring.round_json import round_from_document
from scoring.tally import tally
from scoring.what_if import beside, other_trimming, without_sheet
from tests.scoring.drawn_rounds import rounds
from tests.scoring.rounds import policy, sheet


def one_round(*totals: str) -> Round:
    document: dict[str, Any] = {
        "year": 2024,
        "candidates": [
            {"code": f"C{n}", "specialty": "林学", "level": "中级", "defence": "not_required"}
            for n in range(len(totals))
        ],
        "sheets": [
            sheet(f"R{seat}", f"C{n}", total, "10")
            for n, total in enumerate(totals)
            for seat in range(3)
        ],
    }
    return round_from_document(document, policy())


def with_quota(quota: int) -> Policy:
    return policy(decision={"rule": "rank", "pass_score": None, "quota": quota, "tie_break": []})


@given(rounds())
@settings(max_examples=25, deadline=None)
def test_leaving_out_a_sheet_touches_no_other_candidates_review(document: dict[str, Any]) -> None:
    round_ = round_from_document(document, policy())
    before = tally(round_, policy())
    one = round_.sheets[0]
    if one.excluded or one.reviewer in round_.recused(one.code):
        with pytest.raises(InputError):
            without_sheet(round_, one.reviewer, one.code)
        return
    changed = without_sheet(round_, one.reviewer, one.code)
    assert round_.sheets[0] == one and changed != round_
    for pair in beside(before, changed, policy()):
        if pair.now.code != one.code:
            assert pair.now.review == pair.then.review
        else:
            assert pair.then.review.sheets == pair.now.review.sheets - 1


def test_a_sheet_that_does_not_count_cannot_be_left_out() -> None:
    round_ = one_round("20", "21")
    for reviewer, code in (("R9", "C0"), ("R0", "C9")):
        with pytest.raises(InputError, match="R"):
            without_sheet(round_, reviewer, code)
    with pytest.raises(InputError):
        without_sheet(without_sheet(round_, "R0", "C0"), "R0", "C0")


def test_trimming_is_switched_both_ways() -> None:
    plain = policy()
    trimmed = other_trimming(plain)
    assert (trimmed.aggregate.method, trimmed.aggregate.per) == ("trimmed", "criterion")
    assert other_trimming(trimmed).aggregate.method == "mean"
    assert plain.aggregate.method != "trimmed"


def test_nothing_differs_from_itself() -> None:
    round_ = one_round("20", "21", "22")
    assert not any(pair.differs for pair in beside(tally(round_, policy()), round_, policy()))
    changed = without_sheet(one_round("20", "21", "22"), "R0", "C1")
    assert not any(pair.differs for pair in beside(tally(round_, policy()), changed, policy()))


@pytest.mark.parametrize(
    ("totals", "quota", "codes", "places"),
    [
        (("20", "20", "20"), 2, ("C0", "C1", "C2"), 2),
        (("25", "20", "20"), 2, ("C1", "C2"), 1),
        (("25", "20", "20", "1"), 3, None, 0),
        (("25", "20", "20"), 1, None, 0),
        (("25", "20", "15"), 2, None, 0),
    ],
)
def test_a_tie_is_open_only_across_the_last_place(
    totals: tuple[str, ...], quota: int, codes: tuple[str, ...] | None, places: int
) -> None:
    rules = with_quota(quota)
    found = open_tie(tally(one_round(*totals), rules), rules)
    assert found == (None if codes is None else OpenTie(codes, places, ()))
    assert open_tie(tally(one_round(*totals), policy()), policy()) is None


def test_an_order_gives_each_another_place() -> None:
    tie = OpenTie(("C0", "C1"), 1, ())
    check_order(tie, {"C0": 2, "C1": 1})
    for wrong in ({"C0": 1}, {"C0": 1, "C1": 1}, {"C0": 1, "C1": 3}, {"C0": 1, "C2": 2}, {}):
        with pytest.raises(InputError, match="C0"):
            check_order(tie, wrong)


def test_the_points_of_a_what_if_are_exact() -> None:
    round_ = one_round("20", "20.5")
    changed = without_sheet(round_, "R0", "C0")
    (first, _) = beside(tally(round_, policy()), changed, policy())
    assert first.then.review.points == Fraction(30)

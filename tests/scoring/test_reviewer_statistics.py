"""Reviewer statistics against published numbers, and honesty about what cannot be measured.

The table is that of Shrout and Fleiss, Psychological Bulletin 86 (1979), table 2: 6 targets by 4
judges; their table 4 gives ICC(2,1) = 0.29 and ICC(2,4) = 0.62. The intervals are those that the R
package psych prints for the same table.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager

from scoring import reviewer_charts
from scoring.reviewer_statistics import (
    Scores,
    complete_block,
    icc_single,
    intraclass_correlation,
    kendalls_w,
    review_statistics,
)

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)


def as_scores(matrix: np.ndarray) -> dict[tuple[str, str], int]:
    n, k = matrix.shape
    return {(f"R{j:02}", f"D{i:03}"): int(matrix[i, j]) for i in range(n) for j in range(k)}


def panel(n: int = 20, k: int = 5, *, shift: int = 0, seed: int = 0) -> dict[tuple[str, str], int]:
    """k reviewers around a dossier's quality; the last is `shift` points off."""
    draw = np.random.default_rng(seed)
    matrix = draw.integers(40, 80, (n, 1)) + draw.integers(-3, 4, (n, k))
    matrix[:, -1] += shift
    return as_scores(matrix)


def test_shrout_and_fleiss() -> None:
    single, mean = icc_single(SHROUT_FLEISS), intraclass_correlation(SHROUT_FLEISS)
    assert single.value == pytest.approx(0.29, abs=0.005)
    assert mean.value == pytest.approx(0.62, abs=0.005)
    assert (single.low, single.high) == pytest.approx((0.019, 0.761), abs=0.002)
    assert (mean.low, mean.high) == pytest.approx((0.071, 0.927), abs=0.002)
    assert "0.62" in mean.sentence.zh
    assert "0.62" in mean.sentence.en


def test_w_by_hand_with_and_without_ties() -> None:
    same = np.array([[1, 2], [2, 3], [3, 9]], dtype=float)
    assert kendalls_w(same, seed=1).value == pytest.approx(1)
    opposite = np.array([[1, 3], [2, 2], [3, 1]], dtype=float)
    assert kendalls_w(opposite, seed=1).value == pytest.approx(0)
    # Ranks (1, 2.5, 2.5) and (1, 2, 3): S = 6.5, sum of (t^3 - t) = 6, W = 78 / (96 - 12).
    tied = np.array([[1, 1], [2, 2], [2, 3]], dtype=float)
    assert kendalls_w(tied, seed=1).value == pytest.approx(78 / 84)


def test_intervals_hold_the_value_and_repeat_with_the_seed() -> None:
    report = review_statistics(panel(), seed=7)
    for found in (report.icc, report.kendall_w):
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high <= 1
    assert review_statistics(panel(), seed=7).kendall_w == report.kendall_w
    assert review_statistics(panel(), seed=8).kendall_w.low != report.kendall_w.low


def test_missing_sheets_are_left_out_and_said() -> None:
    scores = panel(n=12)
    del scores["R00", "D003"]
    del scores["R01", "D004"]
    block = complete_block(scores)
    assert block is not None
    assert len(block.codes) == 10
    assert len(block.reviewers) == 5
    assert {"D003", "D004"}.isdisjoint(block.codes)
    report = review_statistics(scores)
    assert "2 份未计入" in report.icc.sentence.zh
    assert "2 more are left out" in report.kendall_w.sentence.en


def test_too_few_says_so() -> None:
    report = review_statistics(panel(n=4, k=2))
    assert report.icc.value is report.kendall_w.value is None
    assert "样本太少" in report.icc.sentence.zh
    assert all(found.severity.value is None for found in report.reviewers)
    assert "too few" in report.outliers_sentence.en
    assert review_statistics({}).reviewers == ()


def test_nobody_shares_a_dossier() -> None:
    report = review_statistics({(f"R{i}", f"D{i}"): i for i in range(20)})
    assert report.icc.value is None
    assert [found.n for found in report.reviewers] == [0] * 20


def test_a_severe_reviewer_is_named() -> None:
    report = review_statistics(panel(shift=-8))
    severe = report.reviewers[-1]
    assert severe.severity.value == pytest.approx(-8, abs=1.5)
    assert "比他人严格" in severe.severity.sentence.zh
    lenient = review_statistics(panel(shift=8)).reviewers[-1]
    assert "more lenient" in lenient.severity.sentence.en


def test_spread_of_a_reviewer_who_doubles_every_difference() -> None:
    scores: dict[tuple[str, str], int] = {}
    for i in range(10):
        scores["A", f"D{i}"] = scores["B", f"D{i}"] = 50 + i
        scores["C", f"D{i}"] = 50 + 2 * i
    found = {item.reviewer: item.spread for item in review_statistics(scores).reviewers}
    assert found["C"] == pytest.approx(2)


def test_a_slip_is_found_and_nothing_else() -> None:
    scores = panel()
    scores["R02", "D005"] += 30
    outliers = review_statistics(scores).outliers
    assert [(sheet.reviewer, sheet.code) for sheet in outliers] == [("R02", "D005")]
    assert outliers[0].difference > 25


def test_a_severe_reviewer_alone_makes_no_outliers() -> None:
    assert review_statistics(panel(shift=-8)).outliers == ()


def test_equal_scores_divide_by_nothing() -> None:
    report = review_statistics(as_scores(np.full((8, 3), 60)))
    assert report.icc.value is report.kendall_w.value is None
    assert report.outliers == ()
    assert report.reviewers[0].spread is None
    exact = review_statistics(as_scores(np.arange(24).reshape(8, 3) // 3))
    assert exact.icc.value == pytest.approx(1)
    assert exact.kendall_w.value == pytest.approx(1)


@settings(max_examples=5, deadline=None)
@given(st.permutations(list(panel(n=6, k=3).items())))
def test_order_changes_nothing(items: list[tuple[tuple[str, str], int]]) -> None:
    one = review_statistics(panel(n=6, k=3))
    two = review_statistics(dict(items))
    assert (one.icc, one.kendall_w, one.reviewers) == (two.icc, two.kendall_w, two.reviewers)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=5, max_size=8),
    st.integers(1, 5),
)
def test_a_shift_of_all_scores_changes_neither_icc_nor_w(rows: list[list[int]], by: int) -> None:
    matrix = np.array(rows, dtype=float)
    for measure in (
        lambda m: intraclass_correlation(m).value,
        lambda m: kendalls_w(m, seed=1, resamples=9).value,
    ):
        before, after = measure(matrix), measure(matrix + by)
        assert (before is None) == (after is None)
        if before is not None:
            assert after == pytest.approx(before, abs=1e-9)


def test_fractions_are_taken_and_the_input_is_not_changed() -> None:
    scores: Scores = {key: Fraction(value, 3) for key, value in panel().items()}
    copy = dict(scores)
    assert review_statistics(scores).icc.value is not None
    assert scores == copy


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "scores", [panel(shift=-8), panel(n=4, k=2), {}], ids=["full", "few", "none"]
)
def test_charts_are_svg_and_repeat(scores: Scores, language: reviewer_charts.Language) -> None:
    report = review_statistics(scores)
    for chart in (
        reviewer_charts.agreement_chart,
        reviewer_charts.severity_chart,
        reviewer_charts.outlier_chart,
    ):
        svg = chart(report, language=language)
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert svg == chart(report, language=language)


def test_chinese_labels_are_drawn_with_the_packaged_font() -> None:
    name = reviewer_charts.font_family()
    found = font_manager.findfont(name, fallback_to_default=False)
    characters = font_manager.get_font(found).get_charmap()
    assert all(ord(char) in characters for char in "评委一致性宽严区间完全")
    report = review_statistics(panel())
    zh = reviewer_charts.agreement_chart(report, language="zh")
    assert zh != reviewer_charts.agreement_chart(report, language="en")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=5, max_size=7))
def test_agreement_is_a_share_within_its_interval(rows: list[list[int]]) -> None:
    matrix = np.array(rows, dtype=float)
    for found in (icc_single(matrix), intraclass_correlation(matrix)):
        if found.value is None:
            continue
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value <= found.high + 1e-9 <= 1 + 2e-9


def test_disagreement_is_zero_not_a_spurious_share() -> None:
    # Dossier means are all equal, so nothing of the variance is the dossiers'.
    turned = np.array([[1, 2, 3], [2, 3, 1], [3, 1, 2]] * 2, dtype=float)
    assert intraclass_correlation(turned).value == 0

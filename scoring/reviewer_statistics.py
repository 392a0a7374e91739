"""How far reviewers agree, who is severe, and which sheets stand out: advice, never a score.

Everything here is a floating-point statistic for the eyes of the secretary. Nothing of it goes
back into a tally. Methods: Shrout and Fleiss (1979) for ICC(2,k), McGraw and Wong (1996) for its
interval, Kendall and Gibbons (1990) for W with ties, Iglewicz and Hoaglin (1993) for outliers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean, median

import numpy as np
import numpy.typing as npt
from scipy import stats

from models.errors import Sentence

Matrix = npt.NDArray[np.float64]
Scores = Mapping[tuple[str, str], Fraction | int]

MIN_DOSSIERS = 5
MIN_SHEETS = 10
OUTLIER_Z = 3.5
_LEVEL = 0.95
_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval; `value` None where it cannot be computed."""

    value: float | None
    low: float | None
    high: float | None
    sentence: Sentence


@dataclass(frozen=True)
class Block:
    """A complete block: every reviewer of it scored every dossier; rows are dossiers."""

    codes: tuple[str, ...]
    reviewers: tuple[str, ...]
    matrix: Matrix


@dataclass(frozen=True)
class Leniency:
    """One reviewer against the others on the same dossiers, in points.

    `severity` is the mean difference from the other reviewers' mean (negative: severe), with its
    95 % t interval. `spread` is the reviewer's standard deviation over that of the others' means
    (1: as wide as theirs). `n` counts the dossiers that others scored too.
    """

    reviewer: str
    n: int
    severity: Estimate
    spread: float | None


@dataclass(frozen=True)
class OutlierSheet:
    """A sheet far from the others' median, the reviewer's usual difference taken off."""

    reviewer: str
    code: str
    difference: float
    z: float
    sentence: Sentence


@dataclass(frozen=True)
class Report:
    """The whole advice on one round; `outliers_sentence` sums up the search for outliers."""

    sheets: int
    block: Block | None
    icc: Estimate
    kendall_w: Estimate
    reviewers: tuple[Leniency, ...]
    outliers: tuple[OutlierSheet, ...]
    outliers_sentence: Sentence


def review_statistics(scores: Scores, *, seed: int = 1) -> Report:
    """Statistics of (reviewer, code) -> points of the valid sheets; any order gives the same.

    Missing sheets are never filled in: agreement is measured on the largest complete block, and
    the sentences say how many dossiers it leaves out.
    """
    ordered = dict(sorted(scores.items()))
    codes = {code for _, code in ordered}
    block = complete_block(ordered)
    reviewers = _leniencies(ordered, _beside_others(ordered, fmean))
    # Medians, so that one slip does not make its neighbours look unusual.
    outliers, summary = _outliers(_beside_others(ordered, median))
    if block is None:
        few = Sentence(
            f"完整评分的材料不足 {MIN_DOSSIERS} 份（须由至少 2 名相同评委全部评过），样本太少，"
            "不计算一致性。",
            f"Fewer than {MIN_DOSSIERS} dossiers were all scored by the same 2 or more reviewers: "
            "too few to measure agreement.",
        )
        none = Estimate(None, None, None, few)
        return Report(len(ordered), None, none, none, reviewers, outliers, summary)
    left_out = len(codes) - len(block.codes)
    icc = _with_block(intraclass_correlation(block.matrix), block, left_out)
    w = _with_block(kendalls_w(block.matrix, seed=seed), block, left_out)
    return Report(len(ordered), block, icc, w, reviewers, outliers, summary)


def complete_block(scores: Scores) -> Block | None:
    """The block with the most sheets among the reviewer sets that occur; None if too small."""
    by_code: dict[str, set[str]] = {}
    for reviewer, code in scores:
        by_code.setdefault(code, set()).add(reviewer)
    best: tuple[int, int, tuple[str, ...], tuple[str, ...]] | None = None
    for people in sorted({tuple(sorted(found)) for found in by_code.values()}):
        codes = tuple(code for code in sorted(by_code) if by_code[code].issuperset(people))
        size = (len(codes) * len(people), len(codes))
        big_enough = len(people) >= 2 and len(codes) >= MIN_DOSSIERS
        if big_enough and (best is None or size > best[:2]):
            best = (*size, people, codes)
    if best is None:
        return None
    _, _, people, codes = best
    rows = [[float(scores[person, code]) for person in people] for code in codes]
    return Block(codes, people, np.array(rows, dtype=np.float64))


def intraclass_correlation(matrix: Matrix) -> Estimate:
    """ICC(2,k) of an (n dossiers, k reviewers) matrix: agreement of the mean of k reviewers.

    Two-way random effects, absolute agreement, 0 to 1. The interval is McGraw and Wong's
    for one reviewer, stepped up by Spearman-Brown. None when all scores are equal.
    """
    single = icc_single(matrix)
    if single.value is None or single.low is None or single.high is None:
        return single
    k = matrix.shape[1]
    # ICC(2,k) is ICC(2,1) stepped up, so value and interval take the same way.
    value, low, high = (k * r / (1 + r * (k - 1)) for r in (single.value, single.low, single.high))
    words = _agreement_words(value)
    return Estimate(
        value,
        low,
        high,
        Sentence(
            f"{k} 名评委平均分的一致性（ICC(2,k)）为 {value:.2f}（95% 区间 {low:.2f} 至 "
            f"{high:.2f}），{words.zh}。仅供参考，不改变任何分数。",
            f"The agreement of the mean of {k} reviewers, ICC(2,k), is {value:.2f} (95 % "
            f"interval {low:.2f} to {high:.2f}): {words.en}. Advisory only; no score is changed.",
        ),
    )


def icc_single(matrix: Matrix) -> Estimate:
    """ICC(2,1), the agreement of a single reviewer, with McGraw and Wong's interval ICC(A,1).

    A share of variance lies between 0 and 1, so estimates and bounds below 0 are given as 0.
    """
    n, k = matrix.shape
    if n < 2 or k < 2 or np.ptp(matrix) == 0:
        return Estimate(
            None,
            None,
            None,
            Sentence(
                "所有分数相同或样本太少，无法计算一致性。",
                "All scores are equal, or there are too few: agreement cannot be measured.",
            ),
        )
    rows, columns, error = _mean_squares(matrix)
    below = rows + (k - 1) * error + k * (columns - error) / n
    value = (rows - error) / below if rows > error else 0.0
    if error <= 1e-12 * max(rows, columns):
        # Without error the interval's F ratio divides by zero; say the value alone.
        low = high = value
    else:
        a = k * value / (n * (1 - value))
        b = 1 + k * value * (n - 1) / (n * (1 - value))
        freedom = (a * columns + b * error) ** 2 / (
            (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
        )
        tail = 1 - (1 - _LEVEL) / 2
        down = float(stats.f.ppf(tail, n - 1, freedom))
        up = float(stats.f.ppf(tail, freedom, n - 1))
        rest = k * columns + (k * n - k - n) * error
        low = max(n * (rows - down * error) / (down * rest + n * rows), 0.0)
        high = max(n * (up * rows - error) / (rest + n * up * rows), 0.0)
    return Estimate(
        value,
        low,
        high,
        Sentence(
            f"单个评委的一致性（ICC(2,1)）为 {value:.2f}（95% 区间 {low:.2f} 至 {high:.2f}）。",
            f"The agreement of a single reviewer, ICC(2,1), is {value:.2f} (95 % interval "
            f"{low:.2f} to {high:.2f}).",
        ),
    )


def kendalls_w(matrix: Matrix, *, seed: int, resamples: int = _RESAMPLES) -> Estimate:
    """Kendall's W of an (n dossiers, m reviewers) matrix, corrected for ties, 0 to 1.

    The interval is the percentile bootstrap over dossiers with a fixed seed. None when nobody
    ranked anything apart.
    """
    value = _concordance(matrix)
    if value is None:
        return Estimate(
            None,
            None,
            None,
            Sentence(
                "每名评委给出的分数都相同，没有排序，无法计算 W。",
                "Every reviewer gave one and the same score: there is no ranking, so no W.",
            ),
        )
    draw = np.random.default_rng(seed)
    n = matrix.shape[0]
    drawn = (_concordance(matrix[draw.integers(0, n, n)]) for _ in range(resamples))
    sample = np.array([w for w in drawn if w is not None])
    low, high = (float(x) for x in np.quantile(sample, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    return Estimate(
        value,
        low,
        high,
        Sentence(
            f"评委排序的一致性（Kendall W）为 {value:.2f}（95% 自助法区间 {low:.2f} 至 {high:.2f}，"
            f"种子 {seed}；1 为完全一致，0 为毫无一致）。仅供参考。",
            f"The agreement of the reviewers' rankings, Kendall's W, is {value:.2f} (95 % "
            f"bootstrap interval {low:.2f} to {high:.2f}, seed {seed}; 1 is full agreement, "
            "0 none). Advisory only.",
        ),
    )


def _mean_squares(matrix: Matrix) -> tuple[float, float, float]:
    """Mean squares between dossiers, between reviewers, and of the residual."""
    n, k = matrix.shape
    mean = matrix.mean()
    row_means, column_means = matrix.mean(axis=1), matrix.mean(axis=0)
    residual = matrix - row_means[:, None] - column_means[None, :] + mean
    return (
        float(k * ((row_means - mean) ** 2).sum() / (n - 1)),
        float(n * ((column_means - mean) ** 2).sum() / (k - 1)),
        float((residual**2).sum() / ((n - 1) * (k - 1))),
    )


def _concordance(matrix: Matrix) -> float | None:
    n, m = matrix.shape
    ranks = stats.rankdata(matrix, axis=0)
    sums = ranks.sum(axis=1)
    ties = 0.0
    for column in ranks.T:
        _, counts = np.unique(column, return_counts=True)
        ties += float((counts.astype(float) ** 3 - counts).sum())
    below = m**2 * (n**3 - n) - m * ties
    if below <= 0:
        return None
    return float(12 * ((sums - sums.mean()) ** 2).sum() / below)


def _agreement_words(value: float) -> Sentence:
    # Koo and Li (2016) name these limits.
    for limit, zh, en in (
        (0.9, "极好", "excellent"),
        (0.75, "好", "good"),
        (0.5, "中等", "moderate"),
    ):
        if value >= limit:
            return Sentence(zh, en)
    return Sentence("差", "poor")


def _with_block(found: Estimate, block: Block, left_out: int) -> Estimate:
    n, k = block.matrix.shape
    zh = f"{found.sentence.zh}（依据 {n} 份材料、{k} 名评委的完整评分"
    en = f"{found.sentence.en} Based on {n} dossiers by {k} reviewers"
    zh += f"，另有 {left_out} 份未计入）" if left_out else "）"
    en += f"; {left_out} more are left out." if left_out else "."
    return Estimate(found.value, found.low, found.high, Sentence(zh, en))


def _beside_others(
    scores: Scores, centre: Callable[[list[float]], float]
) -> dict[tuple[str, str], tuple[float, float]]:
    """(reviewer, code) -> (own score, centre of the others), where others scored the dossier."""
    by_code: dict[str, dict[str, float]] = {}
    for (reviewer, code), points in scores.items():
        by_code.setdefault(code, {})[reviewer] = float(points)
    return {
        (reviewer, code): (
            own,
            centre([points for who, points in sheet.items() if who != reviewer]),
        )
        for code, sheet in by_code.items()
        if len(sheet) > 1
        for reviewer, own in sheet.items()
    }


def _leniencies(
    scores: Scores, differences: Mapping[tuple[str, str], tuple[float, float]]
) -> tuple[Leniency, ...]:
    return tuple(
        _leniency(name, [pair for (who, _), pair in differences.items() if who == name])
        for name in sorted({reviewer for reviewer, _ in scores})
    )


def _leniency(reviewer: str, pairs: Sequence[tuple[float, float]]) -> Leniency:
    n = len(pairs)
    if n < MIN_DOSSIERS:
        few = Sentence(
            f"{reviewer} 与他人共同评过的材料只有 {n} 份，样本太少，不作判断。",
            f"{reviewer} shares only {n} dossiers with others: too few to judge.",
        )
        return Leniency(reviewer, n, Estimate(None, None, None, few), None)
    own = np.array([pair[0] for pair in pairs])
    others = np.array([pair[1] for pair in pairs])
    apart = own - others
    value = float(apart.mean())
    half = float(stats.t.ppf((1 + _LEVEL) / 2, n - 1) * apart.std(ddof=1) / math.sqrt(n))
    low, high = value - half, value + half
    wide = float(others.std(ddof=1))
    spread = float(own.std(ddof=1)) / wide if wide > 1e-9 else None
    if low <= 0 <= high:
        zh, en = "与他人没有明显差别", "no clear difference from the others"
    elif value < 0:
        zh, en = "比他人严格", "more severe than the others"
    else:
        zh, en = "比他人宽松", "more lenient than the others"
    side_zh, side_en = ("高", "above") if value >= 0 else ("低", "below")
    spread_zh = (
        "他人平均分没有差异，无法比较分差" if spread is None else f"分差为他人的 {spread:.2f} 倍"
    )
    spread_en = (
        "the others' means do not differ, so the spread cannot be compared"
        if spread is None
        else f"the spread is {spread:.2f} times theirs"
    )
    return Leniency(
        reviewer,
        n,
        Estimate(
            value,
            low,
            high,
            Sentence(
                f"{reviewer} 平均比他人{side_zh} {abs(value):.2f} 分"
                f"（95% 区间 {low:.2f} 至 {high:.2f}，{n} 份），{zh}；{spread_zh}。仅供参考。",
                f"{reviewer} is on average {abs(value):.2f} points {side_en} the others "
                f"(95 % interval {low:.2f} to {high:.2f}, {n} dossiers): {en}; "
                f"{spread_en}. Advisory only.",
            ),
        ),
        spread,
    )


def _outliers(
    differences: Mapping[tuple[str, str], tuple[float, float]],
) -> tuple[tuple[OutlierSheet, ...], Sentence]:
    if len(differences) < MIN_SHEETS:
        return (), Sentence(
            f"可比较的评分表只有 {len(differences)} 份，样本太少，不查找异常评分表。",
            f"Only {len(differences)} sheets can be compared: too few to look for outliers.",
        )
    apart: dict[str, list[float]] = {}
    for (reviewer, _), (own, others) in differences.items():
        apart.setdefault(reviewer, []).append(own - others)
    usual = {
        reviewer: median(values) if len(values) >= MIN_DOSSIERS else 0.0
        for reviewer, values in apart.items()
    }
    rest = {key: own - others - usual[key[0]] for key, (own, others) in differences.items()}
    values = np.array(list(rest.values()))
    middle = float(np.median(values))
    deviation = float(np.median(np.abs(values - middle)))
    if deviation <= 1e-9:
        return (), Sentence(
            "半数以上评分表与他人的差距完全相同，无法衡量异常。",
            "More than half of the sheets differ from the others by the same amount: outliers "
            "cannot be measured.",
        )
    found: list[OutlierSheet] = []
    for (reviewer, code), value in rest.items():
        z = 0.6745 * (value - middle) / deviation
        if abs(z) <= OUTLIER_Z:
            continue
        own, others = differences[reviewer, code]
        found.append(
            OutlierSheet(
                reviewer,
                code,
                own - others,
                z,
                Sentence(
                    f"{reviewer} 给 {code} 打 {own:.2f} 分，其他评委的中位分 {others:.2f}，差距异常"
                    f"（修正 z 值 {z:.1f}）。请核对是否误填；分数不会自动更改。",
                    f"{reviewer} gave {code} {own:.2f} points, the median of the others is "
                    f"{others:.2f}: unusual (modified z {z:.1f}). Check it; no score is changed.",
                ),
            )
        )
    found.sort(key=lambda sheet: (-abs(sheet.z), sheet.code, sheet.reviewer))
    return tuple(found), Sentence(
        f"比较了 {len(rest)} 份评分表，{len(found)} 份异常（修正 z 值绝对值大于 {OUTLIER_Z}）。",
        f"{len(rest)} sheets compared, {len(found)} unusual (modified z beyond {OUTLIER_Z}).",
    )

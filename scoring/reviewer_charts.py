"""Pictures of the reviewer statistics as SVG text, for the page and the printed report alike."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import pylopdf_fonts_zh_cn
from matplotlib import font_manager
from matplotlib.figure import Figure

from models.errors import Sentence
from scoring.reviewer_statistics import OUTLIER_Z, Estimate, Report

Language = Literal["zh", "en"]

FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"
"""Packaged with Chinese characters, so that the picture is the same on every machine."""


@cache
def font_family() -> str:
    """The family name of the packaged font, made known to matplotlib once."""
    font_manager.fontManager.addfont(FONT)
    return str(font_manager.FontProperties(fname=FONT).get_name())


def agreement_chart(report: Report, *, language: Language) -> str:
    """ICC(2,k) and Kendall's W with their intervals on a scale to 1, as SVG text."""
    labels = [("ICC(2,k)", report.icc), ("Kendall W", report.kendall_w)]
    return _interval_chart(
        labels,
        Sentence("评委一致性（95% 区间）", "Reviewer agreement (95 % interval)"),
        Sentence("1 为完全一致", "1 is full agreement"),
        language,
        reference=1.0,
    )


def severity_chart(report: Report, *, language: Language) -> str:
    """Each reviewer's mean difference from the others with its interval, as SVG text."""
    return _interval_chart(
        [(found.reviewer, found.severity) for found in report.reviewers],
        Sentence("评委宽严（95% 区间）", "Severity of reviewers (95 % interval)"),
        Sentence("比他人低（严） <  分  > 比他人高（宽）", "severe <  points  > lenient"),
        language,
        reference=0.0,
    )


def outlier_chart(report: Report, *, language: Language) -> str:
    """The unusual sheets by their modified z value, as SVG text; says so when there are none."""
    figure, words = _figure(max(len(report.outliers), 1), language)
    with mpl.rc_context(words.settings):
        axes = figure.subplots()
        names = [f"{sheet.reviewer}  {sheet.code}" for sheet in report.outliers]
        axes.barh(range(len(names)), [sheet.z for sheet in report.outliers], color="#0b6e99")
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        for limit in (-OUTLIER_Z, OUTLIER_Z):
            axes.axvline(limit, color="#888888", linestyle="--", linewidth=1)
        if not names:
            axes.set_xlim(-2 * OUTLIER_Z, 2 * OUTLIER_Z)
            none = words.pick(Sentence("没有异常评分表", "No unusual sheets"))
            axes.text(0.5, 0.5, none, ha="center", va="center", transform=axes.transAxes)
        axes.set_title(words.pick(Sentence("异常评分表", "Unusual sheets")))
        axes.set_xlabel(words.pick(Sentence("修正 z 值", "modified z")))
        return _svg(figure)


class _Words:
    """The language of the labels and matplotlib's settings."""

    def __init__(self, language: Language) -> None:
        self.chinese = language == "zh"
        # Text as paths: the picture looks the same where the font is missing. A fixed salt and no
        # date make equal input give equal bytes.
        self.settings: dict[Any, Any] = {
            "font.family": [font_family(), "DejaVu Sans"],
            "svg.fonttype": "path",
            "svg.hashsalt": "mangping",
            "axes.unicode_minus": False,
        }

    def pick(self, sentence: Sentence) -> str:
        return sentence.zh if self.chinese else sentence.en


def _interval_chart(
    rows: Sequence[tuple[str, Estimate]],
    title: Sentence,
    axis: Sentence,
    language: Language,
    *,
    reference: float,
) -> str:
    figure, words = _figure(len(rows), language)
    with mpl.rc_context(words.settings):
        axes = figure.subplots()
        few = words.pick(Sentence("样本太少", "too few"))
        names: list[str] = []
        for place, (name, found) in enumerate(rows):
            if found.value is None or found.low is None or found.high is None:
                names.append(f"{name} ({few})")
                continue
            names.append(name)
            axes.plot([found.low, found.high], [place, place], color="#0b6e99", linewidth=2)
            axes.plot([found.value], [place], "o", color="#0b6e99")
        axes.axvline(reference, color="#888888", linestyle="--", linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
        axes.set_title(words.pick(title))
        axes.set_xlabel(words.pick(axis))
        return _svg(figure)


def _figure(rows: int, language: Language) -> tuple[Figure, _Words]:
    return Figure(figsize=(7, 1.6 + 0.35 * rows), layout="constrained"), _Words(language)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()

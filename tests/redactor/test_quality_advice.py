"""Every flag must tell an applicant what is wrong, by which figure, and what to do."""

from __future__ import annotations

import pytest

from redactor.quality import FLAGS, Quality
from redactor.quality_advice import advice

FIGURES = {"paper": 71, "ink": 201, "width": 640, "height": 900, "rotation": 270,
           "saturation": 0.57, "text_height": 9.4}  # fmt: skip


def test_every_flag_has_a_remedy_in_both_languages() -> None:
    told = advice(Quality(0.1, 80, FLAGS, FIGURES))
    assert len(told) == len(FLAGS)
    for one in told:
        assert one.remedy.zh.startswith("请") and one.sentence.zh.endswith("。")
        assert one.sentence.en.endswith(".")
    assert len({one.problem.zh for one in told}) == len(FLAGS)
    assert advice(Quality(0.9, 200)) == ()


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("blurred", "0.31"),
        ("dark", "71"),
        ("overexposed", "201"),
        ("small", "640 × 900 像素，约 84 dpi"),
        ("small", "文字高约 9 像素"),
        ("upside_down", "180"),
        ("sideways", "270"),
        ("colour_cast", "0.57"),
    ],
)
def test_the_figure_is_told(flag: str, said: str) -> None:
    (one,) = advice(Quality(0.31, 84, (flag,), FIGURES))
    assert said in one.figures.zh and one.figures.zh in one.sentence.zh
    assert any(digits in one.figures.en for digits in said.split())


def test_a_report_without_figures_still_says_what_to_do() -> None:
    for one in advice(Quality(0.1, 80, FLAGS)):
        assert one.remedy.zh and one.remedy.en

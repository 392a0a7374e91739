"""An answer that cannot be believed must never pass for "no face"; plain detectors stand in here.

Source: OpenCV 4.10 answers pictures of up to 32 pixels a side from memory that was never written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.errors import UnreadablePage
from redactor.finders.face_detector import Hits, are_sound, detect
from redactor.page import Image

PICTURE: Image = np.full((80, 120, 3), 200, np.uint8)
FACE = [10.0, 12, 30, 40, 18, 25, 32, 25, 25, 32, 20, 40, 30, 40, 0.9]


def hit(**changes: float) -> list[float]:
    """A sound hit with the columns x, y, w, h, score changed."""
    columns = {"x": 0, "y": 1, "w": 2, "h": 3, "score": 14}
    row = list(FACE)
    for name, value in changes.items():
        row[columns[name]] = value
    return row


RUBBISH = [
    [hit(x=float("nan"))],
    [hit(), hit(w=float("inf"))],
    [hit(x=-3.18e30, y=1.3e30)],
    [hit(w=0.0)],
    [hit(h=1e5)],
    [hit(score=1.0)],
]


class Answers:
    """A detector that gives the next of some answers, whatever it is shown."""

    def __init__(self, answers: Sequence[Sequence[Sequence[float]] | None]) -> None:
        self.answers = list(answers)
        self.sizes: list[tuple[int, int]] = []
        self.shown: list[Image] = []

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802
        self.sizes.append(size)

    def detect(self, image: Image) -> tuple[int, Hits | None]:
        self.shown.append(image)
        answer = self.answers.pop(0)
        return 1, None if answer is None else np.array(answer, np.float64)


def maker(detector: Answers) -> Callable[[], Answers]:
    return lambda: detector


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_answer_that_stays_unsound_makes_the_page_unreadable(rubbish: list[list[float]]) -> None:
    detector = Answers([rubbish] * 9)
    with pytest.raises(UnreadablePage):
        detect(PICTURE, maker(detector))
    assert 2 <= len(detector.shown) <= 4


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_sound_answer_of_a_fresh_detector_is_taken_whole(rubbish: list[list[float]]) -> None:
    detector = Answers([rubbish, [FACE, hit(x=60)]])
    assert detect(PICTURE, maker(detector)).tolist() == [FACE, hit(x=60)]


def test_sound_hits_beside_rubbish_are_not_enough() -> None:
    detector = Answers([[FACE, hit(x=float("nan"))]] * 9)
    with pytest.raises(UnreadablePage):
        detect(PICTURE, maker(detector))


def test_no_hits() -> None:
    assert detect(PICTURE, maker(Answers([None]))).shape == (0, 15)


@given(st.integers(1, 90), st.integers(1, 90))
def test_small_pictures_are_padded_and_stay_at_the_top_left(width: int, height: int) -> None:
    detector = Answers([None])
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    detect(picture, maker(detector))
    (shown,) = detector.shown
    assert min(shown.shape[:2]) >= 64
    assert detector.sizes == [(shown.shape[1], shown.shape[0])]
    assert np.array_equal(shown[:height, :width], picture)


def test_real_detector_is_sound_on_small_pictures_of_any_shape() -> None:
    rng = np.random.default_rng(2)
    for _ in range(150):
        width, height = (int(v) for v in rng.integers(4, 120, 2))
        picture = rng.integers(0, 256, (height, width, 3), np.uint8)
        assert are_sound(detect(picture), (max(64, width), max(64, height)))

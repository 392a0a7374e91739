"""Lifted seals: the ring text is gone, or a trace of it is found, black print or not."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.judge import judge_page
from redactor.page import Image
from sample_scans.canvas import Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import seal
from tests.benchmarks.test_judge import bgr, jpeg, truth_of

UNIT = "巴音郭楞蒙古自治州林业和草原局"


def drawn(colour: tuple[int, int, int], stamped: bool, seed: int = 5, text: bool = True) -> Canvas:
    """A sheet of print with a seal over it, or the same without the seal's ink."""
    canvas = Canvas(Fonts(debian=False), Random(seed), 150, 90, 70)
    for row in range(6 if text else 0):
        canvas.line(6, 8 + 9 * row, "材料与原件相符同意上报并负责", Style(size=13))
    before = canvas.image.copy()
    seal(canvas, 45, 35, UNIT, 1, size=42, colour=colour, strength=0.8)
    if not stamped:
        canvas.image = before
    return canvas


def outcome(stamped: Canvas, output: Image) -> tuple[str, int]:
    page = truth_of(stamped)
    (found,) = (i for i in judge_page(page, bgr(stamped), output, np.eye(3)).items
                if i.kind == "seal")  # fmt: skip
    return found.outcome, found.left


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("colour", [(205, 28, 32), (40, 60, 150), (225, 60, 50)])
def test_a_seal_lifted_without_a_trace_is_hidden(colour: tuple[int, int, int], text: bool) -> None:
    stamped, bare = drawn(colour, True, text=text), drawn(colour, False, text=text)
    assert outcome(stamped, jpeg(bgr(bare))) == ("hidden", 0)


@given(rest=st.sampled_from([0.03, 0.06, 0.15, 0.5, 1.0]), seed=st.integers(0, 50))
@settings(max_examples=6, deadline=None)
def test_a_trace_of_the_ring_is_seen(rest: float, seed: int) -> None:
    """Five grey levels of 255 are enough: a contrast stretch would show them."""
    stamped = bgr(drawn((205, 28, 32), True, seed)).astype(float)
    bare = bgr(drawn((205, 28, 32), False, seed)).astype(float)
    mixed = np.round(bare * (1 - rest) + stamped * rest).astype(np.uint8)
    assert outcome(drawn((205, 28, 32), True, seed), jpeg(mixed))[0] != "hidden"


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_trace_in_one_channel_is_seen(channel: int) -> None:
    """A lift that evens out brightness but leaves a colour behind."""
    canvas = drawn((205, 28, 32), True)
    stamped, bare = bgr(canvas), bgr(drawn((205, 28, 32), False))
    mixed = bare.copy()
    ink = np.ptp(stamped.astype(int), axis=2) > 60
    mixed[..., channel][ink] = np.clip(mixed[..., channel][ink].astype(int) - 12, 0, 255)
    assert outcome(canvas, jpeg(mixed))[0] != "hidden"


def test_a_trace_that_leaves_the_brightness_as_it_was_is_seen() -> None:
    canvas = drawn((205, 28, 32), True)
    stamped, bare = bgr(canvas), bgr(drawn((205, 28, 32), False))
    ink = (np.ptp(stamped.astype(int), axis=2) > 60) & (bare.min(axis=2) > 100)
    mixed = bare // 2 + 60
    assert outcome(canvas, mixed) == ("hidden", 0)
    mixed[ink] = (mixed[ink].astype(int) + (-4, 8, -4)).astype(np.uint8)
    assert outcome(canvas, mixed)[0] != "hidden"


def test_a_trace_drowned_in_noise_is_seen_in_the_whole_ring() -> None:
    """Each character alone is below TRACE; together they are not chance."""
    canvas = drawn((205, 28, 32), True)
    stamped, bare = bgr(canvas), bgr(drawn((205, 28, 32), False))
    noise = np.random.default_rng(1).normal(0, 22, bare.shape)
    mixed = bare * 0.8 + 0.1 * (stamped.astype(float) - bare) + noise
    assert outcome(canvas, np.clip(mixed, 0, 255).astype(np.uint8))[0] != "hidden"
    clean = bare * 0.8 + noise
    assert outcome(canvas, np.clip(clean, 0, 255).astype(np.uint8)) == ("hidden", 0)


def test_a_seal_moved_by_a_pixel_is_still_seen() -> None:
    canvas = drawn((205, 28, 32), True)
    assert outcome(canvas, np.roll(bgr(canvas), 1, axis=1))[0] == "leaked"


def test_half_the_ring_lifted_is_partly() -> None:
    canvas, bare = drawn((205, 28, 32), True), bgr(drawn((205, 28, 32), False))
    mixed = bgr(canvas).copy()
    mixed[:, : mixed.shape[1] // 2] = bare[:, : mixed.shape[1] // 2]
    found, left = outcome(canvas, jpeg(mixed))
    assert found == "partly"
    assert 5 <= left <= 11


def test_a_grey_seal_must_be_solid() -> None:
    """Without colour its ink cannot be told from print, so nothing but paint is believed."""
    canvas, bare = drawn((60, 60, 60), True), drawn((60, 60, 60), False)
    assert outcome(canvas, bgr(bare))[0] == "leaked"

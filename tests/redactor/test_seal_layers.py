"""Print under a grey seal comes out dark on paper; only grey pages with a seal have the layer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor.finders.seals import find_seals
from redactor.page import Image
from redactor.seal_layers import is_grey, seal_layers

SEAL, PRINT = 135, 30


def copied(colour: tuple[int, int, int] = (SEAL, SEAL, SEAL)) -> Image:
    """A page at 200 dpi with a round seal (40 mm) over a row of black bars."""
    page = np.full((1200, 1600, 3), 250, np.uint8)
    cv2.circle(page, (800, 600), 157, colour, 10, cv2.LINE_AA)
    cv2.circle(page, (800, 600), 30, colour, -1, cv2.LINE_AA)
    for place in range(0, 360, 24):
        spot = cv2.ellipse2Poly((800, 600), (122, 122), 0, place, place + 10, 2)
        cv2.polylines(page, [np.asarray(spot)], False, colour, 18)
    for x in range(500, 1100, 30):
        cv2.rectangle(page, (x, 595), (x + 14, 605), (PRINT, PRINT, PRINT), -1)
    return page


def test_print_stays_and_the_seal_becomes_paper() -> None:
    page = copied()
    (layer,) = seal_layers(page, find_seals(page, 200.0))
    x, y = layer.origin
    lifted = layer.pixels[:, :, 0]
    assert lifted[600 - y, 507 - x] < 60  # a bar beside the seal
    assert lifted[600 - y, 807 - x] < 60  # a bar on the star
    assert lifted[443 - y, 800 - x] == 255  # the ring
    assert layer.pixels.shape[1] > 2.5 * 334  # a seal's width more on both sides


@pytest.mark.parametrize(
    ("page", "grey"),
    [
        (np.full((1200, 1600, 3), 250, np.uint8), True),
        (copied(), True),
        (copied((60, 60, 210)), False),
    ],
    ids=["blank", "copied", "red"],
)
def test_a_page_with_a_red_seal_is_no_grey_copy(page: Image, grey: bool) -> None:
    assert is_grey(page) is grey


def test_no_layer_without_a_seal() -> None:
    assert seal_layers(copied(), ()) == []

"""Looks tell codes from print of their size; the measures do not depend on where a block lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.finders.code_looks import likelihood, measure
from redactor.finders.code_texture import Block, blocks, shrunk, working_scale
from redactor.geometry import area, rectangle

MODULES = np.array(
    [[0 if m else 255 for m in row] for row in segno.make("x" * 30).matrix], np.uint8
)


def page_with(patch: np.ndarray, x: int = 300, y: int = 300) -> np.ndarray:
    page = np.full((1400, 1000), 250, np.uint8)
    page[y : y + len(patch), x : x + patch.shape[1]] = np.minimum(patch, 250)
    return cv2.GaussianBlur(page, (0, 0), 0.8).astype(np.uint8)


def enlarged(modules: np.ndarray, scale: int) -> np.ndarray:
    return np.kron(modules, np.ones((scale, scale), np.uint8))


def looks(patch: np.ndarray, x: int = 300, y: int = 300) -> float:
    row = measure(page_with(patch, x, y), block_at(patch, x, y), 1.0)
    assert row is not None
    return float(likelihood(np.array([row]))[0])


def block_at(patch: np.ndarray, x: int, y: int) -> Block:
    return Block(rectangle(x, y, x + patch.shape[1], y + len(patch)), 0, 1.0)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_code_looks_like_one(scale: int) -> None:
    assert looks(enlarged(MODULES, scale)) > 0.9


def character(text: str) -> np.ndarray:
    patch = np.full((60, 60), 255, np.uint8)
    cv2.putText(patch, text, (4, 52), cv2.FONT_HERSHEY_TRIPLEX, 2.2, (20,), 5)
    return patch


def cells() -> np.ndarray:
    patch = np.full((90, 90), 255, np.uint8)
    patch[::15] = patch[:, ::15] = 20
    patch[1::15] = patch[:, 1::15] = 20
    return patch


def hatching() -> np.ndarray:
    y, x = np.mgrid[0:90, 0:90]
    return np.where((x + y) % 9 < 4, 20, 255).astype(np.uint8)


def soft_picture() -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, 1, (90, 90)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 255, 32).astype(np.uint8)


@pytest.mark.parametrize(
    "patch",
    [character("B"), character("8"), character("M"), cells(), hatching(), soft_picture()],
    ids=["B", "8", "M", "cells", "hatching", "picture"],
)
def test_print_drawings_and_pictures_do_not(patch: np.ndarray) -> None:
    assert looks(patch) < 0.5


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 700), st.integers(20, 1000))
def test_a_code_looks_the_same_wherever_it_lies(x: int, y: int) -> None:
    patch = enlarged(MODULES, 2)
    assert looks(patch, x, y) == pytest.approx(looks(patch), abs=0.02)


def test_what_is_too_small_or_of_one_colour_is_not_measured() -> None:
    page = page_with(enlarged(MODULES, 2))
    assert measure(page, Block(rectangle(300, 300, 305, 305), 0, 1.0), 1.0) is None
    assert measure(page, Block(rectangle(20, 20, 80, 80), 0, 1.0), 1.0) is None


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 90), st.integers(2, 12))
def test_a_code_is_a_block_at_every_angle_and_size(angle: float, scale: int) -> None:
    patch = enlarged(MODULES, scale)
    page = np.full((1400, 1000), 250, np.uint8)
    middle = (len(patch) / 2, len(patch) / 2)
    matrix = cv2.getRotationMatrix2D(middle, angle, 1)
    matrix[:, 2] += 500 - middle[0]
    turned = cv2.warpAffine(patch, matrix, page.shape[::-1], borderValue=(255,))
    page = np.minimum(page, turned)
    corners = np.array([[[0, 0], [len(patch), 0], [len(patch)] * 2, [0, len(patch)]]], np.float64)
    code = cv2.transform(corners, matrix)[0]
    scale_of_page = working_scale(page)
    best = 0.0
    for block in blocks(shrunk(page, scale_of_page), scale_of_page):
        both, _ = cv2.intersectConvexConvex(code.astype(np.float32), block.quad.astype(np.float32))
        best = max(best, both / (area(code) + area(block.quad) - both))
    assert best > 0.8

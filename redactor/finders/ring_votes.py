"""Votes of edges for the centres of rings, for all centres at once by convolution (cv2, pure).

Every edge votes for the centres that its direction points at (Kimme, Ballard and Sklansky 1975).
Directions are doubled angles, so that both sides of a thin line vote for the same place and text,
whose edges point everywhere, cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

SIDE_STEP = 72
"""Fields have sides of about a multiple of this, so that pages of nearly one size share their
kernels."""

Plane = npt.NDArray[np.float32]
Kernel = tuple[Plane, Plane]
"""Spectra of a ring's cosines and sines of the doubled angle."""


def field_shape(shape: tuple[int, ...], room: int) -> tuple[int, int]:
    """(height, width) of the field for a voting picture of `shape` with `room` pixels around it
    for centres beyond its edges."""
    steps = (-(-(side + room) // SIDE_STEP) for side in shape[:2])
    height, width = (cv2.getOptimalDFTSize(count * SIDE_STEP) for count in steps)
    return height, width


def spectra(across: Plane, aslant: Plane, shape: tuple[int, int]) -> tuple[Plane, Plane]:
    """Spectra of edges: `across` and `aslant` are cosine and sine of the doubled angle of each
    pixel's edge, times its vote."""
    first, second = (_transformed(part, shape) for part in (across, aslant))
    return first, second


def votes(edges: tuple[Plane, Plane], kernel: Kernel) -> Plane:
    """Votes for each centre, on the field."""
    both = [cv2.mulSpectrums(e, k, 0) for e, k in zip(edges, kernel, strict=True)]
    field = cv2.dft(cv2.add(both[0], both[1]), flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
    return np.asarray(field, np.float32)


def strongest(
    edges: tuple[Plane, Plane], kernels: Sequence[Kernel]
) -> tuple[Plane, npt.NDArray[np.uint8]]:
    """(the most votes for each centre, the index of the kernel that has them)."""
    best = np.full(edges[0].shape, -1.0, np.float32)
    which = np.zeros(edges[0].shape, np.uint8)
    for index, kernel in enumerate(kernels):
        field = votes(edges, kernel)
        cv2.copyTo(np.full_like(which, index), np.asarray(field > best, np.uint8), which)
        best = np.asarray(cv2.max(best, field), np.float32)
    return best, which


def peaks(field: Plane, least: float, count: int) -> list[tuple[int, int]]:
    """(x, y) of the highest local maxima above `least`."""
    top = cv2.dilate(field, np.ones((9, 9), np.uint8))
    ys, xs = np.nonzero((field >= top) & (field > least))
    order = np.argsort(-field[ys, xs])[:count]
    return [(int(xs[i]), int(ys[i])) for i in order]


def unwrapped(
    x: int, y: int, picture: tuple[int, ...], field: tuple[int, int], room: float
) -> tuple[float, float]:
    """The middle of a field's pixel as a place on the voting picture: centres beyond the left and
    top edge come out at the far end of the field."""
    cx = x - field[1] if x > picture[1] + room / 2 else x
    cy = y - field[0] if y > picture[0] + room / 2 else y
    return cx + 0.5, cy + 0.5


@lru_cache(maxsize=12)
def kernels(shape: tuple[int, int], radii: tuple[float, ...], band: float) -> tuple[Kernel, ...]:
    """One kernel for each radius on a field of `shape`; a ring fades out within `band` pixels."""
    height, width = shape
    reach = int(np.ceil(max(radii) + band))
    ys = np.arange(max(-reach, -(height // 2)), min(reach + 1, height - height // 2))
    xs = np.arange(max(-reach, -(width // 2)), min(reach + 1, width - width // 2))
    distance = np.hypot(ys[:, None], xs[None, :])
    twice = 2 * np.arctan2(ys[:, None], xs[None, :])
    found = []
    for radius in radii:
        weight = np.clip(1 - np.abs(distance - radius) / band, 0, None) / (2 * np.pi * radius)
        pair = []
        for part in (weight * np.cos(twice), weight * np.sin(twice)):
            plane = np.zeros(shape, np.float32)
            # What lies left of the ring's centre and above it comes in at the far ends.
            plane[np.ix_(ys, xs)] = part
            pair.append(np.asarray(cv2.dft(plane), np.float32))
        found.append((pair[0], pair[1]))
    return tuple(found)


def _transformed(part: Plane, shape: tuple[int, int]) -> Plane:
    whole = np.zeros(shape, np.float32)
    whole[: part.shape[0], : part.shape[1]] = part
    return np.asarray(cv2.dft(whole), np.float32)

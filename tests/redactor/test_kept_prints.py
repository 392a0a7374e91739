"""The record of a dossier's seals comes back as it was kept, or the page fails with a sentence.

Source: drawn values; broken files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from redactor.errors import UnreadablePage
from redactor.finders.photo_twins import PhotoPrint
from redactor.finders.prints import Prints
from redactor.finders.seal_twins import SealPrint
from redactor.kept_prints import keep_prints, load_prints


def seal() -> SealPrint:
    strength = np.random.default_rng(1).integers(0, 255, (40, 40)).astype(np.uint8)
    return SealPrint(
        strength, 20.0, np.array([[0.0, 0], [40, 0], [40, 40], [0, 40]]), "round", "red"
    )


def portrait() -> PhotoPrint:
    patch = np.random.default_rng(2).integers(0, 255, (48, 45)).astype(np.uint8)
    return PhotoPrint(
        patch, np.array([[-1.2, -0.5], [1.2, -0.5], [1.2, 0.5], [-1.2, 0.5]]), "eyes", 40.0
    )


def test_prints_come_back(tmp_path: Path) -> None:
    path = tmp_path / "page.npz"
    keep_prints(path, Prints((seal(),), (portrait(),)))
    (found,) = load_prints((path,)).seals
    assert np.array_equal(found.strength, seal().strength)
    assert np.array_equal(found.corners, seal().corners)
    assert (found.radius, found.shape, found.ink) == (20.0, "round", "red")
    (face,) = load_prints((path,)).portraits
    assert np.array_equal(face.patch, portrait().patch)
    assert np.array_equal(face.corners, portrait().corners)
    assert (face.kind, face.apart) == ("eyes", 40.0)


@pytest.mark.parametrize("damage", ["missing", "empty", "rubbish", "cut"])
def test_record_that_cannot_be_read_fails_with_its_name(tmp_path: Path, damage: str) -> None:
    path = tmp_path / f"{damage}.npz"
    keep_prints(path, Prints((seal(),), (portrait(),)))
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        left = {"empty": b"", "rubbish": b"no archive", "cut": whole[: len(whole) // 2]}
        path.write_bytes(left[damage])
    with pytest.raises(UnreadablePage) as told:
        load_prints((path,))
    assert str(path) in told.value.sentence.zh
    assert str(path) in told.value.sentence.en

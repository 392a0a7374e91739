"""Words from Tesseract become lines in reading order; the real reader is tried where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from redactor import geometry
from redactor.arabic_reading import arabic_reader, data_folder, line_of
from redactor.model_files import weights
from redactor.normal_text import key
from tests.redactor.golden.uyghur import NAME, UNIT, Sheet

WORDS = [((70, 0, 130, 20), "ات", 0.6), ((10, 0, 50, 20), "دجب", 0.8)]


def test_words_are_turned_into_reading_order() -> None:
    line = line_of(WORDS, (100, 200), 2.0)
    assert line.text == "تا بجد"
    assert line.score == pytest.approx((2 * 0.6 + 3 * 0.8) / 5)
    assert line.layer == "native"
    first = line.chars[0]
    assert geometry.bounds(first.quad) == (150.0, 200.0, 165.0, 210.0)
    assert geometry.bounds(line.quad) == (105.0, 200.0, 165.0, 210.0)
    right = [geometry.bounds(char.quad)[2] for char in line.chars]
    assert right == sorted(right, reverse=True)


def test_the_data_may_lie_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert data_folder() != tmp_path
    (tmp_path / "uig.traineddata").write_bytes(b"data")
    if not (weights() / "uig.traineddata").exists():
        assert data_folder() == tmp_path


@pytest.mark.skipif(arabic_reader() is None, reason="the Uyghur reader is not installed")
@pytest.mark.parametrize("size", [24, 40])
@pytest.mark.parametrize("text", [NAME, UNIT])
def test_drawn_lines_are_read(text: str, size: int) -> None:
    sheet = Sheet((1600, 300))
    quad = sheet.write(text, 100, 100, size)
    read = arabic_reader()
    assert read is not None
    line = read(sheet.pixels, quad)
    assert line is not None and key(line.text) == key(text)

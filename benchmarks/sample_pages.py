"""The pages of a sample set, turned upright by their truth: for measuring one finder by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from redactor import geometry
from redactor.loading import load_page
from redactor.page import Image, Matrix
from redactor.upright import turn
from sample_scans.truth import PageTruth, load_truth


@dataclass(frozen=True, eq=False)
class SamplePage:
    """A page and its truth. `to_upright` maps the truth's pixels to `pixels`; `dpi` as loaded."""

    truth: PageTruth
    pixels: Image
    to_upright: Matrix
    dpi: float


def upright_pages(folder: Path) -> Iterator[SamplePage]:
    """All pages of a set as sample_scans/generate.py makes it."""
    for page in load_truth(next(folder.glob("truth.json*"))).pages:
        source = load_page(folder / "scans" / page.source, page.source_page)
        matrix = geometry.quarter_turn(page.rotation, source.pixels.shape[1::-1])
        yield SamplePage(page, turn(source.pixels, page.rotation), matrix, source.dpi)

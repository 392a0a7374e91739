"""Sample pages come upright, with their truth on the ink."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.sample_pages import upright_pages
from redactor import geometry
from sample_scans.generate import generate


def test_upright_pages_carry_their_truth_along(tmp_path: Path) -> None:
    generate(tmp_path, seed=11, applicants=1, files=5, debian=False)
    pages = list(upright_pages(tmp_path))
    assert any(page.truth.rotation for page in pages)
    for page in pages:
        grey = page.pixels.min(axis=2)
        dark = []
        for item in page.truth.items:
            for quad in item.quads if item.kind in ("name", "unit", "id_number") else ():
                x0, y0, x1, y1 = geometry.bounds(
                    geometry.mapped(np.array(quad, dtype=float), page.to_upright)
                )
                part = grey[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1]
                dark.append(float(np.ptp(part)) > 40)
        assert not dark or np.mean(dark) > 0.98, page.truth.page_type

"""The sample generator's promises: repeatable, truth on the ink, a roster that can be read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

import numpy as np
import openpyxl
import pytest
from PIL import Image, ImageOps

from redactor.page import Kind
from sample_scans.degrade import RECIPES, degrade
from sample_scans.fonts import Fonts
from sample_scans.generate import generate
from sample_scans.pages import PAGES
from sample_scans.pages.context import Context
from sample_scans.people import SLOTS, check_digit, make_people
from sample_scans.truth import PageTruth, load_truth

FILES = 3


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set")
    generate(out, seed=5, applicants=1, files=FILES, debian=False)
    return out


def pixels(out: Path, page: PageTruth) -> np.ndarray:
    with Image.open(out / "scans" / page.source) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("L"))


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    made: Path, tmp_path: Path
) -> None:
    generate(tmp_path / "again", seed=5, applicants=1, files=FILES, debian=False)
    assert digests(tmp_path / "again") == digests(made)
    generate(tmp_path / "other", seed=6, applicants=1, files=FILES, debian=False)
    assert digests(tmp_path / "other") != digests(made)


def test_truth_lists_every_file_in_the_size_it_is_stored(made: Path) -> None:
    pages = load_truth(made / "truth.json.gz").pages
    stored = {p.relative_to(made / "scans").as_posix() for p in (made / "scans").rglob("*.*")}
    assert {p.source for p in pages} == {s for s in stored if (made / "scans" / s).is_file()}
    for page in pages:
        assert pixels(made, page).shape[::-1] == page.size


def test_kinds_are_those_of_the_report(made: Path) -> None:
    kinds = {i.kind for p in load_truth(made / "truth.json.gz").pages for i in p.items}
    assert kinds <= {str(k) for k in Kind}
    assert {"name", "id_number", "code", "seal"} <= kinds


@pytest.mark.parametrize("recipe", ["office", "turned_90", "turned_270", "photo_fold"])
@pytest.mark.parametrize("kind", ["summary", "appointment"])
def test_glyph_quads_lie_on_ink_after_degradation(kind: str, recipe: str) -> None:
    """Inside each moved quad there is ink; just beside a line of text there is less of it."""
    person = make_people(Random(3), 1)[0]
    canvas, _ = PAGES[kind](Context(person, Random(3), 120, Fonts(debian=False)))
    sheet = np.asarray(canvas.image, dtype=np.uint8)
    moved, carry = degrade(sheet, RECIPES[recipe], np.random.default_rng(1))
    grey = moved.min(axis=2).astype(float)
    quads = [q for run in canvas.keep if not run.what for q in run.quads]
    quads += [q for item in canvas.items if item.kind != "seal" for q in item.quads]
    hits = 0
    for quad in quads:
        points = carry(np.array(quad))
        (x0, y0), (x1, y1) = points.min(0).round().astype(int), points.max(0).round().astype(int)
        inner = grey[max(y0, 0) : y1, max(x0, 0) : x1]
        around = grey[max(y0 - 25, 0) : y1 + 25, max(x0 - 25, 0) : x1 + 25]
        hits += bool(inner.size and inner.min() < np.percentile(around, 90) - 40)
    assert hits / len(quads) > 0.99


def test_glyph_boxes_are_tight_on_the_clean_sheet() -> None:
    person = make_people(Random(3), 1)[0]
    canvas, _ = PAGES["summary"](Context(person, Random(3), 200, Fonts(debian=False)))
    grey = np.asarray(canvas.image.convert("L"))
    for item in canvas.items:
        for quad in item.quads:
            x0, y0, x1, y1 = (int(v) for v in (*quad[0], *quad[2]))
            ink = grey[y0:y1, x0:x1] < 215
            for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
                assert edge.any(), (item.text, quad)


@pytest.mark.parametrize("kind", sorted(PAGES))
def test_every_page_type_renders_with_pypi_fonts_alone(kind: str) -> None:
    person = make_people(Random(9), 4)[3]
    canvas, _ = PAGES[kind](Context(person, Random(9), 72, Fonts(debian=False)))
    own = [i for i in canvas.items if i.applicant == person.serial]
    assert bool(own) == (kind != "plain")
    assert canvas.keep


def test_people_are_of_every_sort_and_their_ids_check() -> None:
    people = make_people(Random(1), len(SLOTS))
    assert [p.slot for p in people] == list(SLOTS)
    assert len({p.name for p in people}) == len(people)
    for person in people:
        assert len(person.id_number) == 18
        assert check_digit(person.id_number[:17]) == person.id_number[17]
        for decoy in person.decoys:
            assert person.name in decoy.replace("，", "").replace("。", "")
    # The example printed in GB 11643-1999.
    assert check_digit("11010519491231002") == "X"


def test_roster_has_title_rows_and_all_columns(made: Path) -> None:
    sheet = openpyxl.load_workbook(made / "roster.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert "花名册" in str(rows[0][0])
    assert rows[1][0] == "单位（盖章）："
    assert rows[2][:12] == (
        "序号", "姓名", "性别", "族别", "政治面貌", "身份证号码", "现任专业职务",
        "获现任专业职务时间", "拟晋升专业技术职务", "工作单位", "是否通过", "备注",
    )  # fmt: skip
    person = make_people(Random("people/5"), 1)[0]
    assert rows[3][1] == person.name
    assert rows[3][5] == person.id_number
    assert any(p.name == person.folder for p in (made / "scans").iterdir())

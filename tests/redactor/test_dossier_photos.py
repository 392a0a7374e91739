"""A dossier whose first page shows a portrait so badly copied that only its later page tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from benchmarks.judge import solid
from redactor.batch import _run, _run_again
from redactor.file_job import FileJob, PageRecord, prints_file, redact_file
from redactor.identity import identity_of
from redactor.page import Image, Kind, State
from redactor.profile import STRICT
from redactor.vault import Vault
from sample_scans.canvas import Style
from tests.redactor.golden.pages import OWN, sheet
from tests.redactor.photo_copies import DPI, EYES, copied, good_page

TEXT = "承担胡杨林更新项目，成绩优秀，经考核合格。"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault")
    made.create(resume=False)
    return made


def scan(folder: Path, name: str, photo: Image) -> Path:
    """A page with a few lines and, below them, what a page of the portrait shows."""
    canvas = sheet(100, 30, (255, 255, 255), DPI)
    canvas.line(5, 6, TEXT, Style(size=14))
    canvas.line(5, 16, TEXT[::-1], Style(size=14))
    head = np.asarray(canvas.image, np.uint8)[:, :, ::-1]
    page = np.full((head.shape[0] + photo.shape[0], head.shape[1], 3), 255, np.uint8)
    page[: head.shape[0]] = head
    page[head.shape[0] :, : photo.shape[1]] = photo
    path = folder / name
    Pillow.fromarray(page[:, :, ::-1]).save(path, quality=92, dpi=(DPI, DPI))
    return path


def job_of(path: Path, vault: Vault) -> FileJob:
    return FileJob(
        path=path,
        relative=f"01/{path.name}",
        category="其他",
        applicant=1,
        code="K7QF-3M",
        identity=identity_of(OWN),
        profile=STRICT,
        file_format="jpg",
        staging=vault.staging,
        thumbnails=vault.thumbnails,
        cache=vault.cache,
        copies=vault.copies,
        name=path.stem,
    )


def run_here(jobs: Sequence[FileJob]) -> Iterator[tuple[FileJob, list[PageRecord]]]:
    for job in jobs:
        yield job, redact_file(job)


def eye_masks(record: PageRecord) -> list[str]:
    return [mask["finder"] for mask in record.masks if mask["kind"] == Kind.EYES]


def eyes_seen(record: PageRecord, vault: Vault) -> int:
    """How many of the two eyes are not under a mask in the page that leaves."""
    assert record.staged is not None
    pixels = cv2.imread(str(vault.staging / record.staged))
    assert pixels is not None
    painted = solid(pixels)
    top = pixels.shape[0] - good_page().shape[0]
    return sum(not painted[round(y) + top, round(x)] for x, y in EYES)


def test_a_portrait_found_on_a_later_page_is_masked_on_the_pages_before(
    tmp_path: Path, vault: Vault
) -> None:
    bad = job_of(scan(tmp_path, "a.jpg", copied(good_page(), "few blacks")), vault)
    good = job_of(scan(tmp_path, "b.jpg", good_page()), vault)
    text = job_of(scan(tmp_path, "c.jpg", np.full((99, 99, 3), 255, np.uint8)), vault)
    jobs = [bad, good, text]
    first = _run(jobs, vault, run_here, lambda done, total: None)
    (alone,), (told,), _ = (first[job.name] for job in jobs)
    assert eye_masks(alone) == []
    assert eyes_seen(alone, vault) == 2
    assert told.prints == 1
    assert eye_masks(told) == ["faces"]

    again = _run_again(jobs, first, vault, run_here)
    (record,) = again[bad.name]
    assert eye_masks(record) == ["photo_twins"]
    assert eyes_seen(record, vault) == 0
    assert record.state == State.CLEAN
    assert again[good.name] == [told]
    assert again[text.name] == first[text.name]


def test_a_page_whose_small_copy_is_lost_is_done_again_if_a_picture_is_unexplained(
    tmp_path: Path, vault: Vault
) -> None:
    bad = job_of(scan(tmp_path, "a.jpg", copied(good_page(), "few blacks")), vault)
    good = job_of(scan(tmp_path, "b.jpg", good_page()), vault)
    text = job_of(scan(tmp_path, "c.jpg", np.full((99, 99, 3), 255, np.uint8)), vault)
    jobs = [bad, good, text]
    first = _run(jobs, vault, run_here, lambda done, total: None)
    assert first[bad.name][0].pictures
    assert first[text.name][0].pictures == ()
    for job in (bad, text):
        (record,) = first[job.name]
        assert record.staged is not None
        (vault.copies / f"{Path(record.staged).stem}.jpg").unlink()
    again = _run_again(jobs, first, vault, run_here)
    assert eye_masks(again[bad.name][0]) == ["photo_twins"]
    assert again[text.name] == first[text.name]


def test_the_looks_of_a_portrait_lie_beside_those_of_seals_and_go_with_them(
    tmp_path: Path, vault: Vault
) -> None:
    good = job_of(scan(tmp_path, "b.jpg", good_page()), vault)
    (record,) = redact_file(good)
    assert record.staged is not None
    assert prints_file(vault.copies, record.staged).parent == vault.copies
    assert prints_file(vault.copies, record.staged).exists()

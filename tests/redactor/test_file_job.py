"""One file's work: masked pages staged and proven, or a record that says why not."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from benchmarks.judge import solid
from redactor.dossier_terms import dossier_terms
from redactor.errors import OutputError
from redactor.file_job import (
    FileJob,
    record_from_json,
    redact_file,
    remask,
    results_name,
)
from redactor.finders.prints import NO_PRINTS
from redactor.identity import identity_of
from redactor.kept_prints import shows_twin
from redactor.masking import encode
from redactor.page import State
from redactor.profile import STRICT
from redactor.proof import stray_parts
from redactor.vault import Vault
from sample_scans.canvas import Style
from tests.redactor.golden.pages import OWN, sheet
from tests.redactor.golden.sets import page_about, save


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault")
    made.create(resume=False)
    return made


def job_for(path: Path, vault: Vault, form: str = "jpg") -> FileJob:
    return FileJob(
        path=path,
        relative=f"01诸葛晓岚/{path.name}",
        category="论文",
        applicant=1,
        code="K7QF-3M",
        identity=identity_of(OWN),
        profile=STRICT,
        file_format=form,
        staging=vault.staging,
        thumbnails=vault.thumbnails,
        cache=vault.cache,
        copies=vault.copies,
        name="ab",
    )


@pytest.mark.parametrize("form", ["jpg", "png"])
def test_a_page_is_masked_proven_and_staged(tmp_path: Path, vault: Vault, form: str) -> None:
    path = save(page_about("诸葛晓岚"), tmp_path / "诸葛晓岚.jpg")
    (record,) = redact_file(job_for(path, vault, form))
    assert record.state == State.CLEAN
    assert record.staged == f"ab-0000.{form}"
    data = (vault.staging / record.staged).read_bytes()
    assert hashlib.sha256(data).hexdigest() == record.sha256
    assert stray_parts(data) == []
    pixels = cv2.imread(str(vault.staging / record.staged))
    assert pixels.shape[1::-1] == record.size
    (mask,) = (m for m in record.masks if m["kind"] == "name")
    assert mask["text"] == "诸葛晓岚"
    x, y = (sum(p[i] for p in mask["quad"]) / 4 for i in (0, 1))
    assert solid(pixels)[round(y), round(x)]
    assert record.thumbnail is not None
    assert (vault.thumbnails / record.thumbnail).stat().st_size > 500


def test_a_record_survives_json_and_a_job_survives_pickling(tmp_path: Path, vault: Vault) -> None:
    job = job_for(save(page_about("诸葛晓岚"), tmp_path / "a.jpg"), vault)
    assert pickle.loads(pickle.dumps(job)) == job
    (record,) = redact_file(job)
    assert record_from_json(json.loads(json.dumps(record.as_json()))) == record


def test_a_file_that_cannot_be_read_is_a_record_and_nothing_is_written(
    tmp_path: Path, vault: Vault
) -> None:
    path = tmp_path / "网页.jpg"
    path.write_text("<!DOCTYPE html><html></html>")
    (record,) = redact_file(job_for(path, vault))
    assert record.state == State.FAILED
    assert record.staged is None
    assert "HTML" in record.reason
    assert record.verify["state"] == "failed"
    assert not [p for p in vault.folder.rglob("*") if p.is_file()]


def test_a_file_that_vanished_is_a_record(tmp_path: Path, vault: Vault) -> None:
    (record,) = redact_file(job_for(tmp_path / "gone.jpg", vault))
    assert record.state == State.FAILED
    assert record.reason


def test_a_bad_page_of_a_file_costs_only_itself(tmp_path: Path, vault: Vault) -> None:
    """A TIFF whose second page has lost its data."""
    first, second = page_about("诸葛晓岚", 1).image, page_about("诸葛晓岚", 2).image
    path = tmp_path / "总结.tif"
    first.save(path, save_all=True, append_images=[second], compression="raw")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    records = redact_file(job_for(path, vault))
    assert [r.state for r in records if r.staged is None] == ["failed"] * len(
        [r for r in records if r.staged is None]
    )
    assert any(r.state == State.FAILED for r in records)
    assert all((vault.staging / r.staged).exists() for r in records if r.staged)


def test_results_that_cannot_be_written_stop_the_batch(tmp_path: Path, vault: Vault) -> None:
    job = job_for(save(page_about("诸葛晓岚"), tmp_path / "a.jpg"), vault)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--resume"):
        redact_file(replace(job, staging=tmp_path / "file"))


def test_the_name_of_results_changes_with_content_place_and_settings(tmp_path: Path) -> None:
    one, two = tmp_path / "1.jpg", tmp_path / "2.jpg"
    one.write_bytes(b"a")
    two.write_bytes(b"b")
    names = [
        results_name(one, "01/1.jpg", "strict"),
        results_name(two, "01/1.jpg", "strict"),
        results_name(one, "02/1.jpg", "strict"),
        results_name(one, "01/1.jpg", "notice"),
    ]
    assert len(set(names)) == 4
    assert results_name(one, "01/1.jpg", "strict") == names[0]
    assert "1" not in names[0] or names[0].isalnum()


def test_a_page_that_fails_its_proof_is_not_staged(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encoder that leaves something behind the picture stands in for any fault on the way."""
    monkeypatch.setattr("redactor.file_job.encode", lambda *page: encode(*page) + b"secret")
    path = save(page_about("诸葛晓岚"), tmp_path / "a.jpg")
    (record,) = redact_file(job_for(path, vault))
    assert record.state == State.FAILED
    assert "trailing bytes" in record.reason
    assert record.staged is None
    assert not list(vault.staging.iterdir())
    assert not list(vault.thumbnails.iterdir())


def test_a_file_that_cannot_be_read_does_not_stop_the_listing(tmp_path: Path) -> None:
    assert len(results_name(tmp_path / "gone.jpg", "01/gone.jpg", "strict")) == 32


def test_a_page_is_done_again_only_if_its_dossier_tells_more(tmp_path: Path, vault: Vault) -> None:
    """A former unit that another page's label gave away stands here without a label."""
    canvas = sheet(150, 40)
    canvas.line(10, 8, "二〇一二年调入库尔勒市第三水文勘测站工作，", Style(size=12))
    canvas.line(10, 22, "承担胡杨林更新项目，成绩优秀。", Style(size=12))
    job = job_for(save(canvas, tmp_path / "总结.jpg"), vault)
    (first,) = redact_file(job)
    masks = [mask_of("unit", "库尔勒市第三水文勘测站"), mask_of("cert_number", "XJ473246102780")]
    unit, number = sorted(dossier_terms(masks, job.identity), key=lambda t: t.kind, reverse=True)
    assert redact_file(replace(job, name="cd", terms=(number,), done=(first,))) == [first]
    (again,) = redact_file(replace(job, name="ef", terms=(number, unit), done=(first,)))
    assert again.staged == "ef-0000.jpg"
    assert [mask["text"] for mask in again.masks] == ["库尔勒市第三水文勘测站"]
    (third,) = redact_file(replace(job, name="gh", terms=(number, unit), done=(again,)))
    assert third == again


def mask_of(kind: str, text: str) -> dict[str, object]:
    return {"kind": kind, "text": text, "finder": "labels", "score": 0.8}


def test_a_persons_masks_stand_alone_and_are_looked_at_again(tmp_path: Path, vault: Vault) -> None:
    job = job_for(save(page_about("诸葛晓岚"), tmp_path / "证书.jpg"), vault)
    (first,) = redact_file(job)
    (mask,) = first.masks
    added = {**mask, "quad": [[5, 100], [60, 100], [60, 120], [5, 120]], "kind": "custom"}
    more = remask(replace(job, name="r1"), 0, [mask, added])
    assert more.state == State.CLEAN
    assert more.staged == "r1-0000.jpg"
    assert [m["kind"] for m in more.masks] == ["name", "custom"]
    pixels = cv2.imread(str(vault.staging / more.staged))
    assert pixels[102:118, 8:58].max() < 60
    less = remask(replace(job, name="r2"), 0, [added])
    assert less.state == State.REVIEW
    assert [hit["kind"] for hit in less.verify["hits"]] == ["name"]


def test_a_page_of_which_nothing_can_be_said_is_done_again(tmp_path: Path, vault: Vault) -> None:
    """A lost reading or a broken small copy is never taken for a page that holds nothing more."""
    job = job_for(save(page_about("诸葛晓岚"), tmp_path / "证书.jpg"), vault)
    (first,) = redact_file(job)
    term = dossier_terms([mask_of("cert_number", "XJ473246102780")], job.identity)
    (kept,) = redact_file(replace(job, name="cd", terms=term, done=(first,)))
    assert kept.staged == first.staged
    (vault.cache / first.reading[:2] / f"{first.reading}.npz").unlink()
    (again,) = redact_file(replace(job, name="ef", terms=term, done=(first,)))
    assert again.staged == "ef-0000.jpg"
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    assert shows_twin(broken, 200.0, NO_PRINTS, ())
    assert shows_twin(tmp_path / "missing.jpg", 200.0, NO_PRINTS, ())

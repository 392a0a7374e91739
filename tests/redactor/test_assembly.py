"""Only proven pages reach BLIND, in their places, with nothing that tells when or whose."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from redactor.assembly import FIXED_TIME, assemble, recall, write_manifest
from redactor.errors import OutputError
from redactor.file_job import PageRecord
from redactor.vault import Vault

CODE, OTHER = "K7QF-3M", "PPPP-PP"


def staged(vault: Vault, name: str, data: bytes, state: str = "clean") -> PageRecord:
    """A page that a worker has left in the vault."""
    (vault.staging / name).write_bytes(data)
    record = PageRecord(
        applicant=1,
        source=f"01李明/{name}",
        source_page=0,
        category="论文",
        state=state,
        reason="",
        seconds=1.0,
        staged=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=(10, 20),
    )
    vault.keep(name.split(".")[0], [record])
    return record


def failed(vault: Vault, name: str) -> PageRecord:
    record = replace(staged(vault, name, b"x"), state="failed", staged=None, sha256="")
    (vault.staging / name).unlink()
    return record


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path / "vault")
    made.create(resume=False)
    return made


@pytest.fixture
def blind(tmp_path: Path) -> Path:
    folder = tmp_path / "blind"
    folder.mkdir()
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_only_clean_pages_reach_blind_and_each_keeps_its_number(vault: Vault, blind: Path) -> None:
    records = [
        staged(vault, "a.jpg", b"one"),
        failed(vault, "b.jpg"),
        staged(vault, "c.jpg", b"three", "review"),
        staged(vault, "d.png", b"four"),
    ]
    pages = assemble(vault, blind, CODE, records)
    assert files(blind) == {f"{CODE}/001.jpg": b"one", f"{CODE}/004.png": b"four"}
    assert files(vault.held) == {f"{CODE}/003.jpg": b"three"}
    assert [p.output for p in pages] == [f"{CODE}/001.jpg", None, None, f"{CODE}/004.png"]
    assert [p.held for p in pages] == [None, None, f"review/{CODE}/003.jpg", None]
    assert files(vault.staging) == {}


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_page_that_is_not_the_proven_one_is_not_let_out(
    vault: Vault, blind: Path, harm: str
) -> None:
    record = staged(vault, "a.jpg", b"one")
    if harm == "gone":
        (vault.staging / "a.jpg").unlink()
    else:
        (vault.staging / "a.jpg").write_bytes(b"unmasked")
    with pytest.raises(OutputError, match=r"a\.jpg"):
        assemble(vault, blind, CODE, [record])
    assert files(blind) == {}


def test_the_manifest_lists_dossiers_by_code_and_times_are_fixed(vault: Vault, blind: Path) -> None:
    pages = assemble(vault, blind, OTHER, [staged(vault, "z.jpg", b"zz")])
    pages += assemble(vault, blind, CODE, [staged(vault, "a.jpg", b"one"), failed(vault, "b.jpg")])
    write_manifest(blind, pages)
    listing = json.loads((blind / "manifest.json").read_text("utf-8"))
    assert [(d["code"], d["pages"]) for d in listing["dossiers"]] == [(CODE, 1), (OTHER, 1)]
    assert listing["dossiers"][0]["files"] == [
        {
            "file": f"{CODE}/001.jpg",
            "category": "论文",
            "size": [10, 20],
            "sha256": hashlib.sha256(b"one").hexdigest(),
        }
    ]
    assert "李明" not in (blind / "manifest.json").read_text("utf-8")
    assert {p.stat().st_mtime for p in (blind, *blind.rglob("*"))} == {float(FIXED_TIME)}


def test_an_earlier_run_is_taken_back_and_laid_out_the_same_again(
    vault: Vault, blind: Path
) -> None:
    records = [
        staged(vault, "a.jpg", b"one"),
        staged(vault, "b.jpg", b"one"),
        staged(vault, "c.jpg", b"three", "review"),
    ]
    write_manifest(blind, assemble(vault, blind, CODE, records))
    before = files(blind)
    recall(vault, blind)
    assert files(blind) == {}
    assert files(vault.held) == {}
    assert files(vault.staging) == {"a.jpg": b"one", "b.jpg": b"one", "c.jpg": b"three"}
    write_manifest(blind, assemble(vault, blind, CODE, records))
    assert files(blind) == before


def test_a_run_that_was_broken_off_while_assembling_loses_no_page(
    vault: Vault, blind: Path
) -> None:
    records = [staged(vault, "a.jpg", b"one"), staged(vault, "b.jpg", b"two")]
    assemble(vault, blind, CODE, records[:1])
    recall(vault, blind)
    assert files(vault.staging) == {"a.jpg": b"one", "b.jpg": b"two"}

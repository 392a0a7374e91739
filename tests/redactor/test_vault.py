"""The vault survives interruption: codes stay, records come back, broken ones count as absent."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from redactor.blind_code import is_code
from redactor.errors import UsageError
from redactor.file_job import PageRecord, record_from_json
from redactor.vault import Vault

RECORD = PageRecord(
    applicant=3,
    source="03诸葛晓岚/证书.jpg",
    source_page=1,
    category="学历证书",
    state="clean",
    reason="",
    seconds=1.25,
    staged="ab-0001.jpg",
    sha256="00" * 32,
    size=(800, 600),
    rotation=90,
    source_to_output=((0.0, -1.0, 600.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    masks=({"kind": "name", "quad": [[1.0, 2.0]] * 4, "text": "诸葛晓岚"},),
    quality={"dpi": 200, "flags": ["blurred"]},
    verify={"state": "clean", "hits": []},
    thumbnail="ab-0001.jpg",
)


def made(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "vault")
    vault.create(resume=False)
    return vault


def test_every_folder_is_private(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir(mode=0o777)
    vault = made(tmp_path)
    folders = [vault.folder, *(p for p in vault.folder.rglob("*") if p.is_dir())]
    assert len(folders) == 7
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_an_earlier_run_is_not_overwritten(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(UsageError, match="--resume"):
        Vault(tmp_path / "vault").create(resume=False)
    Vault(tmp_path / "vault").create(resume=True)


def test_a_vault_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="换一个可写的位置"):
        Vault(tmp_path / "file" / "vault").create(resume=False)


def test_codes_are_drawn_once_and_kept(tmp_path: Path) -> None:
    vault = made(tmp_path)
    first = vault.codes([3, 1, 2])
    assert set(first) == {1, 2, 3}
    assert all(is_code(code) for code in first.values())
    more = Vault(vault.folder).codes([1, 2, 4])
    assert {n: more[n] for n in (1, 2, 3)} == first
    assert len(set(more.values())) == 4


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    vault = made(tmp_path)
    vault.keep("ab", [RECORD])
    assert vault.finished("ab") == [RECORD]
    assert vault.all_records() == [RECORD]
    assert record_from_json(RECORD.as_json()) == RECORD


@pytest.mark.parametrize("text", ["", "[{", "[1]", '[{"applicant": 1}]', "null", "{}"])
def test_a_broken_record_counts_as_absent(tmp_path: Path, text: str) -> None:
    vault = made(tmp_path)
    assert vault.finished("ab") is None
    (vault.records / "ab.json").write_text(text)
    assert not vault.finished("ab")
    assert vault.all_records() == []


def test_damaged_codes_are_named_and_not_drawn_anew(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.create(resume=False)
    vault.codes([1, 2])
    (vault.folder / "codes.json").write_text("{", "utf-8")
    with pytest.raises(UsageError, match=r"codes\.json"):
        vault.codes([1, 2])
    assert (vault.folder / "codes.json").read_text("utf-8") == "{"

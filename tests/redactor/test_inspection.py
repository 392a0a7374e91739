"""A folder of blind dossiers is proven again from nothing but itself: every harm is tried."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from redactor import geometry
from redactor.assembly import FIXED_TIME, assemble, write_manifest
from redactor.errors import UsageError
from redactor.file_job import PageRecord
from redactor.inspection import inspect
from redactor.masking import encode, paint
from redactor.page import Image
from redactor.vault import Vault

CODE, OTHER, EMPTY = "3333-33", "K7QF-3C", "PPPP-PC"
PAGE, PNG_PAGE = f"{CODE}/001.jpg", f"{OTHER}/001.png"
ROOT = Path(__file__).parents[2]


def picture(seed: int) -> Image:
    """A soft page with one mask."""
    rng = np.random.default_rng(seed)
    coarse = Pillow.fromarray(rng.integers(120, 250, (9, 7, 3)).astype(np.uint8))
    pixels = np.array(coarse.resize((90, 120), Pillow.Resampling.BICUBIC))
    return paint(pixels, [geometry.rectangle(20, 30, 60, 44)])


@pytest.fixture
def blind(tmp_path: Path) -> Path:
    """Two dossiers as `redact` leaves them, one with a gap, and one of which no page is out yet."""
    vault = Vault(tmp_path / "vault")
    vault.create(resume=False)
    folder = tmp_path / "blind"
    folder.mkdir()
    pages = []
    plan = {OTHER: ["png", "jpg"], CODE: ["jpg", "held", "jpg"], EMPTY: ["held"]}
    for number, (code, forms) in enumerate(plan.items()):
        records = []
        for index, form in enumerate(forms):
            suffix = "jpg" if form == "held" else form
            data = encode(picture(10 * number + index), suffix, 200)
            staged = f"{number}-{index}.{suffix}"
            (vault.staging / staged).write_bytes(data)
            records.append(
                PageRecord(
                    applicant=number,
                    source="x",
                    source_page=0,
                    category="论文",
                    state="review" if form == "held" else "clean",
                    reason="",
                    seconds=0,
                    staged=staged,
                    sha256=hashlib.sha256(data).hexdigest(),
                    size=(90, 120),
                )
            )
        pages += assemble(vault, folder, code, records)
    write_manifest(folder, pages)
    return folder


def settle(folder: Path) -> None:
    """Sets all times again, so that a harm is not found by its time alone."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (FIXED_TIME, FIXED_TIME), follow_symlinks=False)


def told(folder: Path) -> list[tuple[str, str]]:
    """(file, English sentence) of every problem."""
    return [(problem.file, problem.sentence.en) for problem in inspect(folder).problems]


def listing(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def relist(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Writes the manifest after a change of its value."""
    values = listing(folder)
    change(values)
    (folder / "manifest.json").write_text(json.dumps(values, ensure_ascii=False), "utf-8")


def replace_page(folder: Path, name: str, data: bytes) -> None:
    """Another content under a page's name, with its right hash, so that only its kind is wrong."""
    (folder / name).write_bytes(data)
    code = name.split("/")[0]

    def rehash(values: dict[str, Any]) -> None:
        (dossier,) = (d for d in values["dossiers"] if d["code"] == code)
        (entry,) = (e for e in dossier["files"] if e["file"] == name)
        entry["sha256"] = hashlib.sha256(data).hexdigest()

    relist(folder, rehash)


def test_what_redact_leaves_behind_holds(blind: Path) -> None:
    seen: list[tuple[int, int]] = []
    outcome = inspect(blind, lambda done, total: seen.append((done, total)))
    assert outcome.problems == ()
    assert outcome.ok
    assert (outcome.dossiers, outcome.pages) == (3, 4)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def saved(**how: object) -> bytes:
    import io

    buffer = io.BytesIO()
    Pillow.fromarray(picture(1)).save(buffer, **how)  # type: ignore[arg-type]
    return buffer.getvalue()


def tags() -> bytes:
    exif = Pillow.Exif()
    exif[0x010E] = "李明"
    return exif.tobytes()


OTHER_SIZE = picture(3)[:-8]
CONTENTS = {
    "EXIF": (PAGE, saved(format="JPEG", exif=tags()), "more than pixels"),
    "XMP": (PAGE, saved(format="JPEG", xmp=b"<x/>"), "more than pixels"),
    "a comment": (PAGE, saved(format="JPEG", comment="李明"), "more than pixels"),
    "ICC": (PNG_PAGE, saved(format="PNG", icc_profile=b"x" * 99), "more than pixels"),
    "IPTC": (PAGE, saved(format="JPEG", extra=b"\xff\xed\0\x08Photo\0"), "more than pixels"),
    "bytes behind it": (PAGE, encode(picture(1), "jpg", 200) + b"x", "trailing bytes"),
    "another format": (PAGE, encode(picture(1), "png", 200), "another format"),
    "a web page": (PAGE, b"<html>", "another format"),
    "another size": (PAGE, encode(OTHER_SIZE, "jpg", 200), "90 x 112 pixels"),
    "a cut": (PAGE, encode(picture(1), "jpg", 200)[:700] + b"\xff\xd9", "decoded as a whole"),
    "a cut PNG": (PNG_PAGE, encode(picture(1), "png", 200)[:-40], "more than pixels"),
    "nothing": (PAGE, b"", "another format"),
}


@pytest.mark.parametrize("what", list(CONTENTS))
def test_a_page_that_is_not_bare_or_whole(blind: Path, what: str) -> None:
    name, data, expected = CONTENTS[what]
    replace_page(blind, name, data)
    settle(blind)
    problems = told(blind)
    assert {file for file, _ in problems} == {name}
    assert any(expected in sentence for _, sentence in problems), problems


def test_a_page_that_was_changed(blind: Path) -> None:
    (blind / PAGE).write_bytes(encode(picture(77), "jpg", 200))
    settle(blind)
    assert [(f, "sha256" in s) for f, s in told(blind)] == [(PAGE, True)]


def swap(values: dict[str, Any]) -> None:
    values["dossiers"].reverse()


def first(values: dict[str, Any]) -> dict[str, Any]:
    return values["dossiers"][0]


def page_of(values: dict[str, Any]) -> dict[str, Any]:
    return first(values)["files"][0]


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda v: v.update(version=2), "not of version 1"),
    "no version": (lambda v: v.pop("version"), "not of version 1"),
    "a further key": (lambda v: v.update(made_for="某局"), "made_for"),
    "a further key of a dossier": (lambda v: first(v).update(row=3), "row"),
    "a further key of a page": (lambda v: page_of(v).update(source="李明.jpg"), "source"),
    "the roster's order": (swap, "order of the roster"),
    "a code twice": (lambda v: v["dossiers"].append(v["dossiers"][-1]), "twice"),
    "a page twice": (lambda v: first(v)["files"].append(page_of(v)), "twice"),
    "pages out of order": (lambda v: first(v)["files"].reverse(), "out of order"),
    "a wrong count": (lambda v: first(v).update(pages=3), "another number of pages"),
    "no count": (lambda v: first(v).update(pages="2"), "another number of pages"),
    "a category of its own": (
        lambda v: page_of(v).update(category="李明的论文"),
        "unknown category",
    ),
    "no size": (lambda v: page_of(v).pop("size"), "no valid size"),
    "an empty size": (lambda v: page_of(v).update(size=[0, 5]), "no valid size"),
    "a short hash": (lambda v: page_of(v).update(sha256="00"), "no valid sha256"),
    "a path upwards": (lambda v: page_of(v).update(file="../001.jpg"), "no page of"),
    "a page of another dossier": (lambda v: page_of(v).update(file=PNG_PAGE), "no page of"),
    "a text for a dossier": (lambda v: v["dossiers"].append("x"), "wrong form"),
    "a text for a page": (lambda v: first(v)["files"].append("x"), "page of wrong form"),
    "no pages": (lambda v: first(v).update(files=None), "no list of pages"),
}


@pytest.mark.parametrize("what", list(MANIFESTS))
def test_a_manifest_that_says_too_much_or_too_little(blind: Path, what: str) -> None:
    change, expected = MANIFESTS[what]
    relist(blind, change)
    settle(blind)
    problems = told(blind)
    assert any(f == "manifest.json" and expected in s for f, s in problems), problems


def test_a_code_with_a_wrong_check_character(blind: Path) -> None:
    (blind / CODE).rename(blind / "3333-34")
    text = (blind / "manifest.json").read_text("utf-8")
    (blind / "manifest.json").write_text(text.replace(CODE, "3333-34"), "utf-8")
    settle(blind)
    assert [(f, "not valid" in s) for f, s in told(blind)] == [("manifest.json", True)]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version":1,"version":1,"dossiers":[]}', "\udcff"]
)
def test_a_broken_manifest_is_one_problem_and_the_pages_are_still_tried(
    blind: Path, text: str
) -> None:
    (blind / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (blind / PAGE).write_bytes(b"<html>")
    settle(blind)
    files = [file for file, _ in told(blind)]
    assert files.count("manifest.json") == 1
    assert set(files) == {"manifest.json", PAGE}


def test_what_the_manifest_lacks_and_what_it_alone_has(blind: Path) -> None:
    (blind / CODE / "002.jpg").write_bytes((blind / PAGE).read_bytes())
    (blind / CODE / ".001.jpg.part").write_bytes(b"half")
    (blind / "report.json").write_text("{}")
    (blind / "李明").mkdir()
    (blind / PNG_PAGE).unlink()
    settle(blind)
    problems = dict(told(blind))
    for extra in (f"{CODE}/002.jpg", f"{CODE}/.001.jpg.part", "report.json", "李明"):
        assert "does not list it" in problems.pop(extra)
    assert "not there" in problems.pop(PNG_PAGE)
    assert problems == {}


def test_a_dossier_without_pages_may_have_an_empty_folder(blind: Path) -> None:
    (blind / EMPTY).mkdir()
    settle(blind)
    assert told(blind) == []


@pytest.mark.skipif(os.name == "nt", reason="links and rights of POSIX")
def test_links_rights_and_special_files(blind: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.jpg"
    (blind / PAGE).rename(page)
    (blind / PAGE).symlink_to(page)
    (blind / CODE / "003.jpg").unlink()
    os.mkfifo(blind / CODE / "003.jpg")
    (blind / PNG_PAGE).chmod(0o666)
    settle(blind)
    problems = dict(told(blind))
    assert "a link or a special file" in problems.pop(PAGE)
    assert "a link or a special file" in problems.pop(f"{CODE}/003.jpg")
    assert "changed by anyone" in problems.pop(PNG_PAGE)
    assert problems == {}


def test_times_that_tell_are_one_sentence(blind: Path) -> None:
    os.utime(blind / PAGE, (FIXED_TIME, FIXED_TIME + 1))
    os.utime(blind / PNG_PAGE, ns=(FIXED_TIME * 10**9, FIXED_TIME * 10**9 + 1000))
    ((file, sentence),) = told(blind)
    assert file in (PAGE, PNG_PAGE)
    assert sentence.startswith("2 files")


def test_extended_attributes(blind: Path) -> None:
    if not hasattr(os, "setxattr"):
        pytest.skip("this system has no extended attributes that Python reads")
    try:
        os.setxattr(blind / PAGE, "user.xdg.origin.url", b"https://office/01")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    settle(blind)
    ((file, sentence),) = told(blind)
    assert file == PAGE
    assert "user.xdg.origin.url" in sentence


def test_a_picture_that_promises_too_many_pixels_is_not_unpacked(blind: Path) -> None:
    """A header alone would make the decoder ask for gigabytes."""
    data = bytearray(encode(picture(1), "jpg", 200))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = b"\xff\xff\xff\xff"
    replace_page(blind, PAGE, bytes(data))
    settle(blind)
    assert [(f, "decoded as a whole" in s) for f, s in told(blind)] == [(PAGE, True)]


def test_no_folder_or_no_manifest_is_no_input(blind: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a folder|不是文件夹"):
        inspect(tmp_path / "none")
    with pytest.raises(UsageError, match=r"is not a folder|不是文件夹"):
        inspect(blind / PAGE)
    (blind / "manifest.json").rename(tmp_path / "manifest.json")
    with pytest.raises(UsageError, match="--resume"):
        inspect(blind)
    (blind / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(UsageError, match="--resume"):
        inspect(blind)


def command(folder: Path, language: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of `mangping inspect`."""
    done = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "inspect", str(folder)],
        cwd=ROOT,
        env={**os.environ, "MANGPING_LANG": language},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_says_everything_at_once_and_exits_as_promised(
    blind: Path, tmp_path: Path
) -> None:
    code, stdout, stderr = command(blind, "en")
    assert (code, stdout) == (0, "")
    assert "3 dossiers, 4 pages: everything holds" in stderr
    replace_page(blind, PAGE, b"<html>")
    (blind / "x.txt").write_text("x")
    code, _, stderr = command(blind, "zh")
    assert code == 3
    for part in (PAGE, "x.txt", "修改时间", "请勿交给评委"):
        assert part in stderr
    code, _, stderr = command(tmp_path / "none", "zh")
    assert code == 2
    assert "不是文件夹" in stderr

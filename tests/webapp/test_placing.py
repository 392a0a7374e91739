"""Where an upload goes: hostile names, archives in archives, folders that only wrap."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RuleError
from tests.webapp.upload_desk import JPG, Desk, on_disk, packed
from webapp.office.placing import Folders, place_upload, unwrapped, wrapping
from webapp.office.scans import safe_path
from webapp.settings import Settings


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "//server/share",
        "../a.jpg",
        "a/../../b.jpg",
        "a\\..\\..\\b.jpg",
        "C:\\a.jpg",
        "a/C:/b.jpg",
        "a/b\0.jpg",
        "a/b\n.jpg",
        "a/b. ",
        "a/" + "学" * 100 + ".jpg",
        "/".join("a" * 100 for _ in range(40)),
        "a/\ud800.jpg",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(RuleError):
        safe_path(path)


@given(st.text(alphabet="ab.\\/:~ \0é学", max_size=12))
def test_no_path_ever_leaves_the_folder(path: str) -> None:
    try:
        found = safe_path(path)
    except RuleError:
        return
    root = Path("/scans")
    target = Path(os.path.normpath(root.joinpath(*found.parts)))
    assert target.is_relative_to(root)
    assert target != root


def test_names_from_a_mac_are_the_same_names() -> None:
    assert safe_path("e\u0301/a.jpg") == PurePosixPath("\u00e9/a.jpg")


def owned(name: str) -> bool:
    return name[:2] in ("01", "02")


FOLDERS = Folders(owned)


def test_a_folder_that_only_wraps_is_left_out() -> None:
    assert wrapping(["扫描/01甲/a.jpg", "扫描/02乙/b.jpg"], owned) == ("扫描",)
    assert wrapping(["扫描/01甲.zip"], owned) == ("扫描",)
    assert wrapping(["01甲/论文/a.jpg"], owned) == ()
    assert wrapping(["01甲/02乙/a.jpg"], owned) == ()
    assert wrapping(["扫描/论文/a.jpg"], owned) == ()
    assert wrapping([f"{n}/01甲/a.jpg" for n in range(9)], owned) == ()
    assert unwrapped("扫描/01甲/a.jpg", ["扫描"]) == "01甲/a.jpg"
    assert unwrapped("01甲/a.jpg", ["扫描"]) == "01甲/a.jpg"


@pytest.mark.parametrize(
    ("name", "inside", "places"),
    [
        ("全部.zip", ["01甲/a.jpg", "02乙/b.jpg"], {"01甲/a.jpg", "02乙/b.jpg"}),
        ("全部.zip", ["全部/01甲/a.jpg"], {"01甲/a.jpg"}),
        ("01甲.zip", ["a.jpg"], {"01甲/a.jpg"}),
        ("01甲.zip", ["论文/a.jpg"], {"01甲/论文/a.jpg"}),
        ("01甲.zip", ["01甲/a.jpg"], {"01甲/a.jpg"}),
        ("01甲/论文.zip", ["a.jpg"], {"01甲/论文.zip/a.jpg"}),
        ("全部.zip", ["01甲/Thumbs.db", "__MACOSX/01甲/a.jpg", "01甲/a.jpg"], {"01甲/a.jpg"}),
    ],
)
def test_archives_unpack_to_the_applicants_folders(
    settings: Settings, tmp_path: Path, name: str, inside: list[str], places: set[str]
) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(packed({path: JPG + path.encode() for path in inside}))
    placed = place_upload(settings, 1, safe_path(name), part, FOLDERS)
    assert placed.state == "received"
    assert on_disk(settings, 1) == places
    assert list(tmp_path.glob("x*")) == []


def test_archives_in_archives_are_unpacked_for_good(settings: Settings, tmp_path: Path) -> None:
    inner = packed({"证书.jpg": JPG})
    deep = packed({"a.zip": packed({"b.zip": packed({"c.zip": packed({"d.jpg": JPG})})})})
    part = tmp_path / "x.part"
    part.write_bytes(
        packed(
            {
                "01甲.zip": inner,
                "02乙/论文.zip": inner,
                "02乙/坏.zip": b"PK??",
                "02乙/deep.zip": deep,
            }
        )
    )
    placed = place_upload(settings, 1, safe_path("全部.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01甲/证书.jpg", "02乙/论文.zip/证书.jpg"}
    told = {item.path.split("/")[-1]: item.sentence.zh for item in placed.left_out}
    assert "打不开" in told["坏.zip"]
    assert "层" in told["c.zip"]


def test_an_archive_cannot_write_outside(settings: Settings, tmp_path: Path) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(packed({"../../out.jpg": JPG, "/abs.jpg": JPG, "01甲/a.jpg": JPG}))
    placed = place_upload(settings, 1, safe_path("全部.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01甲/a.jpg"}
    assert len(placed.left_out) == 2
    assert not list(tmp_path.rglob("out.jpg"))
    assert not list(tmp_path.rglob("abs.jpg"))


def test_chinese_names_of_windows_archives(settings: Settings, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("01x/xxxx.jpg")
        archive.writestr(info, JPG)
    raw = out.getvalue().replace(b"01x/xxxx.jpg", b"01/" + "证书".encode("gb18030") + b"1.jpg")
    part = tmp_path / "x.part"
    part.write_bytes(raw)
    place_upload(settings, 1, safe_path("a.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01/证书1.jpg"}


def test_what_is_no_scan_is_named_and_left_out(desk: Desk) -> None:
    assert desk.send("02李建国/总结.docx", packed({"word/a.xml": b"x"}))["notes"][0][1].count(
        "Word"
    )
    refused = desk.send("没有文件夹.jpg", JPG)
    assert (refused["state"], len(refused["notes"])) == ("refused", 1)
    assert desk.send("坏.zip", b"PK\x03\x04" + b"x" * 50)["state"] == "refused"
    # Mended and sent again under the same name, size and time, it is looked at anew.
    assert desk.begin("坏.zip", b"PK\x03\x04" + b"x" * 50)["state"] == "receiving"

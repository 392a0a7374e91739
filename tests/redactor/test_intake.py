"""The intake meets what offices and applicants really hand in, and what an attacker would: nothing
unsafe is opened, nothing is dropped without a sentence. All archives are made here."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from redactor.archive import Budget
from redactor.attachment import CATEGORIES, OTHER, neutral_category, without_counter
from redactor.errors import UsageError
from redactor.intake import Intake, natural_key, open_scans
from redactor.loading import load_page


def scan(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", (40, 40), (9, 9, 9)).save(path, "PNG")
    return path


def jpg(tmp_path: Path) -> bytes:
    return scan(tmp_path / "one.png").read_bytes()


def names(intake: Intake) -> list[str]:
    return [file.relative for file in intake.files]


def problems(intake: Intake) -> dict[str, str]:
    return {p.source: p.sentence.zh + p.sentence.en for p in intake.problems}


def raw_zip(path: Path, entries: list[tuple[bytes, bytes, int]]) -> Path:
    """A stored ZIP with entry names and flags to the byte: (name, content, flags)."""
    import zlib

    body, directory = b"", b""
    for name, content, flags in entries:
        head = struct.pack(
            "<HHHHHIIIHH",
            20, flags, 0, 0, 0, zlib.crc32(content), len(content), len(content), len(name), 0,
        )  # fmt: skip
        offset = len(body)
        body += b"PK\x03\x04" + head + name + content
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head
        directory += struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)
    return path


def test_files_come_in_natural_order_with_their_categories(tmp_path: Path) -> None:
    root = tmp_path / "扫描 件😀"
    for name in (
        "10李明/学历证书10.jpg",
        "10李明/学历证书2.jpg",
        "2诸葛明远/获奖/2023 年/a (3).jpg",
        "2诸葛明远/年度考核2019.jpg",
    ):
        scan(root / name)
    (root / "3空").mkdir()
    with open_scans(root) as intake:
        assert intake.folders == ("2诸葛明远", "3空", "10李明")
        assert names(intake) == [
            "2诸葛明远/年度考核2019.jpg",
            "2诸葛明远/获奖/2023 年/a (3).jpg",
            "10李明/学历证书2.jpg",
            "10李明/学历证书10.jpg",
        ]
        assert [f.category for f in intake.files] == [
            "年度考核2019",
            "获奖/2023 年",
            "学历证书",
            "学历证书",
        ]
        assert intake.problems == ()
        assert load_page(intake.files[0].path, 0).pixels.shape == (40, 40, 3)


@pytest.mark.parametrize("ending", ["_1", "(2)", "（12）", "-02", " 3", "2", "【1】", "_ (1)"])
def test_counters_go_and_years_stay(ending: str) -> None:
    assert without_counter("学历证书" + ending) == "学历证书"
    assert without_counter("考核2019") == "考核2019"
    assert without_counter("01") == "01"


def test_system_files_are_ignored_and_all_else_is_named(tmp_path: Path) -> None:
    scan(tmp_path / "s/1张三/身份证.png")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "~$表.docx", "__MACOSX/._a.jpg"):
        path = tmp_path / "s/1张三" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "s/1张三/总结.docx").write_bytes(b"PK\x03\x04 word/document.xml")
    (tmp_path / "s/1张三/说明.txt").write_text("你好")
    scan(tmp_path / "s/1张三/无后缀的扫描件")
    scan(tmp_path / "s/散.png")
    os.mkfifo(tmp_path / "s/1张三/fifo.jpg")
    with open_scans(tmp_path / "s") as intake:
        assert set(names(intake)) == {"1张三/身份证.png", "1张三/无后缀的扫描件"}
        said = problems(intake)
        assert set(said) == {"1张三/总结.docx", "1张三/说明.txt", "1张三/fifo.jpg", "散.png"}
        assert "Word" in said["1张三/总结.docx"]


def test_a_bad_file_with_a_scans_suffix_is_left_to_loading(tmp_path: Path) -> None:
    path = tmp_path / "s/1/坏.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    with open_scans(tmp_path / "s") as intake:
        assert names(intake) == ["1/坏.jpg"]


def test_links_out_of_the_applicants_folder_are_refused(tmp_path: Path) -> None:
    secret = scan(tmp_path / "secret/别人.png")
    own = scan(tmp_path / "s/1张三/身份证.png")
    other = scan(tmp_path / "s/2李四/身份证.png")
    (tmp_path / "s/1张三/out.png").symlink_to(secret)
    (tmp_path / "s/1张三/other.png").symlink_to(other)
    (tmp_path / "s/1张三/own.png").symlink_to(own)
    (tmp_path / "s/1张三/ring").symlink_to(tmp_path / "s/1张三")
    (tmp_path / "s/1张三/broken.png").symlink_to(tmp_path / "none")
    (tmp_path / "s/3链").symlink_to(secret.parent)
    with open_scans(tmp_path / "s") as intake:
        assert names(intake) == ["1张三/own.png", "1张三/身份证.png", "2李四/身份证.png"]
        assert set(problems(intake)) == {
            "1张三/out.png",
            "1张三/other.png",
            "1张三/ring",
            "1张三/broken.png",
            "3链",
        }


def test_a_zip_is_opened_privately_and_leaves_nothing(tmp_path: Path) -> None:
    data = jpg(tmp_path)
    path = tmp_path / "批次.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("批次/1张三/身份证.jpg", data)
        packed.writestr("批次/2李四/学历/1.jpg", data)
        packed.writestr("__MACOSX/批次/._x", b"x")
    with open_scans(path) as intake:
        assert intake.folders == ("1张三", "2李四")
        assert names(intake) == ["1张三/身份证.jpg", "2李四/学历/1.jpg"]
        inside = intake.files[0].path
        assert inside.read_bytes() == data
        private = next(p for p in inside.parents if p.name.startswith("mangping-"))
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()


def test_the_private_folder_is_removed_after_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("1张三/a.jpg", jpg(tmp_path))
    with pytest.raises(RuntimeError), open_scans(path) as intake:
        inside = intake.files[0].path
        raise RuntimeError
    assert not inside.exists()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_chinese_names_without_the_utf8_flag(tmp_path: Path, encoding: str) -> None:
    name = "1诸葛明远/学历证书.png"
    path = raw_zip(tmp_path / "a.zip", [(name.encode(encoding), jpg(tmp_path), 0)])
    with open_scans(path) as intake:
        assert names(intake) == [name]


@pytest.mark.parametrize(
    "name",
    ["../../evil.png", "1张三/../../evil.png", "/tmp/evil.png", "C:\\evil.png", "..\\evil.png"],
)
def test_paths_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    data = jpg(tmp_path)
    entries = [(name.encode(), data, 0x800), (b"1/ok.png", data, 0x800)]
    path = raw_zip(
        tmp_path / "in/a.zip" if (tmp_path / "in").mkdir() else tmp_path / "a.zip", entries
    )
    with open_scans(path) as intake:
        assert names(intake) == ["1/ok.png"]
        assert len(intake.problems) == 1
        root = intake.files[0].path.parent.parent
        assert sorted(p.name for p in root.rglob("*")) == ["1", "ok.png"]
    assert not (tmp_path / "evil.png").exists()


def test_encrypted_linked_and_doubled_entries(tmp_path: Path) -> None:
    data = jpg(tmp_path)
    path = raw_zip(
        tmp_path / "a.zip",
        [
            (b"1/locked.png", data, 0x801),
            (b"1/ok.png", data, 0x800),
            (b"1/ok.png", b"second", 0x800),
        ],
    )
    link = zipfile.ZipInfo("1/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(link, "/etc/passwd")
    with open_scans(path) as intake:
        assert names(intake) == ["1/ok.png"]
        assert intake.files[0].path.read_bytes() == data
        said = problems(intake)
        assert "加密" in said["1/locked.png"]
        assert "链接" in said["1/link.png"]
        assert "同名" in said["1/ok.png"]


def test_bombs_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("1/ok.png", jpg(tmp_path))
        packed.writestr("1/zeros.bmp", bytes(3_000_000))
    with open_scans(path, Budget(suspicious_bytes=1_000_000)) as intake:
        assert names(intake) == ["1/ok.png"]
        assert "过大" in problems(intake)["1/zeros.bmp"]
    with open_scans(path, Budget(total_bytes=2_000_000)) as intake:
        assert names(intake) == ["1/ok.png"]
    with open_scans(path, Budget(entries=1)) as intake:
        assert names(intake) == ["1/ok.png"]
        assert intake.problems


def test_an_entry_that_lies_about_its_size_is_cut(tmp_path: Path) -> None:
    import zlib

    content = bytes(5_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    name = b"1/zeros.bmp"
    head = struct.pack(
        "<HHHHHIIIHH", 20, 0x800, 8, 0, 0, zlib.crc32(content), len(packed), 10, len(name), 0
    )
    body = b"PK\x03\x04" + head + name + packed
    directory = b"PK\x01\x02" + struct.pack("<H", 20) + head
    directory += struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(body), 0)
    path = tmp_path / "a.zip"
    path.write_bytes(body + directory + b"PK\x05\x06" + end)
    with open_scans(path) as intake:
        assert names(intake) == []
        assert set(problems(intake)) == {"1/zeros.bmp"}


def test_a_zip_in_an_applicants_folder_is_a_nested_folder(tmp_path: Path) -> None:
    data = jpg(tmp_path)
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("a.png", data)
        packed.writestr("../evil.png", data)
    (tmp_path / "s/1张三").mkdir(parents=True)
    (tmp_path / "s/1张三/获奖.zip").write_bytes(inner.read_bytes())
    (tmp_path / "s/1张三/坏.zip").write_bytes(b"PK\x03\x04nonsense")
    (tmp_path / "s/2李四.zip").write_bytes(inner.read_bytes())
    before = sorted(p.name for p in (tmp_path / "s").rglob("*"))
    with open_scans(tmp_path / "s") as intake:
        assert intake.folders == ("1张三", "2李四")
        assert [(f.folder, f.relative, f.category) for f in intake.files] == [
            ("1张三", "1张三/获奖.zip/a.png", "获奖"),
            ("2李四", "2李四.zip/a.png", "a"),
        ]
        assert set(problems(intake)) == {
            "1张三/获奖.zip/../evil.png",
            "1张三/坏.zip",
            "2李四.zip/../evil.png",
        }
    assert sorted(p.name for p in (tmp_path / "s").rglob("*")) == before


def test_archives_in_archives_end(tmp_path: Path) -> None:
    inner = jpg(tmp_path)
    name = "a.png"
    for depth in range(6):
        path = tmp_path / f"{depth}.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr(name, inner)
        inner, name = path.read_bytes(), f"{depth}.zip"
    (tmp_path / "s/1").mkdir(parents=True)
    (tmp_path / "s/1/x.zip").write_bytes(inner)
    with open_scans(tmp_path / "s") as intake:
        assert intake.files == ()
        assert len(intake.problems) == 1


def test_scans_that_are_no_scans_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    for path in (tmp_path / "none", tmp_path / "a.zip"):
        with pytest.raises(UsageError), open_scans(path):
            pass


@given(st.text(max_size=30), st.lists(st.text(max_size=6), max_size=3))
def test_a_category_is_always_a_word_of_the_vocabulary(text: str, banned: list[str]) -> None:
    assert neutral_category(text, banned) in CATEGORIES


def test_known_categories() -> None:
    known = {
        "张三-学历证书": "学历证书",
        "学历验证（学信网）": "学信网报告",
        "获奖/2023": "获奖证书",
        "论文 1": "论文",
        "身 份 证": "身份证",
        "2019年度考核": "年度考核",
        "1寸照片": "证件照",
        "专业技术职务聘任": "聘任文件",
        "张三": OTHER,
        "": OTHER,
    }
    assert {text: neutral_category(text) for text in known} == known
    assert neutral_category("某某专利局证明", ["某某专利局"]) == "证明材料"


@given(st.lists(st.text(max_size=8), max_size=6))
def test_natural_keys_can_always_be_compared(texts: list[str]) -> None:
    assert len(sorted(texts, key=natural_key)) == len(texts)
    assert natural_key("学历证书２") < natural_key("学历证书10")

"""`mangping redact` as users run it: a process of its own, judged by what it leaves behind."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import psutil
import pytest
from PIL import Image as Pillow

from benchmarks.judge import judge_mask, solid
from benchmarks.recall import pages_of
from redactor.assembly import FIXED_TIME
from redactor.blind_code import is_code
from redactor.proof import stray_parts
from sample_scans.canvas import Style
from sample_scans.generate import generate
from sample_scans.people import Person, make_people
from sample_scans.truth import load_truth
from tests.redactor.golden.pages import sheet
from tests.redactor.golden.sets import (
    PEOPLE,
    Run,
    finish,
    interrupt,
    page_about,
    run,
    save,
    small_set,
    start,
    wait_for,
    write_roster,
)

SEED = 5
PAGE_KEYS = {
    "dossier", "page", "applicant", "source", "source_page", "category", "output", "size",
    "source_to_output", "rotation", "quality", "masks", "verify", "state", "reason", "seconds",
}  # fmt: skip
MASK_KEYS = {"kind", "quad", "text", "score", "why", "finder"}
KINDS = {
    "name", "unit", "id_number", "phone", "email", "address", "cert_number", "document_number",
    "code", "seal", "signature", "eyes", "face", "label_value", "custom",
}  # fmt: skip


def people() -> tuple[Person, ...]:
    from random import Random

    return make_people(Random(f"people/{SEED}"), 2)


def secrets(person: Person) -> list[str]:
    """Everything that must not leave the vault, long enough not to appear by chance."""
    unit = person.unit
    return [
        person.name,
        person.traditional,
        person.id_number,
        person.phone,
        person.email,
        person.folder,
        unit.full,
        unit.former,
        *unit.shorts,
        *person.pinyin,
        person.pinyin[0].replace(" ", ""),
    ]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two made-up applicants with three files each, one of them a TIFF of two pages."""
    out = tmp_path_factory.mktemp("samples")
    generate(out, SEED, applicants=2, files=3, debian=False)
    return out


@pytest.fixture(scope="module")
def done(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The undisturbed run over the samples."""
    out = tmp_path_factory.mktemp("done")
    return run(samples / "scans", samples / "roster.xlsx", out, "--jobs", "2")


def report(finished: Run) -> dict:  # type: ignore[type-arg]
    return json.loads((finished.vault / "report.json").read_text("utf-8"))


def test_every_page_is_verified_or_shown_to_a_person(done: Run) -> None:
    states = [page["state"] for page in report(done)["pages"]]
    assert len(states) == 7
    assert set(states) <= {"clean", "review"}
    assert done.code == (1 if "review" in states else 0)
    assert done.stdout == ""


def test_blind_holds_only_pages_under_codes_and_the_manifest(done: Run) -> None:
    files = set(done.blind_files())
    pages = {f for f in files if re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{2}/\d{3}\.jpg", f)}
    assert files - pages == {"manifest.json"}
    folders = {p.name for p in done.blind.iterdir() if p.is_dir()}
    assert len(folders) == 2
    assert all(is_code(name) for name in folders)
    clean = [p for p in report(done)["pages"] if p["state"] == "clean"]
    assert pages == {p["output"] for p in clean}
    for code in folders:
        numbers = [p["page"] for p in report(done)["pages"] if p["dossier"] == code]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_manifest_tells_hash_size_and_category_and_nothing_else(done: Run) -> None:
    manifest = json.loads((done.blind / "manifest.json").read_text("utf-8"))
    entries = [entry for dossier in manifest["dossiers"] for entry in dossier["files"]]
    assert {e["file"] for e in entries} == set(done.blind_files()) - {"manifest.json"}
    for entry in entries:
        data = (done.blind / entry["file"]).read_bytes()
        assert set(entry) == {"file", "category", "size", "sha256"}
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert Pillow.open(done.blind / entry["file"]).size == tuple(entry["size"])
        assert stray_parts(data) == []
    codes = [dossier["code"] for dossier in manifest["dossiers"]]
    assert codes == sorted(codes)


def test_all_file_times_are_one_fixed_value(done: Run) -> None:
    for path in (done.blind, *done.blind.rglob("*")):
        assert path.stat().st_mtime == FIXED_TIME


def test_nothing_in_blind_tells_who_it_is(done: Run, samples: Path) -> None:
    """Names, units, numbers and file names of both applicants, in every encoding that they use."""
    sources = [p.stem for p in (samples / "scans").rglob("*") if p.is_file()]
    told = [s for person in people() for s in secrets(person)]
    # The test holds what could leak: the same words are all over the vault.
    kept = (done.vault / "report.json").read_text("utf-8")
    assert all(person.name in kept for person in people())
    assert all(stem in kept for stem in sources)
    everything = {name: name.encode() + data for name, data in done.blind_files().items()}
    for secret in told + [s for s in sources if any(p.name in s for p in people())]:
        for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
            wanted = secret.encode(encoding)
            for name, data in everything.items():
                assert len(wanted) < 5 or wanted not in data, (secret, name)
    manifest = everything["manifest.json"].decode("utf-8")
    assert not any(stem in manifest for stem in sources if stem not in ("社保", "承诺书"))


def test_the_pixels_hide_what_was_drawn(done: Run, samples: Path) -> None:
    """The sample's truth, judged from output pixels; what is not let out counts as held."""
    pages = pages_of(done.blind.parent)
    verdicts = []
    for truth in load_truth(samples / "truth.json.gz").pages:
        entry = pages[(truth.source, truth.source_page)]
        if entry["output"]:
            mask = solid(cv2.imread(str(done.blind / entry["output"])))
            verdicts += judge_mask(truth, mask, np.array(entry["source_to_output"])).items
    own = [v for v in verdicts if v.kind in ("name", "id_number", "phone", "email")]
    assert len(own) >= 10
    leaked = [(v.kind, v.form, v.text) for v in own if v.outcome == "leaked"]
    assert len(leaked) <= 0.05 * len(own), leaked


def test_the_vault_is_private(done: Run) -> None:
    assert stat.S_IMODE(done.vault.stat().st_mode) == 0o700
    for folder in (p for p in done.vault.rglob("*") if p.is_dir()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert {"key.xlsx", "report.json", "report.html"} <= {p.name for p in done.vault.iterdir()}
    assert not list((done.vault / "staging").iterdir())


def test_the_report_has_the_keys_of_the_contract(done: Run) -> None:
    values = report(done)
    assert {"version", "profile", "reader", "started", "seconds", "pages"} <= set(values)
    assert values["version"] == 1
    assert values["profile"] == "strict"
    for page in values["pages"]:
        assert set(page) >= PAGE_KEYS
        assert {"state", "hits"} <= set(page["verify"])
        assert {"sharpness", "dpi", "flags"} <= set(page["quality"])
        assert np.array(page["source_to_output"]).shape == (3, 3)
        assert page["masks"]
        width, height = page["size"]
        for mask in page["masks"]:
            assert set(mask) >= MASK_KEYS
            assert mask["kind"] in KINDS
            quad = np.array(mask["quad"])
            assert quad.shape == (4, 2)
            # A slanting mask's corners may lie beyond the page, its middle may not.
            assert (quad > -0.2 * width).all()
            assert (quad < (1.2 * width, 1.2 * height)).all()
            assert (quad.mean(axis=0) > 0).all()
            assert (quad.mean(axis=0) < (width, height)).all()


def test_the_key_opens_the_codes(done: Run) -> None:
    sheet = openpyxl.load_workbook(done.vault / "key.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))[1:]
    owners = {page["applicant"]: page["dossier"] for page in report(done)["pages"]}
    assert {(n, name, code) for n, name, code in rows} == {
        (p.serial, p.name, owners[p.serial]) for p in people()
    }


def test_stderr_names_nobody(done: Run) -> None:
    """Beyond the paths of pages that a person must look at, which only the office sees."""
    said = done.stderr
    for page in report(done)["pages"]:
        said = said.replace(page["source"], "")
    for person in people():
        assert not [s for s in secrets(person) if s in said]
    assert "7/7" in said
    assert "Traceback" not in done.stderr


def test_ctrl_c_and_resume_give_what_an_undisturbed_run_gives(
    done: Run, samples: Path, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir(mode=0o700)
    shutil.copy(done.vault / "codes.json", vault)
    process = start(samples / "scans", samples / "roster.xlsx", tmp_path, "--jobs", "2")
    wait_for(lambda: any((vault / "records").glob("*.json")), process)
    interrupt(process)
    stopped = finish(process, tmp_path)
    assert stopped.code == 130
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.blind_files() == {}
    before = {p.name: p.stat().st_mtime_ns for p in (vault / "records").iterdir()}
    assert before
    arguments = ("--jobs", "2", "--resume")
    resumed = run(samples / "scans", samples / "roster.xlsx", tmp_path, *arguments)
    assert resumed.code == done.code
    assert resumed.blind_files() == done.blind_files()
    for old, new in zip(report(done)["pages"], report(resumed)["pages"], strict=True):
        assert new["masks"] == old["masks"]
        assert (new["source"], new["dossier"], new["page"]) == (
            old["source"],
            old["dossier"],
            old["page"],
        )
    # What was finished before the interruption was not done again.
    after = {p.name: p.stat().st_mtime_ns for p in (vault / "records").iterdir()}
    assert {name: after[name] for name in before} == before


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises pixels and holds none."""
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + data))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + data + crc


def encrypted_pdf() -> bytes:
    key = "00" * 32
    lock = f"<< /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >>"
    body = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    body += "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    body += "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>\nendobj\n"
    body += f"trailer << /Size 4 /Root 1 0 R /Encrypt {lock} /ID [<00> <00>] >>\n%%EOF\n"
    return body.encode()


BAD = {
    "截断.jpg": "重新",
    "网页.jpg": "请换成",
    "加密.pdf": "密码",
    "空白.jpg": "重新",
    "炸弹.png": "重新扫描",
    "炸弹2.png": "重新扫描",
    "链接.jpg": "请放入文件本身",
    "材料.zip/../../逃逸.jpg": "重新打包",
    "李建国王秀英": "材料目录",
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Run]]:
    """One run over everything that can be wrong with what users send."""
    base = tmp_path_factory.mktemp("bad")
    home = base / "in" / "scans" / "01诸葛晓岚"
    good = save(page_about("诸葛晓岚", 1), home / "获奖 证书 😀" / "诸葛晓岚 奖状😀.jpg")
    whole = good.read_bytes()
    (home / "截断.jpg").write_bytes(whole[: len(whole) // 2])
    (home / "网页.jpg").write_text("<!DOCTYPE html><html>请登录 诸葛晓岚</html>", "utf-8")
    (home / "加密.pdf").write_bytes(encrypted_pdf())
    (home / "空白.jpg").write_bytes(b"")
    (home / "炸弹.png").write_bytes(png_header(30_000, 30_000))
    Pillow.new("1", (30_000, 30_000)).save(home / "炸弹2.png")
    outside = save(page_about("诸葛晓岚", 2), base / "in" / "别处.jpg")
    (home / "链接.jpg").symlink_to(outside)
    inside = save(page_about("诸葛晓岚", 3), base / "in" / "包内.jpg")
    with zipfile.ZipFile(home / "材料.zip", "w") as packed:
        packed.writestr("../../逃逸.jpg", inside.read_bytes())
        packed.write(inside, "诸葛晓岚 论文.jpg")
    save(page_about("李建国", 4), base / "in" / "scans" / "李建国王秀英" / "证书.jpg")
    save(page_about("李建国", 5), base / "in" / "scans" / "02李建国" / "李建国毕业证书.jpg")
    roster = write_roster(base / "in" / "花名册.csv")
    yield base, run(base / "in" / "scans", roster, base / "out", "--jobs", "1")


def test_every_bad_input_gets_a_sentence_with_its_remedy(bad: tuple[Path, Run]) -> None:
    _, finished = bad
    assert finished.code == 3
    assert "Traceback" not in finished.stderr
    lines = finished.stderr.splitlines()
    for file, remedy in BAD.items():
        told = [x for x in lines if file in x and not (file == "炸弹.png" and "炸弹2" in x)]
        assert len(told) == 1, (file, finished.stderr)
        assert remedy in told[0], told[0]
    # 王秀英 and 欧阳震华 have no folder; rows are named, not persons.
    for row in (5, 6):
        assert any(f"第 {row} 行" in x and "没有" in x for x in lines), finished.stderr


def test_everything_else_is_still_done(bad: tuple[Path, Run]) -> None:
    _, finished = bad
    pages = report(finished)["pages"]
    good = {p["source"].split("/", 1)[1] for p in pages if p["output"]}
    assert good == {
        "获奖 证书 😀/诸葛晓岚 奖状😀.jpg",
        "材料.zip/诸葛晓岚 论文.jpg",
        "李建国毕业证书.jpg",
    }
    for page in pages:
        assert (page["output"] is None) == (page["state"] != "clean")
        assert page["state"] == "clean" or page["reason"]
    html = (finished.vault / "report.html").read_text("utf-8")
    assert all(name in html for name in ("截断.jpg", "链接.jpg", "李建国王秀英"))


def test_nothing_unmasked_was_written(bad: tuple[Path, Run]) -> None:
    base, finished = bad
    pictures = {f for f in finished.blind_files() if f != "manifest.json"}
    assert len(pictures) == 3
    for file in pictures:
        black = solid(cv2.imread(str(finished.blind / file)))
        assert black.any(), "each of the three pages names the applicant"
    assert not list(base.rglob("逃逸*"))
    assert not list((finished.vault / "staging").iterdir())
    assert not [p for p in finished.vault.rglob("*") if p.name.endswith(".part")]
    # A file's own name is its category's only source here, and must not come through.
    blind = b"".join(name.encode() + data for name, data in finished.blind_files().items())
    for person in PEOPLE:
        assert person[1].encode() not in blind
        for secret in (person[3], person[4], person[5]):
            assert not secret or secret not in finished.stderr


def test_a_full_disk_stops_with_its_remedy_and_a_resume_finishes(tmp_path: Path) -> None:
    """No file may grow beyond 8 kB, as on a disk that is full."""
    scans, roster = small_set(tmp_path, 2)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    stopped = run(scans, roster, tmp_path, "--jobs", "1", before=small_files)
    assert stopped.code == 3, stopped.stderr
    assert "磁盘空间" in stopped.stderr
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.blind_files() == {}
    assert not [p for p in tmp_path.rglob("*") if p.name.endswith(".part")]
    resumed = run(scans, roster, tmp_path, "--jobs", "1", "--resume")
    assert resumed.code == 0, resumed.stderr
    assert len(resumed.blind_files()) == 3


def unreadable(path: Path) -> None:
    """Lines so wavy that the reader guesses: a page of text that nobody may call clean."""
    canvas = sheet(150, 60)
    for y in range(6, 54, 8):
        canvas.line(8, y, "承担胡杨林更新项目成绩优秀特此证明评审委员会", Style(size=11))
    pixels = np.asarray(canvas.image)
    ys, xs = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    xs, ys = xs + 3 * np.sin(ys / 2.5), ys + 2 * np.sin(xs / 3)
    wavy = cv2.remap(pixels, xs, ys, cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    Pillow.fromarray(wavy).save(path)


def test_a_page_for_a_person_exits_with_1_and_stays_in_the_vault(tmp_path: Path) -> None:
    scans, roster = small_set(tmp_path, 1)
    unreadable(scans / "01诸葛晓岚" / "手稿.png")
    more = ("--jobs", "1", "--format", "png", "--profile", "notice")
    finished = run(scans, roster, tmp_path, *more, language="en")
    assert finished.code == 1, finished.stderr
    assert "1 verified, 1 to review, 0 failed" in finished.stderr
    told = [x for x in finished.stderr.splitlines() if "手稿.png, page 1" in x]
    assert len(told) == 1
    values = report(finished)
    assert values["profile"] == "notice"
    (held,) = (p for p in values["pages"] if p["state"] == "review")
    assert held["output"] is None
    assert held["reason"] in told[0]
    assert (finished.vault / "review" / held["dossier"] / f"{held['page']:03d}.png").exists()
    files = set(finished.blind_files())
    assert len(files) == 2
    assert f"{held['dossier']}/{held['page']:03d}.png" not in files
    assert any(f.endswith(".png") for f in files)


def test_a_killed_worker_costs_no_page(tmp_path: Path) -> None:
    """kill -9 on one of two workers, as the system does when memory runs out."""
    scans, roster = small_set(tmp_path, 4)
    process = start(scans, roster, tmp_path, "--jobs", "2", language="en")
    records = tmp_path / "vault" / "records"
    wait_for(lambda: any(records.glob("*.json")), process)
    workers = [
        child
        for child in psutil.Process(process.pid).children()
        if any("spawn_main" in part for part in child.cmdline())
    ]
    assert workers
    workers[0].kill()
    finished = finish(process, tmp_path)
    assert finished.code == 0, finished.stderr
    assert len(finished.blind_files()) == 5
    assert "4/4 pages" in finished.stderr


@pytest.mark.skipif(os.name == "nt", reason="folders of a regular file are a POSIX matter")
def test_unusable_input_exits_with_2_and_writes_nothing(tmp_path: Path) -> None:
    scans, _ = small_set(tmp_path, 1)
    strangers = write_roster(tmp_path / "others.csv", [("7", "赵六", "男", "", "某单位", "")])
    finished = run(scans, strangers, tmp_path / "out", language="en")
    assert finished.code == 2
    assert "nothing was written" in finished.stderr
    assert not (tmp_path / "out").exists()

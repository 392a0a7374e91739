"""Whenever a run is killed, BLIND holds nothing but proven pages, and --resume ends as if not.

The processes are real and so are their deaths: crash/sitecustomize.py kills them at the entry of a
function, and production code knows nothing of it. By default some stages are tried in a row, each
run resuming what the one before left; MANGPING_ALL_CRASHES=1 tries all of them, in a row and each
in a run of its own (6 minutes on two cores).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from redactor.inspection import inspect
from tests.redactor.golden.sets import PEOPLE, ROOT, command, page_about, save, write_roster

HOOK = Path(__file__).parent / "crash"


@dataclass(frozen=True)
class Stage:
    """A moment at which something fails: the `nth` entry of a function in a role ("+": and later).

    `how`: "self" and "all" kill the process, the latter with its parent; "full" is a full disk.
    """

    function: str
    nth: str = "1"
    role: str = "worker"
    how: str = "all"


def parent(function: str, nth: str = "1") -> Stage:
    return Stage(function, nth, "parent", "self")


STAGES = {
    "codes": parent("redactor.vault:Vault.codes"),
    "codes half-written": parent("os:fsync"),
    "load": Stage("redactor.loading:ScanFile.page"),
    "read": Stage("redactor.pipeline:read"),
    "find": Stage("redactor.pipeline:find"),
    "paint": Stage("redactor.masking:paint"),
    "encode": Stage("redactor.masking:encode"),
    "prove": Stage("redactor.proof:prove"),
    "page half-written": Stage("os:fsync"),
    "thumbnail": Stage("redactor.thumbnail:thumbnail"),
    "thumbnail half-written": Stage("os:fsync", "2"),
    "second page of a file": Stage("redactor.masking:encode", "2"),
    "record": parent("redactor.vault:Vault.keep"),
    "second record half-written": parent("os:fsync", "3"),
    "assemble": parent("redactor.assembly:assemble"),
    "first move": parent("redactor.assembly:_move"),
    "third move": parent("redactor.assembly:_move", "3"),
    "second dossier": parent("redactor.assembly:assemble", "2"),
    "manifest": parent("redactor.assembly:write_manifest"),
    "times": parent("os:utime", "3"),
    "report.json": parent("redactor.report:write_json"),
    "report.html": parent("redactor.report:write_html"),
    "key": parent("redactor.report:write_key"),
    "recall": parent("redactor.assembly:recall"),
    "recall half done": parent("shutil:rmtree", "2"),
}
"""In the order of a run. Nothing but this table and a Stage names functions of the program."""
RESUMING = ("recall", "recall half done")
"""Stages that only a resumed run reaches."""
QUICK = (
    "encode",
    "page half-written",
    "thumbnail half-written",
    "second record half-written",
    "third move",
    "times",
    "key",
    "recall half done",
)
ALL = "MANGPING_ALL_CRASHES" in os.environ


@dataclass(frozen=True)
class Place:
    """The scans, their roster, and a folder for the results of one run after another."""

    scans: Path
    roster: Path
    out: Path

    @property
    def blind(self) -> Path:
        return self.out / "blind"

    @property
    def vault(self) -> Path:
        return self.out / "vault"

    def run(self, stage: Stage | None = None, *more: str, jobs: str = "1") -> tuple[int, str]:
        """(exit code, stderr) of a run that dies at a stage, if any; no worker outlives it."""
        self.out.mkdir(exist_ok=True)
        count = self.out / "count"
        pids = self.out / "count.pids"
        for path in (count, pids):
            path.unlink(missing_ok=True)
        temporary = self.out / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "MANGPING_LANG": "en",
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(HOOK),
        }
        if stage:
            environment |= {
                "CRASH_AT": stage.function,
                "CRASH_NTH": stage.nth,
                "CRASH_ROLE": stage.role,
                "CRASH_HOW": stage.how,
                "CRASH_COUNT": str(count),
            }
        # Into files: a worker that outlives its parent would keep a pipe open for ever.
        with (self.out / "stdout").open("wb") as out, (self.out / "stderr").open("wb") as err:
            process = subprocess.Popen(
                command(self.scans, self.roster, self.out, "--jobs", jobs, *more),
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=err,
            )
            code = process.wait(timeout=240)
        if pids.exists():
            for pid in pids.read_text().split():
                end(int(pid))
        if stage:
            reached = count.stat().st_size if count.exists() else 0
            assert reached >= int(stage.nth.rstrip("+")), f"{stage.function} was never called"
        return code, (self.out / "stderr").read_text("utf-8")

    def dies(self, stage: Stage, *more: str) -> None:
        """Runs until the stage kills it."""
        code, stderr = self.run(stage, *more)
        assert code == -signal.SIGKILL, stderr
        assert "Traceback" not in stderr


def end(pid: int) -> None:
    """Ends a worker of ours; one that is being reaped or is gone is no matter."""
    try:
        process = psutil.Process(pid)
        if any("spawn_main" in part for part in process.cmdline()):
            process.kill()
    except psutil.Error:
        pass


Pages = dict[tuple[int, str], bytes]


def pages_of(place: Place) -> Pages:
    """(applicant, page's file name) -> its bytes; every file in BLIND must be such a page."""
    codes = {}
    if (place.vault / "codes.json").exists():
        codes = json.loads((place.vault / "codes.json").read_text("utf-8"))
    owners = {code: int(applicant) for applicant, code in codes.items()}
    return {
        (owners[path.parent.name], path.name): path.read_bytes()
        for path in place.blind.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def assert_nothing_unproven(place: Place, undisturbed: Pages, when: str) -> None:
    """Each file in BLIND is a page of the undisturbed run; a manifest is there only if it is true.

    File times apart: they are set last, and tell only when the run died.
    """
    for page, data in pages_of(place).items():
        assert undisturbed.get(page) == data, f"{when}: {page} is another page"
    if (place.blind / "manifest.json").exists():
        problems = [p for p in inspect(place.blind).problems if "another time" not in p.sentence.en]
        assert problems == [], when


def assert_finished(place: Place, undisturbed: Pages, *more: str) -> None:
    """--resume ends with the same pages, a folder that proves, and all reports."""
    code, stderr = place.run(None, "--resume", *more)
    assert code == 0, stderr
    assert pages_of(place) == undisturbed
    assert inspect(place.blind).ok
    assert {"key.xlsx", "report.json", "report.html"} <= {p.name for p in place.vault.iterdir()}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two applicants: a TIFF of two pages and a JPEG; a JPEG."""
    folder = tmp_path_factory.mktemp("in")
    (first, one), (second, two) = ((f"0{p[0]}{p[1]}", p[1]) for p in PEOPLE[:2])
    save(page_about(one, 1), folder / "scans" / first / f"{one}-获奖.jpg")
    sheets = [page_about(one, number).image for number in (2, 3)]
    sheets[0].save(
        folder / "scans" / first / f"{one}-论文.tif",
        save_all=True,
        append_images=sheets[1:],
        dpi=(120, 120),
    )
    save(page_about(two, 4), folder / "scans" / second / f"{two}-学历.jpg")
    return folder / "scans", write_roster(folder / "花名册.csv", PEOPLE[:2])


@pytest.fixture(scope="module")
def whole(scans: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The undisturbed run; its reading cache warms the others."""
    place = Place(*scans, tmp_path_factory.mktemp("whole"))
    code, stderr = place.run()
    assert code == 0, stderr
    assert inspect(place.blind).ok
    return place


@pytest.fixture(scope="module")
def undisturbed(whole: Place) -> Pages:
    pages = pages_of(whole)
    assert sorted(pages) == [(1, "001.jpg"), (1, "002.jpg"), (1, "003.jpg"), (2, "001.jpg")]
    return pages


@pytest.fixture
def place(whole: Place, tmp_path: Path) -> Place:
    """A vault with nothing in it but readings."""
    made = Place(whole.scans, whole.roster, tmp_path / "out")
    made.vault.mkdir(mode=0o700, parents=True)
    shutil.copytree(whole.vault / "cache", made.vault / "cache")
    return made


def test_killed_at_one_stage_after_the_other(place: Place, undisturbed: Pages) -> None:
    """Each run resumes what the one before left, and dies one stage later."""
    more: tuple[str, ...] = ()
    for name in STAGES if ALL else QUICK:
        place.dies(STAGES[name], *more)
        assert_nothing_unproven(place, undisturbed, name)
        more = ("--resume",)
    assert_finished(place, undisturbed)


@pytest.mark.skipif(not ALL, reason="set MANGPING_ALL_CRASHES=1")
@pytest.mark.parametrize("name", list(STAGES))
def test_killed_at_one_stage(place: Place, undisturbed: Pages, name: str) -> None:
    if name in RESUMING:
        assert place.run()[0] == 0
    place.dies(STAGES[name], *(("--resume",) if name in RESUMING else ()))
    assert_nothing_unproven(place, undisturbed, name)
    assert_finished(place, undisturbed)


def test_a_page_that_is_half_moved_is_not_in_blind(place: Place, undisturbed: Pages) -> None:
    """Written as a whole, codes and three records come first; the second move is the sixth."""
    place.dies(parent("os:fsync", "6"))
    assert len(pages_of(place)) == 1
    assert_nothing_unproven(place, undisturbed, "half moved")


def test_a_worker_killed_for_memory_costs_nothing(place: Place, undisturbed: Pages) -> None:
    """The pool breaks once, in the middle of writing a file; the run goes on by itself."""
    code, stderr = place.run(Stage("os:fsync", "2", how="self"))
    assert code == 0, stderr
    assert pages_of(place) == undisturbed
    assert inspect(place.blind).ok


def test_files_that_kill_every_worker_are_left_out_and_done_later(
    place: Place, undisturbed: Pages
) -> None:
    code, stderr = place.run(Stage("redactor.masking:encode", "1+", how="self"))
    assert code == 3, stderr
    assert "--resume" in stderr
    assert pages_of(place) == {}
    assert inspect(place.blind).ok
    assert_finished(place, undisturbed)


def test_a_disk_that_is_full_at_any_write(place: Place, undisturbed: Pages) -> None:
    """In a worker or in the parent, at the first write or at later ones; it stays full."""
    more: tuple[str, ...] = ()
    every = (("worker", "1+"), ("worker", "4+"), ("parent", "3+"), ("parent", "7+"))
    for role, nth in every if ALL else every[1:3]:
        code, stderr = place.run(Stage("os:fsync", nth, role, "full"), *more)
        assert code == 3, (role, nth, stderr)
        assert "Free some disk space" in stderr
        assert "--resume" in stderr
        assert "Traceback" not in stderr
        assert_nothing_unproven(place, undisturbed, f"{role} {nth}")
        assert not [p for p in place.out.rglob("*") if p.name.endswith(".part")]
        more = ("--resume",)
    assert_finished(place, undisturbed)


def test_what_an_earlier_run_finished_is_not_done_again(place: Place) -> None:
    place.dies(parent("redactor.assembly:assemble"))
    before = {p.name: p.stat().st_mtime_ns for p in (place.vault / "records").iterdir()}
    assert len(before) == 3
    assert place.run(None, "--resume")[0] == 0
    assert {p.name: p.stat().st_mtime_ns for p in (place.vault / "records").iterdir()} == before
    assert list((place.vault / "staging").iterdir()) == []


def test_no_scan_of_a_killed_run_is_left_outside_the_vault(place: Place, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "scans"), "zip", place.scans)
    replace(place, scans=Path(packed)).dies(Stage("redactor.masking:encode"))
    left = [p for p in (place.out / "tmp").rglob("*") if p.suffix in (".jpg", ".tif")]
    assert left == []


def test_no_scan_is_left_in_the_system_s_temporary_folder(whole: Place) -> None:
    """What paddle keeps there knows no page."""
    left = [path for path in (whole.out / "tmp").rglob("*") if path.is_file()]
    assert [path for path in left if path.suffix not in ("", ".json", ".lock")] == []
    for path in left:
        data = path.read_bytes()
        assert not any(person[1].encode() in data for person in PEOPLE)


def test_no_worker_outlives_its_parent(place: Place) -> None:
    """An orphan would go on writing into the vault, beside the workers of the resumed run."""
    count = place.out / "count"
    environment = {
        **os.environ,
        "PYTHONPATH": str(HOOK),
        "CRASH_AT": "redactor.vault:Vault.keep",
        "CRASH_NTH": "1",
        "CRASH_ROLE": "parent",
        "CRASH_HOW": "self",
        "CRASH_COUNT": str(count),
    }
    process = subprocess.Popen(
        command(place.scans, place.roster, place.out, "--jobs", "1"),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(timeout=240) == -signal.SIGKILL
    (pid,) = map(int, (place.out / "count.pids").read_text().split())
    try:
        for _ in range(100):
            if not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie":
                return
            time.sleep(0.05)
        pytest.fail("the worker lives on")
    finally:
        end(pid)

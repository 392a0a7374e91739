"""How a measurement is run: which seeds it takes, what it counts as a false mask, what it keeps."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.recall import (
    ROOT,
    Settings,
    committed_seed,
    false_masks,
    judged_page,
    measured,
    measured_seed,
    pages_of,
)
from benchmarks.verdicts import load, save
from redactor import model_files
from redactor.loading import load_page
from sample_scans.canvas import box
from sample_scans.generate import generate
from sample_scans.truth import Face, Item, PageTruth, load_truth
from tests.benchmarks.measurements import item, measurement


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of one applicant with one page."""
    out = tmp_path_factory.mktemp("small")
    generate(out, seed=7, applicants=1, files=1, debian=False)
    return out


def test_the_committed_seed_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks.recall", "--seeds", "2"]
    command += ["--first-seed", str(committed_seed() - 1)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is the committed set" in done.stderr


@pytest.mark.parametrize("benchmark", ["peers --env E --seeds 1", "recall", "speed"])
def test_nothing_is_measured_without_model_files(
    benchmark: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(model_files, "weights", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", benchmark.split())
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.{sys.argv[0]}").main()
    assert ended.value.code == 2
    assert "run.py setup" in capsys.readouterr().out


def test_nothing_is_measured_where_every_page_failed(tmp_path: Path) -> None:
    page = {"source": "a.jpg", "source_page": 0, "state": "failed", "reason": "no memory"}
    (tmp_path / "vault").mkdir()
    report = tmp_path / "vault" / "report.json"
    report.write_text(json.dumps({"pages": [page]}), encoding="utf-8")
    with pytest.raises(SystemExit, match="no memory"):
        pages_of(tmp_path)
    masked = page | {"source_page": 1, "state": "clean"}
    report.write_text(json.dumps({"pages": [page, masked]}), encoding="utf-8")
    assert len(pages_of(tmp_path)) == 2


def test_a_seed_that_was_judged_is_not_run_again(tmp_path: Path) -> None:
    kept = measurement((item(),))
    save(kept, tmp_path / "seed-9.json")
    assert measured_seed(9, tmp_path, Settings()) == kept


def test_masks_on_nothing_planted_are_false() -> None:
    face = Face(((60.0, 60.0), (90.0, 60.0)), 30.0, box(40, 30, 110, 130), 1)
    page = PageTruth("a", 0, 1, "drawn", (600, 600), 0, 150, (), (
        Item("seal", "中学", "round", 1, False, (box(310, 310, 330, 330),), box(300, 300, 400, 400)),  # noqa: E501
        Item("name", "张岚", "handwritten", 1, True, (box(200, 20, 260, 50),)),
    ), (), (face,))  # fmt: skip
    # The output is the page turned by 180 degrees.
    turned = np.array([[-1.0, 0, 600], [0, -1, 600], [0, 0, 1]])

    def mask(kind: str, x: float, y: float) -> dict[str, object]:
        return {"kind": kind, "quad": [[600 - x, 600 - y], [590 - x, 600 - y],
                                       [590 - x, 590 - y], [600 - x, 590 - y]]}  # fmt: skip

    found = false_masks(page, [
        mask("eyes", 60, 60), mask("seal", 350, 350), mask("eyes", 500, 500), mask("code", 230, 30),
        mask("signature", 230, 30), mask("signature", 500, 100), mask("name", 500, 500),
        mask("seal", 405, 405),
    ], turned)  # fmt: skip
    assert found == {"eyes": 1, "code": 1, "signature": 1, "seal": 1}


def test_a_page_that_is_in_no_report_leaks_nothing_and_counts_as_failed(small: Path) -> None:
    result = measured(small, small, {}, Settings())
    assert {p.state for p in result.pages} == {"failed"}
    assert {(i.outcome, i.masked) for i in result.items} == {("held", "")}


def test_a_held_page_is_held_though_its_picture_is_judged(small: Path, tmp_path: Path) -> None:
    truth = load_truth(small / "truth.json.gz")
    (page,) = truth.pages
    source = load_page(small / "scans" / page.source, 0).pixels
    (tmp_path / "vault" / "review").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "vault" / "review" / "1.png"), source)
    entry = {"output": None, "held": "review/1.png", "state": "review", "reason": "a hit",
             "source_to_output": np.eye(3).tolist(), "masks": []}  # fmt: skip
    verdict, judged = judged_page(truth, page, source, entry, tmp_path)
    assert verdict.state == "review"
    assert {(i.outcome, i.masked) for i in judged.items} == {("held", "leaked")}


def test_controls_are_counted_and_the_file_is_read_back(small: Path, tmp_path: Path) -> None:
    result = measured(small, small, {}, Settings())
    assert result.counts["nothing_of"] == len(result.items) > 3
    assert result.counts["nothing_hidden"] == 0
    assert result.counts["black_visible"] == 0
    save(result, tmp_path / "v.json")
    assert load(tmp_path / "v.json") == result

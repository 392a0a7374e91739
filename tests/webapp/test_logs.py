"""Logs tell what was done and what broke, and name nobody; planted words are sought in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.webapp.planted_work import WORDS
from webapp import logs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, object]], str]:
    """(all that a process of planted work wrote, the lines of its log, what must be hidden)."""
    folder = tmp_path_factory.mktemp("planted")
    done = subprocess.run(
        [sys.executable, "-m", "tests.webapp.planted_work", str(folder / "data")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )
    written = sorted((folder / "data" / "logs").iterdir())
    text = "".join([done.stdout, done.stderr, *(path.read_text("utf-8") for path in written)])
    assert (done.returncode, (folder / "said.json").exists()) == (1, True), text
    lines = [json.loads(line) for path in written for line in path.read_text("utf-8").splitlines()]
    return text, lines, (folder / "said.json").read_text("utf-8")


def test_nothing_that_is_written_names_anybody(
    told: tuple[str, list[dict[str, object]], str],
) -> None:
    text, lines, said = told
    spoken = json.loads(said)
    for form in (text, unquote(text), json.dumps(lines, ensure_ascii=False)):
        for word in (*WORDS, *spoken.values()):
            assert word not in form, word


def test_everything_is_a_line_of_json(told: tuple[str, list[dict[str, object]], str]) -> None:
    text, lines, _ = told
    # What this test's own process prints when it starts is no log; a traceback would be none.
    assert "Traceback" not in text
    assert all({"at", "level", "part", "event"} <= line.keys() for line in lines)


def test_what_was_done_and_what_broke_can_be_read(
    told: tuple[str, list[dict[str, object]], str],
) -> None:
    _, lines, _ = told
    by_event: dict[object, list[dict[str, object]]] = {}
    for line in lines:
        by_event.setdefault(line["event"], []).append(line)
    asked = {(line["method"], line["route"], line["status"]) for line in by_event["request"]}
    assert ("POST", "/rounds/<int:round_id>/roster/confirm", 303) in asked or (
        "POST", "/rounds/<int:round_id>/roster/confirm", 302) in asked  # fmt: skip
    assert ("PUT", "/d/<code>/sheet", 200) in asked
    assert ("GET", "-", 404) in asked
    assert ("GET", "/d/<code>/pages.json", 200) not in asked  # asked every few seconds
    roles = {line["role"] for line in by_event["request"]}
    assert roles == {"", "admin", "reviewer"}
    (job,) = [one for one in by_event["job"] if (one["kind"], one["state"]) == ("redact", "done")]
    assert job["pages"] == 1
    (worker,) = [one for one in by_event["job"] if one["state"] == "broken"]
    assert worker["error"] == "KeyError < ValueError"
    assert "planted_work.py" in str(worker["places"])
    broken = by_event["broken"]
    assert {"KeyError < ValueError", "OSError"} <= {str(line["error"]) for line in broken}
    uncaught = {str(line["error"]) for line in by_event["uncaught"]}
    assert uncaught == {"KeyError < ValueError", "ValueError"}  # a thread's, and one in __del__
    assert {line["log"] for line in by_event["library"]} >= {"some.library"}
    assert [line["error"] for line in by_event["died"]] == ["RuntimeError"]


def test_a_field_that_nobody_thought_of_is_dropped() -> None:
    fields = logs._only_known(None, "", {"event": "x", "name": "李", "route": "/李", "ms": 1.5})
    assert fields == {"event": "x", "route": "?", "ms": 1.5}


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not logs._can_write(tmp_path / "file" / "logs")

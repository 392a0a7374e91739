"""docs/SECURITY.md promises nothing that no test proves: every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "SECURITY.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
ADVERSARIES = ("评委", "申报人", "工作人员", "tablet", "LAN", "administrator", "malicious scan")


def named_in(path: Path) -> set[str]:
    """Names of the test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def unknown(text: str) -> list[str]:
    """What a text names as a test and is none."""
    found = []
    for file, name in NAMED.findall(text):
        path = TESTS / file
        if not name.startswith("test_") or not path.is_file() or name not in named_in(path):
            found.append(f"{file}::{name}")
    return found


def sections(text: str) -> dict[str, str]:
    """Heading -> what stands below it."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_test_that_is_named_exists() -> None:
    assert unknown(DOCUMENT.read_text("utf-8")) == []


def test_a_name_of_no_test_is_found() -> None:
    wrong = "`webapp/test_access.py::test_nothing_of_the_kind`", "`gone.py::test_x`"
    assert len(unknown(" ".join(wrong))) == 2


def test_each_promise_names_its_proof_and_each_adversary_what_is_not_promised() -> None:
    found = [body for heading, body in sections(DOCUMENT.read_text("utf-8")).items()
             if heading[0].isdigit()]  # fmt: skip
    headings = [h for h in sections(DOCUMENT.read_text("utf-8")) if h[0].isdigit()]
    assert len(headings) == len(ADVERSARIES)
    for heading, adversary, body in zip(headings, ADVERSARIES, found, strict=True):
        assert adversary in heading
        assert "\nHolds: " in body and "\nWants: " in body and "\nNot promised: " in body
        rows = [line for line in body.splitlines() if line.startswith("| ")][1:]
        assert len(rows) >= 5, heading
        for row in rows:
            assert NAMED.search(row), row

"""The commands as a person calls them: exit codes, files, and nothing written on bad input."""

import json

import openpyxl
import pypdfium2
import pytest
from typer.testing import CliRunner

from scoring.cli import app
from scoring.policy_files import shipped_names
from tests.scoring.rounds import candidate, document

RUN = CliRunner()
OFFICE = """
extends = "science_bazhou_2024"
[defence]
mode = "scored"
max = "30"
[[criterion]]
id = "work"
name = "业绩"
max = "40"
step = "0.5"
[[criterion]]
id = "papers"
name = "论文"
max = "30"
step = "0.5"
[decision]
rule = "score"
pass_score = "60"
"""


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("MANGPING_LANG", "en")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "office.toml").write_text(OFFICE, encoding="utf-8")
    doc = document(
        [candidate("A"), candidate("X", "exempt"), candidate("Y", "exempt", specialty="水利")],
        {"A": ["26.5", "24"]},
    )
    (tmp_path / "round.json").write_text(json.dumps(doc), encoding="utf-8")
    return tmp_path


def run(folder, *more, source="round.json"):
    words = ["tally", str(folder / source), "--policy", str(folder / "office.toml")]
    return RUN.invoke(app, [*words, "--out", str(folder / "r.xlsx"), *more])


def outputs(folder):
    return {"--json": str(folder / "r.json"), "--pdf": str(folder / "m.pdf")}


def test_tally_writes_all_three_and_verify_agrees(folder):
    done = run(folder, *(word for pair in outputs(folder).items() for word in pair))
    assert done.exit_code == 0, done.output
    assert "1 undetermined: Y" in done.output
    given = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    checked = RUN.invoke(app, ["verify-tally", str(folder / "r.json")])
    assert checked.exit_code == 0
    assert given["sha256"] in checked.output
    cells = openpyxl.load_workbook(folder / "r.xlsx")["校验"]
    assert cells["B1"].value == given["sha256"]
    pages = pypdfium2.PdfDocument(folder / "m.pdf")
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    for words in (given["sha256"], "会议纪要", "主任委员", "监票人", "待裁定", "(25.25) / 1"):
        assert words in text.replace("\r\n", ""), words


def test_verify_refuses_a_changed_digit_and_the_wrong_hash(folder):
    run(folder, "--json", str(folder / "r.json"))
    path = folder / "r.json"
    text = path.read_text(encoding="utf-8")
    wrong = RUN.invoke(app, ["verify-tally", str(path), "--expect", "0" * 64])
    assert wrong.exit_code == 1
    right = RUN.invoke(app, ["verify-tally", str(path), "--expect", json.loads(text)["sha256"]])
    assert right.exit_code == 0
    assert text.count('"25.25"') == 2
    path.write_text(text.replace('"25.25"', '"25.26"', 1), encoding="utf-8")
    changed = RUN.invoke(app, ["verify-tally", str(path)])
    assert changed.exit_code == 1
    assert "candidates[0].defence.points.rounded" in changed.output


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"input": {}, "policy": {}}'])
def test_verify_of_something_else_is_bad_input(folder, text):
    (folder / "r.json").write_text(text, encoding="utf-8")
    assert RUN.invoke(app, ["verify-tally", str(folder / "r.json")]).exit_code == 2
    assert RUN.invoke(app, ["verify-tally", str(folder / "none.json")]).exit_code == 2


def test_bad_input_writes_nothing_and_leaves_old_results_alone(folder):
    (folder / "r.xlsx").write_bytes(b"old")
    doc = json.loads((folder / "round.json").read_text(encoding="utf-8"))
    doc["sheets"][0]["scores"]["work"] = "41"
    doc["sheets"][1]["code"] = "Z"
    (folder / "round.json").write_text(json.dumps(doc), encoding="utf-8")
    before = sorted(path.name for path in folder.iterdir())
    done = run(folder, *(word for pair in outputs(folder).items() for word in pair))
    assert done.exit_code == 2
    assert "sheets[0].scores.work" in done.output
    assert "sheets[1].code" in done.output
    assert "2 problems; nothing was written" in done.output
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / "r.xlsx").read_bytes() == b"old"


@pytest.mark.parametrize("option", ["--json", "--pdf", "--out"])
def test_an_output_that_cannot_be_written_leaves_no_other(folder, option):
    done = run(folder, option, str(folder / "missing" / "r.out"))
    assert done.exit_code == 2
    assert "missing" in done.output
    assert sorted(path.name for path in folder.iterdir()) == ["office.toml", "round.json"]


def test_a_notice_alone_names_what_it_lacks(folder):
    words = ["tally", str(folder / "round.json"), "--policy", "science_bazhou_2024"]
    done = RUN.invoke(app, [*words, "--out", str(folder / "r.xlsx")])
    assert done.exit_code == 2
    for key in ("lacks criterion", "lacks decision.rule", "lacks defence.mode"):
        assert key in done.output
    assert not (folder / "r.xlsx").exists()


def test_output_over_the_input_is_refused(folder):
    done = run(folder, "--json", str(folder / "round.json"))
    assert done.exit_code == 2


def test_template_is_written_once_and_reads_as_an_empty_round(folder):
    words = ["tally", str(folder / "t.xlsx"), "--policy", str(folder / "office.toml")]
    assert RUN.invoke(app, [*words, "--template"]).exit_code == 0
    assert RUN.invoke(app, [*words, "--template"]).exit_code == 2
    empty = RUN.invoke(app, [*words, "--out", str(folder / "r.xlsx")])
    assert empty.exit_code == 2
    assert "no candidates" in empty.output


def test_policies_lists_all_and_explains_one():
    listed = RUN.invoke(app, ["policies"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in shipped_names())
    one = RUN.invoke(app, ["policies", "forestry_bazhou_2021"])
    assert "defence.substitution.clause" in one.output
    assert RUN.invoke(app, ["policies", "nothing"]).exit_code == 2


def test_messages_come_in_chinese_too(folder, monkeypatch):
    monkeypatch.setenv("MANGPING_LANG", "zh")
    done = RUN.invoke(app, ["policies", "nothing"])
    assert "找不到政策" in done.output


def second(folder, **more):
    """Tally a first version, then a corrected second one against it."""
    run(folder, "--json", str(folder / "r.json"))
    first = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    doc = json.loads((folder / "round.json").read_text(encoding="utf-8"))
    doc["defence_scores"][0]["score"] = "28.5"
    change = {
        "item": "J1 A",
        "old": "26.5",
        "new": "28.5",
        "reason": "录入错误",
        "by": ["甲", "乙"],
    }
    doc |= {"version": 2, "replaces": first["sha256"], "corrections": [change], **more}
    (folder / "second.json").write_text(json.dumps(doc), encoding="utf-8")
    words = ["tally", str(folder / "second.json"), "--policy", str(folder / "office.toml")]
    words += ["--out", str(folder / "r2.xlsx"), "--previous", str(folder / "r.json")]
    return RUN.invoke(app, words)


def test_a_re_tally_reports_every_difference_and_keeps_the_old_tally(folder):
    done = second(folder)
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if " -> " in line]
    assert lines == [
        "A defence: own 25.25 (101/4) -> own 26.25 (105/4)",
        "A total: 75.25 (301/4) -> 76.25 (305/4)",
        "X defence: substituted 25.25 (101/4) -> substituted 26.25 (105/4)",
        "X total: 75.25 (301/4) -> 76.25 (305/4)",
    ]
    assert RUN.invoke(app, ["verify-tally", str(folder / "r.json")]).exit_code == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"version": 3}, "version must be 2"),
        ({"replaces": "0" * 64}, "replaces must be"),
        ({"corrections": []}, "must hold its corrections"),
    ],
)
def test_a_re_tally_that_does_not_follow_is_refused(folder, more, words):
    done = second(folder, **more)
    assert done.exit_code == 2
    assert words in done.output
    assert not (folder / "r2.xlsx").exists()


def test_a_changed_previous_tally_is_refused(folder):
    second(folder)
    text = (folder / "r.json").read_text(encoding="utf-8")
    (folder / "r.json").write_text(text.replace('"26.5"', '"26"'), encoding="utf-8")
    words = ["tally", str(folder / "second.json"), "--policy", str(folder / "office.toml")]
    words += ["--out", str(folder / "r3.xlsx"), "--previous", str(folder / "r.json")]
    done = RUN.invoke(app, words)
    assert done.exit_code == 2
    assert "was changed" in done.output

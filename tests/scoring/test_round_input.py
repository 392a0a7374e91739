"""Bad rounds: all problems at once, each with sheet, row, column and remedy; good ones read."""

import json
from pathlib import Path

import openpyxl
import pytest

from scoring.errors import InputError
from scoring.round_json import (
    read_round_json,
    round_document,
    round_from_document,
    strict_json,
)
from scoring.round_template import write_round_workbook
from scoring.round_xlsx import number_text, read_round_xlsx
from tests.scoring.rounds import candidate, document, policy, ruling, sheet


def good():
    return document(
        [
            candidate("A"),
            candidate("B", "exempt"),
            candidate("W", "waived", ground="junior"),
            candidate("D", disqualified=True),
        ],
        {"A": ["20", "21.5"], "W": ["19"]},
        sheets=[
            *(sheet(f"R{n}", c, "30.5", "20") for n in (1, 2, 3) for c in "ABWD"),
            sheet("R4", "A", excluded=True, reason="中途退场"),
        ],
        committee={"members": 11, "present": 9, "attendance": [], "chair": "主任甲"},
        recusals=[{"reviewer": "R3", "code": "A"}, {"reviewer": "R9", "code": "B"}],
        ballots={"A": {"yes": 6, "no": 1, "abstain": 1, "spoiled": 0}},
        rulings=[ruling("D", "tie_order", "2")],
        version=2,
        replaces="ab" * 32,
        corrections=[
            {"item": "R1", "old": "3", "new": "30", "reason": "录入错误", "by": ["甲", "乙"]}
        ],
    )


def problems(doc, rules=None):
    with pytest.raises(InputError) as caught:
        round_from_document(doc, rules or policy())
    return {p.place.en: p.what for p in caught.value.problems}


BREAKS = {
    "missing criterion": (
        lambda d: d["sheets"][0]["scores"].pop("work"),
        "sheets[0].scores.work",
        "not 0",
    ),
    "over the maximum": (
        lambda d: d["sheets"][0]["scores"].update(work="40.5"),
        "sheets[0].scores.work",
        "maximum 40",
    ),
    "off its step": (
        lambda d: d["sheets"][0]["scores"].update(work="30.3"),
        "sheets[0].scores.work",
        "step 0.5",
    ),
    "text for a number": (
        lambda d: d["sheets"][0]["scores"].update(work="良好"),
        "sheets[0].scores.work",
        "plain decimal",
    ),
    "negative score": (
        lambda d: d["sheets"][0]["scores"].update(work="-1"),
        "sheets[0].scores.work",
        "plain decimal",
    ),
    "number instead of a decimal string": (
        lambda d: d["sheets"][0]["scores"].update(work=30),
        "sheets[0].scores.work",
        "in quotes",
    ),
    "unknown criterion": (
        lambda d: d["sheets"][0]["scores"].update(style="1"),
        "sheets[0].scores.style",
        "no criterion",
    ),
    "unknown code": (lambda d: d["sheets"][0].update(code="Z"), "sheets[0].code", "Z"),
    "duplicate sheet": (
        lambda d: d["sheets"].append(dict(d["sheets"][0])),
        "sheets[13].code",
        "Duplicate",
    ),
    "duplicate candidate": (
        lambda d: d["candidates"].append(dict(d["candidates"][1])),
        "candidates[4].code",
        "Duplicate",
    ),
    "unknown status": (
        lambda d: d["candidates"][3].update(defence="maybe"),
        "candidates[3].defence",
        "attended",
    ),
    "exempt without a ground": (
        lambda d: d["candidates"][1].update(ground=None),
        "candidates[1].ground",
        "missing",
    ),
    "attended without a score": (
        lambda d: d["defence_scores"].pop(),
        "candidates[2].defence",
        "absent",
    ),
    "defence score over the maximum": (
        lambda d: d["defence_scores"][0].update(score="265"),
        "defence_scores[0].score",
        "maximum 30",
    ),
    "yes votes above those present": (
        lambda d: d["ballots"]["A"].update(yes=10),
        "ballots.A.yes",
        "12 ballots (10 yes)",
    ),
    "fraction of a vote": (
        lambda d: d["ballots"]["A"].update(yes="6"),
        "ballots.A.yes",
        "whole number",
    ),
    "more present than members": (
        lambda d: d["committee"].update(present=12),
        "committee.present",
        "12 present",
    ),
    "ballots without a committee": (
        lambda d: d.update(committee=None),
        "ballots.A.yes",
        "no committee",
    ),
    "exclusion without a reason": (
        lambda d: d["sheets"][12].update(reason=" "),
        "sheets[12].reason",
        "missing",
    ),
    "ruling without a reason": (
        lambda d: d["rulings"][0].update(reason=""),
        "rulings[0].reason",
        "missing",
    ),
    "unknown subject": (
        lambda d: d["rulings"][0].update(subject="total"),
        "rulings[0].subject",
        "defence_points",
    ),
    "misspelt key": (
        lambda d: d["candidates"][0].update(disqualifed=True),
        "candidates[0].disqualifed",
        "Unknown key",
    ),
    "no year": (lambda d: d.pop("year"), "year", "missing"),
}


def test_a_good_round_reads():
    assert len(round_from_document(good(), policy()).sheets) == 13


@pytest.mark.parametrize("name", BREAKS)
def test_each_mistake_is_found_at_its_place_with_a_remedy(name):
    doc = good()
    spoil, place, words = BREAKS[name]
    spoil(doc)
    found = problems(doc)
    assert list(found) == [place]
    assert words in found[place].en
    assert any("一" <= letter <= "鿿" for letter in found[place].zh)


def test_many_mistakes_are_reported_at_once():
    doc = good()
    names = ["missing criterion", "unknown status", "yes votes above those present", "no year"]
    for name in names:
        BREAKS[name][0](doc)
    assert set(problems(doc)) == {BREAKS[name][1] for name in names}


def test_a_policy_that_lacks_something_is_reported_with_the_rest():
    doc = good()
    BREAKS["unknown status"][0](doc)
    found = problems(doc, policy(decision={"pass_score": None}))
    texts = [what.en for what in found.values()]
    assert any('pass_score = "60"' in text for text in texts)
    assert "candidates[3].defence" in found


@pytest.mark.parametrize(
    ("rules", "key", "example"),
    [
        (policy(decision={"rule": None}), "decision.rule", "[decision]"),
        (policy(decision={"pass_score": None}), "decision.pass_score", "pass_score ="),
        (policy(decision={"rule": "rank"}), "decision.quota", "quota ="),
        (policy(defence={"mode": None}), "defence.mode", "mode ="),
        (policy(defence={"max": None}), "defence.max", "max ="),
        (policy(defence={"veto": True}), "defence.pass_score", "pass_score ="),
        (policy(criterion=[]), "criterion", "[[criterion]]"),
        (policy(aggregate={"method": "trimmed"}), "aggregate.per", "per ="),
    ],
)
def test_what_the_arithmetic_needs_is_named_with_place_and_example(rules, key, example):
    with pytest.raises(InputError) as caught:
        round_from_document(good(), rules)
    sentences = [p.what for p in caught.value.problems if f"lacks {key}:" in p.what.en]
    assert len(sentences) == 1
    assert example in sentences[0].en
    assert example in sentences[0].zh
    assert 'extends = "test"' in sentences[0].zh


@pytest.mark.parametrize("text", ["", "[]", '{"year": 2024', '{"a": 1, "a": 2}', '{"a": 1.5}'])
def test_json_that_is_no_round_is_refused(text, tmp_path):
    path = tmp_path / "round.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_round_json(path, policy())


def test_strict_json_names_the_doubled_key():
    with pytest.raises(InputError, match="twice"):
        strict_json('{"twice": 1, "twice": 1}')


def saved(tmp_path: Path, spoil=None) -> Path:
    path = tmp_path / "round.xlsx"
    write_round_workbook(path, policy(), round_from_document(good(), policy()))
    if spoil:
        book = openpyxl.load_workbook(path)
        spoil(book)
        book.save(path)
    return path


def test_workbook_and_json_give_the_same_round(tmp_path):
    read = read_round_xlsx(saved(tmp_path), policy())
    assert round_document(read) == round_document(round_from_document(good(), policy()))


def test_numbers_in_number_cells_are_what_was_typed(tmp_path):
    def spoil(book):
        book["评分"]["E2"] = 31.5
        book["评分"]["F2"] = 12

    read = read_round_xlsx(saved(tmp_path, spoil), policy())
    assert {k: str(v) for k, v in read.sheets[0].scores.items()} == {"work": "63/2", "papers": "12"}
    assert (number_text(26.5), number_text(12.0), number_text(1e3)) == ("26.5", "12", "1000")


def test_title_rows_empty_rows_and_remarks_are_skipped(tmp_path):
    def spoil(book):
        for name in ("候选人", "评分"):
            book[name].insert_rows(1)
            book[name]["A1"] = "某某评委会（盖章）"
            book[name].insert_rows(4)
        book["候选人"]["H2"] = "备注"
        book["候选人"]["H3"] = "无"

    read = read_round_xlsx(saved(tmp_path, spoil), policy())
    assert round_document(read) == round_document(round_from_document(good(), policy()))


def test_every_bad_cell_is_reported_with_sheet_row_column_and_remedy(tmp_path):
    def spoil(book):
        book["评分"]["E2"] = "缺考"
        book["评分"]["F3"] = 30.5
        book["评分"]["B4"] = "ZZ"
        book["评分"]["E5"] = None
        book["评分"]["E6"] = 0.1 + 0.2
        book["候选人"]["D3"] = "免了"
        book["投票"]["B2"] = 12
        book["裁定"]["D2"] = None

    with pytest.raises(InputError) as caught:
        read_round_xlsx(saved(tmp_path, spoil), policy())
    places = {p.place.en for p in caught.value.problems}
    assert places == {
        "sheet '评分', row 2, column E (业绩)",
        "sheet '评分', row 3, column F (论文)",
        "sheet '评分', row 4, column B (编码)",
        "sheet '评分', row 5, column E (业绩)",
        "sheet '评分', row 6, column E (业绩)",
        "sheet '候选人', row 3, column D (答辩情况)",
        "sheet '投票', row 2, column B (同意)",
        "sheet '裁定', row 2, column D (理由)",
    }
    assert all("第" in p.place.zh and p.what.zh.rstrip("。") for p in caught.value.problems)


def test_missing_sheet_headings_and_doubled_headings_are_reported(tmp_path):
    def spoil(book):
        del book["投票"]
        book["评分"]["D1"] = "状态"
        book["裁定"]["A1"] = "代号"

    with pytest.raises(InputError) as caught:
        read_round_xlsx(saved(tmp_path, spoil), policy())
    texts = "\n".join(p.sentence().en for p in caught.value.problems)
    assert "'投票' is missing" in texts
    assert "'状态' is there twice" in texts
    assert "'裁定' has no heading row" in texts


def test_a_file_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "round.xlsx"
    path.write_text(json.dumps(good()), encoding="utf-8")
    with pytest.raises(InputError, match="xlsx"):
        read_round_xlsx(path, policy())


def test_the_empty_template_has_every_sheet_and_the_rubric(tmp_path):
    path = tmp_path / "t.xlsx"
    write_round_workbook(path, policy())
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["会议", "候选人", "评分", "答辩", "投票", "裁定", "更正"]
    assert [c.value for c in book["评分"][1]] == ["评委", "编码", "状态", "原因", "业绩", "论文"]

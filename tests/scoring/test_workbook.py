"""The workbook's live formulas give the exact results, as LibreOffice computes them anew."""

import random
import re
import shutil
import subprocess
import zipfile
from fractions import Fraction
from pathlib import Path

import openpyxl
import pypdfium2
import pytest

import scoring.workbook
from scoring.minutes_pdf import minutes_data, write_minutes
from scoring.points import rounded_text
from scoring.policy import Policy
from scoring.round_json import round_from_document
from scoring.tally import tally
from scoring.workbook import write_workbook
from scoring.workbook_block import safe
from tests.scoring.rounds import candidate, document, policy, ruling, sheet

HASHES = ("ab" * 32, "cd" * 32)
SOFFICE = shutil.which("soffice")


def made_up(seed: int) -> dict:
    """Thirty candidates of every kind, with thirds, halves and equal scores among the means."""
    dice = random.Random(seed)
    kinds = ["attended", "attended", "attended", "exempt", "absent", "not_required"]
    candidates = [
        candidate(f"C{n:02d}", dice.choice(kinds), specialty=dice.choice(["林学", "园林"]))
        for n in range(30)
    ]
    candidates.append(candidate("X", "exempt", specialty="水利"))
    half = [str(n / 2) for n in range(61)]
    sheets = [
        sheet(f"R{r}", c["code"], dice.choice(half), dice.choice(half))
        for c in candidates
        for r in range(dice.choice([1, 3, 5, 6, 7, 8]))
    ]
    sheets[3] |= {"excluded": True, "reason": "弃评"}
    defence = {
        c["code"]: [dice.choice(half) for _ in range(dice.choice([1, 3, 5, 6, 7]))]
        for c in candidates
        if c["defence"] == "attended"
    }
    ballots = {c["code"]: {"yes": dice.randint(3, 9), "no": 0} for c in candidates}
    return document(
        candidates,
        defence,
        sheets,
        committee={"members": 11, "present": 9},
        ballots=ballots,
        rulings=[ruling("X", "defence_points", "12.5")],
    )


TRIMMED = {"method": "trimmed"}
POLICIES = [
    policy(defence={"absent": "zero"}),
    policy(aggregate={**TRIMMED, "per": "criterion"}, defence={**TRIMMED}),
    policy(aggregate={**TRIMMED, "per": "total"}, rounding={"places": 1}),
    policy(rounding={"places": 0}, decision={"rule": "vote_and_score"}),
]


def without_cached_values(source: Path, target: Path) -> None:
    """Drop every value that was stored with a formula, so that only a new computation shows."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/"):
                data = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
            new.writestr(name, data)


def recalculated(path: Path, folder: Path) -> openpyxl.Workbook:
    assert SOFFICE
    bare = folder / "bare" / path.name
    bare.parent.mkdir(exist_ok=True)
    without_cached_values(path, bare)
    subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation=file://{folder / 'profile'}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder / "again"),
            str(bare),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return openpyxl.load_workbook(folder / "again" / path.name, data_only=True)


def summary(book: openpyxl.Workbook) -> dict[str, tuple]:
    rows = list(book["评审结果汇总表"].iter_rows(values_only=True))
    top = next(i for i, row in enumerate(rows) if row[0] == "名次")
    return {row[1]: row for row in rows[top + 1 :] if row[1]}


def write(tmp_path: Path, rules: Policy, seed: int = 1):
    round_ = round_from_document(made_up(seed), wide(rules))
    result = tally(round_, wide(rules))
    path = tmp_path / "result.xlsx"
    write_workbook(path, round_, wide(rules), result, HASHES)
    return path, result


def wide(rules: Policy) -> Policy:
    criteria = [c.model_copy(update={"max": Fraction(40)}) for c in rules.criterion]
    return rules.model_copy(update={"criterion": tuple(criteria)})


def check(book: openpyxl.Workbook, result, rules: Policy) -> int:
    rows = summary(book)
    seen = 0
    for item in result.candidates:
        row = rows[item.code]
        for column, value in (
            (4, item.review.points),
            (6, item.defence.points),
            (7, item.total),
        ):
            if value is None:
                assert row[column] in (None, "", "待裁定")
            else:
                seen += 1
                shown = Fraction(rounded_text(value, rules.places))
                assert Fraction(str(row[column])) == shown, (item.code, column)
    return seen


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not installed")
@pytest.mark.parametrize("number", range(len(POLICIES)))
def test_totals_equal_the_formulas_that_libreoffice_recalculates(tmp_path, number):
    path, result = write(tmp_path, POLICIES[number], seed=number)
    book = recalculated(path, tmp_path)
    assert check(book, result, POLICIES[number]) > 60
    cells = [c for ws in book for row in ws.iter_rows(values_only=True) for c in row]
    assert not [c for c in cells if isinstance(c, str) and c.startswith(("#", "Err:"))]
    assert same_cells(openpyxl.load_workbook(path, data_only=True), book) > 900


def same_cells(stored: openpyxl.Workbook, again: openpyxl.Workbook) -> int:
    """Compare every stored value, votes and means included, with the recalculated one."""
    count = 0
    for sheet_ in stored:
        for row, other in zip(
            sheet_.iter_rows(values_only=True),
            again[sheet_.title].iter_rows(values_only=True),
            strict=False,
        ):
            for one, two in zip(row, other, strict=False):
                if isinstance(one, float | int):
                    assert two == pytest.approx(one, abs=1e-9), sheet_.title
                    count += 1
                elif one:
                    assert two == one, sheet_.title
    return count


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not installed")
def test_stacked_layout_of_large_rounds_recalculates_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(scoring.workbook, "SHEETS_UP_TO", 5)
    monkeypatch.setattr(scoring.workbook, "_ROWS_PER_SHEET", 200)
    path, result = write(tmp_path, POLICIES[0])
    book = recalculated(path, tmp_path)
    assert [name for name in book.sheetnames if name.startswith("逐人计分")][:2] == [
        "逐人计分1",
        "逐人计分2",
    ]
    assert check(book, result, POLICIES[0]) > 60


def test_stored_values_equal_the_exact_result_without_any_recalculation(tmp_path):
    path, result = write(tmp_path, POLICIES[0])
    assert check(openpyxl.load_workbook(path, data_only=True), result, POLICIES[0]) > 60


def test_totals_are_formulas_and_not_numbers(tmp_path):
    path, result = write(tmp_path, POLICIES[0])
    book = openpyxl.load_workbook(path)
    rows = summary(book)
    for item in result.candidates:
        if item.total is not None:
            assert str(rows[item.code][7]).startswith("=")
    texts = [str(row[1].value) for row in book["001 C00"].iter_rows() if row[0].value == "总分"]
    assert texts[0].startswith("=ROUND(ROUND(")


def test_hash_pools_rulings_and_policy_are_in_the_workbook(tmp_path):
    path, result = write(tmp_path, POLICIES[0])
    book = openpyxl.load_workbook(path, data_only=True)
    cells = {ws.title: [c for r in ws.iter_rows(values_only=True) for c in r] for ws in book}
    assert HASHES[0] in cells["校验"]
    assert "12.5" in cells["裁定与更正"]
    assert "decision.pass_score" in cells["政策"]
    members = next(i.defence.pool for i in result.candidates if i.defence.basis == "substituted")
    assert set(members) <= set(cells["答辩平均分"])


def test_a_value_too_near_to_a_rounding_edge_for_binary_is_told_apart():
    assert safe(Fraction("50.005"), 2)
    assert safe(Fraction(151, 3), 2)
    assert not safe(Fraction("50.005") - Fraction(1, 10**12), 2)


def test_a_code_that_no_sheet_name_allows_is_no_obstacle(tmp_path):
    doc = document([candidate("A/[1]:*?'" + "x" * 40)], {"A/[1]:*?'" + "x" * 40: ["20"]})
    round_ = round_from_document(doc, policy())
    path = tmp_path / "r.xlsx"
    write_workbook(path, round_, policy(), tally(round_, policy()), HASHES)
    assert len(openpyxl.load_workbook(path).sheetnames) == 6


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    evil = "=1+1"
    doc = document([candidate(evil)], {evil: ["20"]})
    round_ = round_from_document(doc, policy())
    path = tmp_path / "r.xlsx"
    write_workbook(path, round_, policy(), tally(round_, policy()), HASHES)
    assert summary(openpyxl.load_workbook(path, data_only=True))[evil][1] == evil


def test_a_ballots_own_attendance_is_shown(tmp_path):
    rules = policy(decision={"rule": "vote", "pass_score": None})
    doc = document(
        [candidate("A", "not_required"), candidate("B", "not_required")],
        committee={"members": 9, "present": 9},
        ballots={"A": {"yes": 9, "no": 0, "abstain": 0, "spoiled": 0},
                 "B": {"yes": 5, "no": 1, "abstain": 0, "spoiled": 0,
                       "attendance": [f"R{n}" for n in range(7)]}},
    )  # fmt: skip
    round_ = round_from_document(doc, rules)
    result = tally(round_, rules)
    write_workbook(tmp_path / "r.xlsx", round_, rules, result, HASHES)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx", data_only=True)
    shown = {}
    for name in ("001 A", "002 B"):
        rows = list(book[name].iter_rows(values_only=True))
        at = next(n for n, row in enumerate(rows) if row[0] == "投票")
        shown[name] = rows[at + 1][:8]
    assert shown["001 A"] == ("投票通过", 9, 0, 0, 0, 9, 9, 9)
    assert shown["002 B"] == ("投票通过", 5, 1, 0, 0, 7, 7, 9)
    (line,) = minutes_data(round_, rules, result, HASHES)["attendance_at_ballots"]
    assert line.startswith("对 B 投票时出席 7 人：R0、")
    write_minutes(tmp_path / "m.pdf", round_, rules, result, HASHES)
    page = pypdfium2.PdfDocument(tmp_path / "m.pdf")[0].get_textpage().get_text_range()
    assert "投票时出席 7 人" in page

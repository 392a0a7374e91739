"""Folders go to their applicant by column, name, ID number or number; doubt is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.applicant import Applicant, Roster
from redactor.citizen_id import check_character
from redactor.folder_match import match_folders

GOOD_ID = "11010519491231002X"


def roster(*people: Applicant) -> Roster:
    return Roster(Path("r.xlsx"), "花名册", people)


THREE = Applicant(3, 4, "诸葛明远", "甲", id_number=GOOD_ID)
THIRTEEN = Applicant(13, 14, "李明", "甲")
LONGER = Applicant(14, 15, "李明远", "甲", former_names=("李远",))
UYGHUR = Applicant(15, 16, "阿布都热合曼·买买提", "甲")
ALL = roster(THREE, THIRTEEN, LONGER, UYGHUR)


@pytest.mark.parametrize(
    ("folder", "number"),
    [
        ("03诸葛明远", 3),
        ("3", 3),
        ("3-材料", 3),
        ("第3号", 3),
        ("申报人 3", 3),
        (f"材料{GOOD_ID}", 3),
        (GOOD_ID.lower(), 3),
        ("諸葛明遠", 3),
        ("13", 13),
        ("李明", 13),
        ("李　明的材料", 13),
        ("李明 物理组", 13),
        ("林草局李明", 13),
        ("2024李明", 13),
        ("李明远", 14),
        ("李远", 14),
        ("阿布都热合曼 买买提-申报材料", 15),
        ("15 阿布都热合曼．买买提", 15),
    ],
)
def test_folder_found(folder: str, number: int) -> None:
    assert match_folders([folder], ALL).owners[folder].number == number


@pytest.mark.parametrize(
    "folder",
    [
        "李 明 远航",
        "1",
        "33",
        "30",
        "李明强",
        "王李明",
        "桃李明年",
        "材料袋",
        "2024",
        "3 李明",
        "李明 诸葛明远",
        "诸葛明远440524188001010014",
        "材料 2024-3-5.1",
    ],
)
def test_folder_in_doubt_is_reported_and_not_used(folder: str) -> None:
    matches = match_folders([folder], ALL)
    assert dict(matches.owners) == {}
    assert matches.problems[0].subject == folder
    assert len(matches.problems) == 5


def test_name_inside_a_longer_roster_name_does_not_count() -> None:
    pair = roster(THREE, Applicant(5, 6, "明远", "甲"))
    assert match_folders(["诸葛明远"], pair).owners["诸葛明远"].number == 3


def test_column_decides_alone() -> None:
    named = Applicant(1, 2, "张晓岚", "甲", folder="A-7")
    matches = match_folders(["A-7", "01张晓岚"], roster(named, THREE))
    assert {f: a.number for f, a in matches.owners.items()} == {"A-7": 1}
    assert matches.problems[0].subject == "01张晓岚"


def test_two_folders_for_one_applicant_are_both_reported() -> None:
    matches = match_folders(["李明", "13"], roster(THIRTEEN))
    assert dict(matches.owners) == {}
    assert [p.subject for p in matches.problems] == ["李明", "13"]


def test_same_names_are_told_apart_by_number() -> None:
    pair = roster(Applicant(1, 2, "李明", "甲"), Applicant(2, 3, "李明", "乙"))
    assert match_folders(["02李明"], pair).owners["02李明"].number == 2
    assert dict(match_folders(["李明"], pair).owners) == {}


def test_applicant_without_folder_is_reported_by_row() -> None:
    (problem,) = match_folders([], roster(THREE)).problems
    assert "第 4 行" in problem.sentence.zh and "诸葛" not in problem.sentence.zh


@given(st.lists(st.integers(1, 400), unique=True, min_size=1, max_size=12))
def test_numbered_folders_go_to_their_applicants(numbers: list[int]) -> None:
    people = roster(*(Applicant(n, n + 3, f"甲{chr(0x4E00 + n)}", "乙") for n in numbers))
    matches = match_folders([f"{n:03d}" for n in numbers], people)
    assert {f: a.number for f, a in matches.owners.items()} == {f"{n:03d}": n for n in numbers}
    assert matches.problems == ()


@given(st.integers(0, 999))
def test_any_good_id_is_read(serial: int) -> None:
    first17 = f"65282619850317{serial:03d}"
    number = first17 + check_character(first17)
    owner = Applicant(1, 2, "张晓岚", "甲", id_number=number)
    assert match_folders([f"x-{number}"], roster(owner)).owners

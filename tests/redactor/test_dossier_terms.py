"""What one page of a dossier tells about the others, and what it must not."""

from __future__ import annotations

import pytest

from redactor.dossier_terms import FORM, dossier_terms
from redactor.finders.known import find_known
from redactor.identity import Identity
from tests.redactor.golden.boxes import identity, stream, texts

WHO = identity("诸葛晓岚", "巴音郭楞蒙古自治州林业和草原局")


def mask(kind: str, text: str, finder: str = "labels", score: float = 0.8) -> dict[str, object]:
    return {"kind": kind, "text": text, "finder": finder, "score": score}


def told(*masks: dict[str, object]) -> list[str]:
    return sorted(term.text for term in dossier_terms(masks, WHO))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("unit", "库尔勒市第三水文勘测站"),
        ("name", "诸葛小兰"),
        ("signature", "诸葛晓蓝"),
        ("cert_number", "XJ473246102780"),
        ("address", "新疆库尔勒市团结南路106号"),
        ("document_number", "新地三〔2019〕11号"),
        ("id_number", "652899198501014510"),
    ],
)
def test_a_labelled_text_is_looked_for_on_other_pages(kind: str, text: str) -> None:
    (term,) = dossier_terms([mask(kind, text)], WHO)
    assert term.form == FORM
    elsewhere = stream(f"该同志于二〇一九年在，{text}，任职")
    assert texts(find_known(elsewhere, Identity(1, (term,)))) == [text]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("name", "高兴"),
        ("name", "女"),
        ("name", "以上内容属实无误"),
        ("unit", "人民医院"),
        ("unit", "同意推荐申报意见"),
        ("cert_number", "2019"),
        ("cert_number", "abcdefghij"),
        ("address", "库尔勒市"),
    ],
)
def test_what_may_be_a_misread_label_is_not(kind: str, text: str) -> None:
    assert told(mask(kind, text)) == []


def test_what_the_roster_knows_is_not_repeated() -> None:
    assert told(mask("name", "诸葛晓岚"), mask("unit", "巴音郭楞蒙古自治州林业和草原局")) == []


def test_unread_ink_and_the_rosters_own_matches_tell_nothing() -> None:
    assert told(mask("unit", "库尔勒市第三水文勘测站", score=0.5)) == []
    assert told(mask("unit", "库尔勒市第三水文勘测站", finder="known")) == []


def test_the_long_numbers_of_a_code_are_printed_elsewhere() -> None:
    found = told(mask("code", "https://rs.example.com/zc?no=ZC06116623", finder="codes"))
    assert found == ["zc06116623"]

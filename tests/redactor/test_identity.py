"""The identity: normal form with its way back, and terms that find the person as people write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.applicant import Applicant
from redactor.identity import (
    NOTICE,
    Identity,
    IdentitySettings,
    Script,
    Term,
    bounded,
    identity_of,
    is_han,
    key,
    normalise,
)
from redactor.page import Kind

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
ZHANG = Applicant(
    number=3,
    row=6,
    name="张晓岚",
    unit="巴音郭楞蒙古自治州林业和草原局种苗站",
    id_number="11010519491231002X",
    former_names=("张小兰",),
    pinyin=("Zhang Xiaolan",),
    phones=("139-0000-1234", "(0996)2012345"),
    emails=("lan.zhang@example.cn",),
    unit_short=("苗木站",),
    former_units=("若羌县水利局",),
)


def found(identity: Identity, text: str, kind: Kind | None = None) -> set[str]:
    """Texts of the source that any term matches exactly, by the rules of Term."""
    text_key, origin = normalise(text)
    out = set()
    for term in identity.terms if kind is None else identity.of(kind):
        for match in re.finditer(term.pattern or re.escape(term.text), text_key):
            start, end = origin[match.start()], origin[match.end() - 1] + 1
            alone = is_han(text[start]) or not term.standalone or bounded(text, start, end)
            if alone and term.written_apart(text[start:end]):
                out.add(text[start:end])
    return out


@given(st.text(max_size=60))
def test_every_place_points_at_the_character_it_came_from(text: str) -> None:
    normal = normalise(text)
    assert len(normal.text) == len(normal.origin)
    assert list(normal.origin) == sorted(normal.origin)
    for char, place in zip(normal.text, normal.origin, strict=True):
        assert char in key(text[place])


@given(st.text(max_size=40))
def test_normal_form_is_stable(text: str) -> None:
    once = key(text)
    assert key(once) == once


@given(
    st.text(HAN, min_size=2, max_size=8), st.lists(st.sampled_from("·•・．.﹒- 　\n‧"), max_size=8)
)
def test_interpuncts_and_spaces_between_characters_are_nothing(name: str, marks: list[str]) -> None:
    padded = "".join(
        char + (marks[i] if i < len(marks) and i + 1 < len(name) else "")
        for i, char in enumerate(name)
    )
    assert key(padded) == key(name)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("張曉嵐", "张晓岚"),
        ("呉・戸", "吴户"),
        ("ＡＢＣ１２３", "abc123"),
        ("139-0000 1234", "13900001234"),
        ("巴林草〔2024〕12号", "巴林草(2024)12号"),
        ("巴林草﹝2024﹞12号", "巴林草(2024)12号"),
        ("Zhāng Xiǎolán", "zhangxiaolan"),
        ("张三、李四", "张三、李四"),
        ("a.b-c@d.cn", "a.b-c@d.cn"),
        ("研究所", "研究所"),
    ],
)
def test_normal_forms(written: str, normal: str) -> None:
    assert key(written) == normal


def test_bounds() -> None:
    text = "by Zhang Li and"
    assert bounded(text, 3, 11)
    assert not bounded("Zhanghai", 0, 5)
    assert bounded("byZhang", 2, 7)
    assert not bounded("1139000012345", 1, 12)
    assert bounded("电话13900001234。", 2, 13)
    assert not bounded("桃李明年", 1, 3)


@pytest.mark.parametrize(
    "text",
    [
        "张　晓 岚",
        "張曉嵐",
        "张小兰",
        "ZHANG Xiaolan",
        "Xiao-lan Zhang",
        "X. L. Zhang",
        "Zhang XL",
        "Zhang, X.-L.",
        "X. Zhang",
        "巴州林草局",
        "州林草局种苗站",
        "苗木站",
        "若羌水利局",
        "巴林草〔2024〕12号",
        "巴林草发[2023]7号",
        "11010519491231002x",
        "110105 19491231 002X",
        "110105491231002",
        "139 0000 1234",
        "+86 139-0000-1234",
        "(0996)2012345",
        "0996-2012345",
        "LAN.ZHANG@example.cn",
    ],
)
def test_found_as_people_write_it(text: str) -> None:
    assert text.strip(".") in {hit.strip(".") for hit in found(identity_of(ZHANG), f"见 {text}，")}


@pytest.mark.parametrize(
    "text",
    [
        "巴州",
        "州",
        "公司",
        "林业和草原局",
        "国家林业和草原局",
        "种苗站",
        "张晓",
        "晓岚",
        "Lan",
        "Xiaolan",
    ],
)
def test_what_is_too_common_is_not_sought(text: str) -> None:
    assert not found(identity_of(ZHANG), f"见 {text}，")


def test_settings_switch_classes_and_titles() -> None:
    assert {t.kind for t in identity_of(ZHANG, NOTICE).terms} == {Kind.NAME, Kind.UNIT}
    assert not found(identity_of(ZHANG), "张工")
    asked = IdentitySettings(titles=("工", "老师"))
    assert found(identity_of(ZHANG, asked), "请张工、张老师核对") == {"张工", "张老师"}


def test_terms_are_deterministic_and_without_repeats() -> None:
    terms = identity_of(ZHANG).terms
    assert terms == identity_of(ZHANG).terms
    assert len({(t.kind, t.text, t.pattern) for t in terms}) == len(terms)
    assert [len(t.text) for t in terms] == sorted((len(t.text) for t in terms), reverse=True)


def _says_itself(term: Term) -> bool:
    return term.pattern is None or re.fullmatch(term.pattern, term.text) is not None


@given(
    name=st.text(HAN, min_size=2, max_size=4),
    unit=st.text(HAN, min_size=6, max_size=14),
    former=st.lists(st.text(HAN, min_size=2, max_size=3), max_size=2),
)
def test_terms_of_any_applicant(name: str, unit: str, former: list[str]) -> None:
    identity = identity_of(Applicant(1, 1, name, unit, former_names=tuple(former)))
    texts = {t.text for t in identity.terms}
    assert {key(name), key(unit), *map(key, former)} <= texts
    for term in identity.terms:
        assert key(term.text) == term.text
        assert term.form
        if is_han(term.text[0]):
            assert len(term.text) >= 2
        if term.kind != Kind.DOCUMENT_NUMBER:
            assert _says_itself(term)


@given(st.text(HAN, min_size=2, max_size=4), st.text(HAN, max_size=5), st.text(HAN, max_size=5))
def test_a_name_is_found_in_any_text_that_has_it(name: str, before: str, after: str) -> None:
    identity = identity_of(Applicant(1, 1, name, "无"))
    text = before + "　".join(name) + after
    assert any(t.text in key(text) for t in identity.of(Kind.NAME))


def test_repr_names_nobody() -> None:
    assert "张" not in repr(ZHANG) + repr(identity_of(ZHANG))


NATIVE = Applicant(
    number=5,
    row=8,
    name="阿布都热合曼·买买提",
    unit="巴州林草局",
    native_names=("ئابدۇراخمان مەمەت",),
    native_units=("بايىنغولىن ئوبلاستلىق ئورمانچىلىق ئىدارىسى",),
)


def test_a_name_in_uyghur_script_is_sought_with_its_endings() -> None:
    identity = identity_of(NATIVE)
    assert "ئابدۇراخمان مەمەت" in found(identity, "ئىسمى: ئابدۇراخمان مەمەتنىڭ", Kind.NAME)
    assert found(identity, "بۇ ئابدۇراخماننىڭ ئىشى", Kind.NAME) == {"ئابدۇراخماننىڭ"}
    assert found(identity, "مەمەت كەلدى", Kind.NAME) == set()
    assert found(identity, "ئابدۇراخمانوف", Kind.NAME) == set()
    assert found(identity, "بايىنغولىن ئوبلاستلىق ئورمانچىلىق ئىدارىسىدا", Kind.UNIT)


def test_a_native_name_is_a_name_under_the_letter_of_the_rule() -> None:
    scripts = {term.script for term in identity_of(NATIVE, NOTICE).of(Kind.NAME)}
    assert Script.OTHER in scripts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ئەركىن", "\ufe8b\ufeea\ufead\ufedb\ufef0\ufee6"),  # as PDF files write it
        ("يۈسۈپ كېرىم", "یۈسۈپ کېرىم"),
        ("مەھەممەت", "مهھهممهت"),
        ("ئەركىن", "ئەركــىن"),
    ],
)
def test_letters_that_keyboards_exchange_are_one(one: str, other: str) -> None:
    assert key(one) == key(other)


@given(st.text("ئابتجچخدرزژسشغفقكگڭلمنوۇۆۈۋېىيەھپ ", min_size=1, max_size=40))
def test_uyghur_text_keeps_its_places(text: str) -> None:
    normal = normalise(text)
    assert len(normal.text) == len(normal.origin) == len(text.replace(" ", ""))
    assert key(normal.text) == normal.text

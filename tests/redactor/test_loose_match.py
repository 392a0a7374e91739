"""The looser matching: permissive first, strict where a character was read surely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor.loose_match import loose_terms, sound, stands, suspects
from redactor.page import Kind
from redactor.term import Term
from tests.redactor.golden.boxes import identity, stream

UNIT = "巴音郭楞蒙古自治州林业和草原局"
WHO = identity("诸葛晓岚", UNIT)
FILLER = "的是在有和业务报告工程质量管理年度总结，。、；：（）"


def name_term(name: str) -> Term:
    return next(t for t in loose_terms(identity(name)) if t.text == name)


def unit_term(unit: str) -> Term:
    return next(t for t in loose_terms(identity(unit=unit)) if t.kind is Kind.UNIT)


@given(
    st.text(alphabet=FILLER, max_size=8),
    st.sampled_from(loose_terms(WHO)),
    st.text(alphabet=FILLER, max_size=8),
)
def test_a_term_itself_is_suspected_and_stands(before: str, term: Term, after: str) -> None:
    text = stream(before + term.text + after)
    assert any(s.term == term and s.start == len(before) for s in suspects(text, [term]))
    assert stands(text, term) is not None


@given(st.sampled_from(loose_terms(WHO)), st.data())
def test_one_wrong_character_is_suspected(term: Term, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(term.text) - 1))
    wrong = term.text[:place] + "的" + term.text[place + 1 :]
    assert any(True for _ in suspects(stream(f"职工{wrong}年度"), [term]))


@given(st.text(alphabet=FILLER, max_size=20))
def test_other_text_is_not_suspected(text: str) -> None:
    assert not list(suspects(stream(text), loose_terms(WHO)))


@pytest.mark.parametrize("name", ["王建国", "李明", "诸葛晓岚"])
def test_a_sure_other_character_speaks_for_another_person(name: str) -> None:
    other = name[:-1] + "霞"
    assert stands(stream(f"职工{other}同志"), name_term(name)) is None


@pytest.mark.parametrize("name", ["王建国", "诸葛晓岚"])
def test_an_unsure_character_contradicts_nothing(name: str) -> None:
    text = stream(f"职工{name[:-1]}霞同志", scores={1 + len(name): 0.5})
    found = stands(text, name_term(name))
    assert found is not None
    assert found.why == "fragment of a name"


@pytest.mark.parametrize(("name", "written"), [("张伟杰", "章伟杰"), ("诸葛晓岚", "诸葛小岚")])
def test_homophones_of_a_long_name_stand(name: str, written: str) -> None:
    found = stands(stream(f"职工{written}，"), name_term(name))
    assert found is not None
    assert found.why == "homophone"


def test_a_short_homophone_must_agree_in_tone_and_be_no_word() -> None:
    assert stands(stream("李鸣"), name_term("李明")) is not None
    assert stands(stream("黎明"), name_term("李明")) is None
    assert stands(stream("达到历名"), name_term("李明")) is None


def test_a_cut_name_at_the_end_of_a_line_stands() -> None:
    """The mask over the last character is not read: two of three are left."""
    assert stands(stream("负责人：王建"), name_term("王建国")) is not None


def test_a_piece_of_a_unit_stands_only_if_it_is_its_own() -> None:
    own = unit_term("天山区绿源生态科技有限公司")
    assert stands(stream("由绿源生态科技有限负责施工"), own) is not None
    shared = unit_term("天山区人民医院")
    assert stands(stream("到人民医院就诊"), shared) is None


def test_a_unit_with_a_wrong_character_stands() -> None:
    assert stands(stream("巴音郭楞蒙古自治州林亚和草原局"), unit_term(UNIT)) is not None
    assert stands(stream("伊犁哈萨克自治州林业和草原局"), unit_term(UNIT)) is None


def test_only_the_rosters_own_words_are_matched_loosely() -> None:
    terms = {t.text for t in loose_terms(identity("诸葛晓岚", UNIT, unit_short=("林草局种苗站",)))}
    assert terms == {"诸葛晓岚", UNIT, "林草局种苗站"}


def test_sounds_are_toneless() -> None:
    assert sound("岚") == sound("蓝") == sound("烂") != sound("楼")

"""What the roster says is found however it is written and read, and not inside ordinary words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.applicant import Applicant
from redactor.finders.known import find_known, is_common_word
from redactor.identity import Identity, IdentitySettings, identity_of
from redactor.page import Finding, Kind, Line
from redactor.streams import streams
from redactor.term import Term
from tests.redactor.golden.boxes import column, identity, line, reading, stream, texts

FULL = Applicant(
    number=1,
    row=4,
    name="诸葛晓岚",
    unit="巴音郭楞蒙古自治州林业和草原局",
    id_number="652899198501014518",
    phones=("19900001234",),
    emails=("zhuge.xl@example.cn",),
    unit_short=("林草局种苗站",),
    former_names=("诸葛小兰",),
)
# Nothing of this may stand in a name, unit or number of FULL.
FILLER = "的是在有和业务报告工程质量管理年度总结，。、；：（）"
PLAIN = st.text(alphabet=FILLER, max_size=12)


def found(text: str, who: Identity | None = None, **how: object) -> list[str]:
    return texts(find_known(stream(text, **how), who or identity()))


def over(findings: list[Finding], page: list[Line], text: str) -> bool:
    """Whether every character of `text` on the page lies under the finding's quad."""
    boxes = [c.quad for x in page for c in x.chars if c.text in text]
    grown = [geometry.bounds(geometry.grown(f.quad, 1, 1)) for f in findings]
    return all(
        any(x0 <= b[0] and y0 <= b[1] and b[2] <= x1 and b[3] <= y1 for x0, y0, x1, y1 in grown)
        for b in map(geometry.bounds, boxes)
    )


def written(term: Term) -> str:
    """A term as it may stand on a page."""
    if term.kind is Kind.DOCUMENT_NUMBER:
        return f"{term.text}〔2024〕12号"
    if term.split is None:
        return term.text
    # Initials count only where they are written apart from the surname.
    return f"{term.text[: term.split]} {term.text[term.split :]}"


@given(PLAIN, st.sampled_from(identity_of(FULL).terms), PLAIN)
def test_every_planted_term_is_found_whatever_stands_around_it(
    before: str, term: Term, after: str
) -> None:
    planted = f"{before} {written(term)} {after}"
    hidden = "".join(found(planted, identity_of(FULL)))
    assert written(term).replace(" ", "") in hidden.replace(" ", ""), planted


@given(st.text(alphabet=FILLER + "0123456789abcxyz@. ", max_size=60))
def test_text_without_anything_of_the_person_is_left_alone(text: str) -> None:
    assert found(text or "的", identity_of(FULL)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("桃李明年开花", "李明"),
        ("国王一号机组", "王一"),
        ("感到很高兴", "高兴"),
        ("大家高兴地说", "高兴"),
    ],
)
def test_a_name_inside_ordinary_words_stays(text: str, name: str) -> None:
    assert found(text, identity(name)) == []


@pytest.mark.parametrize(
    "text",
    [
        "李明同志",
        "由李明主持",
        "姓名：李明",
        "李明",
        "（李明）",
        "申报人李明，男",
        "2023年李明获一等奖",
        "张三、李明、王五",
        "李　明",
        "李 明",
        "李  明",
        "李·明",
    ],
)
def test_a_name_as_a_name_is_masked(text: str) -> None:
    assert "".join(found(text)).replace(" ", "").replace("·", "").replace("　", "") == "李明"


@pytest.mark.parametrize("name", ["高兴", "王一"])
def test_a_name_that_is_a_word_is_still_masked_as_a_name(name: str) -> None:
    assert found(f"姓名：{name}", identity(name)) == [name]
    assert found(f"由{name}同志主持", identity(name)) == [name]


def test_names_that_are_words_are_known_as_such() -> None:
    assert is_common_word(identity("高兴"))
    assert not is_common_word(identity("诸葛晓岚"))


@pytest.mark.parametrize("joint", ["·", "•", "・", "．", ".", "﹒", "-", " ", "", "· "])
def test_an_interpunct_name_however_the_point_is_written(joint: str) -> None:
    who = identity("阿布都热合曼·买买提")
    (text,) = found(f"经阿布都热合曼{joint}买买提同志研究", who)
    assert text.startswith("阿布都热合曼")
    assert text.endswith("买买提")


def test_the_given_name_alone_of_an_interpunct_name() -> None:
    assert found("阿布都热合曼主持了项目", identity("阿布都热合曼·买买提")) == ["阿布都热合曼"]
    assert found("买买提江是别人", identity("阿布都热合曼·买买提")) == []


@pytest.mark.parametrize(
    "text",
    ["Ming Li", "Li Ming", "LI Ming", "LI MING", "Li, Ming", "M. Li", "Li M", "Li M.", "Ming LI"],
)
def test_a_romanised_name_in_every_order(text: str) -> None:
    assert "".join(found(f"Written by {text}, 2021")).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["Climing", "limit", "Lim", "Milieu", "liming agent"])
def test_romanised_letters_inside_other_words_stay(text: str) -> None:
    hidden = found(f"the {text} of soil", identity("李明"))
    assert hidden == [] or text == "liming agent"


@pytest.mark.parametrize(
    ("options", "hidden"),
    [((("y", 0.023),), ["Xiao Yivuan"]), ((("y", 0.002),), []), ((), [])],
)
def test_a_romanised_name_of_which_a_fax_cut_a_letters_tail(
    options: tuple[tuple[str, float], ...], hidden: list[str]
) -> None:
    text = "Xiao Yivuan, Xue Jiaxiu, Lv Xuexin"
    assert found(text, identity("萧怡远"), others={text.index("v"): options}) == hidden


@pytest.mark.parametrize(
    "text",
    ["652899198501014518", "652899 19850101 4518", "6528 9919 8501 0145 18", "652899850101451"],
)
def test_the_id_number_however_it_is_grouped(text: str) -> None:
    assert "".join(found(f"身份证号 {text}", identity_of(FULL))).replace(" ", "") == text.replace(
        " ", ""
    )


@pytest.mark.parametrize(
    "text", ["19900001234", "199-0000-1234", "199 0000 1234", "+86 19900001234", "(86)19900001234"]
)
def test_the_phone_number_however_it_is_written(text: str) -> None:
    hidden = "".join(found(f"电话{text}。", identity_of(FULL)))
    assert "".join(filter(str.isdigit, hidden)).endswith("19900001234")


def test_a_longer_number_that_holds_the_phone_number_stays() -> None:
    assert found("合同号 8819900001234567", identity_of(FULL)) == []


@pytest.mark.parametrize(
    "wrong", ["652899198501074518", "652899198501014S18", "65289919850101451B"]
)
def test_an_id_number_with_a_character_read_wrong(wrong: str) -> None:
    assert found(wrong, identity_of(FULL)) == [wrong]


def test_a_long_email_address_with_two_letters_read_wrong() -> None:
    """Wrapped over two rows, as at the foot of a paper's first page."""
    who = identity(emails=("yanli98@example.org",))
    page = reading(line("群众文化。E-mail:yanli8@examp1"), line("e.org", y=160))
    (flow,) = streams(page)
    assert texts(find_known(flow, who)) == ["e.org", "yanli8@examp1"]
    assert found("wangli8@exampla.org", who) == []
    assert found("wang98@exbmple.cn", identity(emails=("wang89@example.cn",))) == []


def test_a_rival_of_the_recogniser_counts() -> None:
    others = {1: (("明", 0.03),)}
    assert found("姓名：李朋", scores={4: 0.9}, others={4: (("明", 0.03),)}) == ["李朋"]
    assert found("李用同志", others=others) == ["李用"]
    assert found("李用同志") == []


def test_a_look_alike_counts_only_where_the_reader_was_unsure() -> None:
    assert found("李朋同志", scores={1: 0.6}) == ["李朋"]
    assert found("李朋同志") == []


def test_a_look_alike_of_a_rare_character_counts_in_a_name_of_three_however_sure() -> None:
    who = identity("荼茶侯")
    assert found("经办人茶茶侯，同意", who) == ["茶茶侯"]
    assert found("经办人茶茶候，同意", who) == []


def test_illegible_characters_of_a_long_name_may_be_anything() -> None:
    who = identity("诸葛晓岚")
    assert found("诸口晓岚同志", who, scores={1: 0.2}) == ["诸口晓岚"]
    assert found("口口口口同志", who, scores=dict.fromkeys(range(4), 0.2)) == []


@given(st.integers(0, 14), st.sampled_from("业务报告"))
def test_a_long_unit_with_one_character_read_wrong(place: int, wrong: str) -> None:
    unit = FULL.unit
    read = unit[:place] + wrong + unit[place + 1 :]
    hidden = "".join(found(f"我在{read}工作", identity("李明", unit)))
    # What is left may be an end that is no unit by itself, never the part with the place.
    assert len(hidden) >= len(unit) - 2, hidden


@pytest.mark.parametrize("short", ["巴州林草局", "州林草局", "巴音郭楞州林业和草原局"])
def test_short_forms_of_the_unit(short: str) -> None:
    assert found(f"经{short}批准", identity("李明", FULL.unit)) == [short]


def test_a_name_letter_spaced_over_boxes() -> None:
    page = [line("李", 100), line("明", 260), line("同志", 420)]
    (whole,) = streams(reading(*page))
    findings = find_known(whole, identity())
    assert texts(findings) == ["明", "李"] or texts(findings) == ["李", "明"]
    assert over(findings, page, "李明")
    assert not over(findings, page, "同志")


def test_a_unit_wrapped_over_lines() -> None:
    page = [
        line("本人现工作于巴音郭楞蒙古自", 100, 100),
        line("治州林业和草原局，任工程师", 100, 160),
    ]
    (whole,) = streams(reading(*page))
    findings = find_known(whole, identity("李明", FULL.unit))
    assert texts(findings) == ["巴音郭楞蒙古自", "治州林业和草原局"]


def test_a_stacked_name() -> None:
    page = [column("聘请诸葛晓岚为")]
    (whole,) = streams(reading(*page))
    findings = find_known(whole, identity("诸葛晓岚"))
    assert texts(findings) == ["诸葛晓岚"]
    x0, y0, x1, y1 = geometry.bounds(findings[0].quad)
    assert (round(x0), round(y0), round(x1), round(y1)) == (800, 180, 840, 340)


def test_a_name_in_two_columns_of_stacked_text() -> None:
    page = [column("兹聘请诸葛", 800), column("晓岚为顾问", 730)]
    (whole,) = streams(reading(*page))
    assert texts(find_known(whole, identity("诸葛晓岚"))) == ["晓岚", "诸葛"]


def test_traditional_characters_of_the_name() -> None:
    assert found("諸葛曉嵐先生", identity("诸葛晓岚")) == ["諸葛曉嵐"]


def test_the_mask_covers_exactly_the_name() -> None:
    (finding,) = find_known(stream("本单位职工李明同志"), identity())
    assert geometry.bounds(finding.quad) == pytest.approx((300, 100, 380, 140))
    assert finding.kind is Kind.NAME
    assert "roster name" in finding.why


def test_only_kinds_that_were_asked_for() -> None:
    settings = IdentitySettings(kinds=frozenset({Kind.NAME}))
    who = identity("李明", FULL.unit, settings)
    assert found(f"李明 {FULL.unit}", who) == ["李明"]


def test_longest_first_and_none_inside_another() -> None:
    findings = find_known(stream("巴音郭楞蒙古自治州林业和草原局"), identity("李明", FULL.unit))
    assert texts(findings) == ["巴音郭楞蒙古自治州林业和草原局"]


def test_a_stacked_name_with_a_lost_character_is_found() -> None:
    """The detector boxed each character and lost one."""
    who = identity("李明", "库尔勒市第三中学")
    page = [line(c, 300, 200 + 42 * i) for i, c in enumerate("库尔勒市 中") if c != " "]
    stacked = [found for s in streams(reading(*page)) for found in find_known(s, who)]
    assert "".join(f.text for f in stacked) == "库尔勒市\ufffd中"


def test_a_watermark_that_lost_its_end_is_masked_with_the_end() -> None:
    who = identity("李明", "库尔勒市第三中学")
    (found,) = find_known(stream("库尔勒市三", layer="pale"), who)
    assert found.kind is Kind.UNIT
    x0, _, x1, _ = geometry.bounds(found.quad)
    assert (x0, x1) == (100 - 40, 100 + 5 * 40 + 40)
    assert find_known(stream("库尔勒市三"), who) == []


@pytest.mark.parametrize("seen", ["D", "UD", "质", "第三学会"])
def test_a_watermark_of_something_else_is_not_taken_for_a_units_code(seen: str) -> None:
    who = identity("李明", "库尔勒市第三中学", unit_short=("库市三中",))
    unsure = dict.fromkeys(range(len(seen)), 0.3)
    found = find_known(stream(f"{seen}印", layer="pale", scores=unsure), who)
    assert not [f for f in found if f.kind is Kind.DOCUMENT_NUMBER]

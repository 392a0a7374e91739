"""Short forms of units: well-founded ones are there, those that many share are not."""

from __future__ import annotations

import re

import pytest

from redactor.normal_text import key
from redactor.term import Tolerance
from redactor.unit_forms import document_terms, short_terms, unit_parts, unit_terms


def texts(unit: str) -> set[str]:
    return {t.text for t in unit_terms(unit, "unit")}


@pytest.mark.parametrize(
    ("unit", "forms"),
    [
        ("巴音郭楞蒙古自治州林业和草原局", "巴州林草局 州林草局 自治州林草局 巴音郭楞州林草局"),
        ("巴州林草局", "巴音郭楞蒙古自治州林草局 州林草局"),
        ("巴音郭楞蒙古自治州林业和草原局种苗站", "巴州林草局种苗站 巴州种苗站 州种苗站 巴州林草局"),
        ("新疆维吾尔自治区卫生健康委员会", "新疆卫健委 自治区卫健委 新疆卫生健康委"),
        ("新疆天山水务有限责任公司", "天山水务公司 天山水务有限公司 天山水务 新疆天山水务"),
        ("库尔勒市第三中学", "库尔勒三中 库尔勒市三中 市三中 库尔勒第三中学"),
        ("且末县人民医院", "且末县医院 县人民医院"),
        ("且末县科学技术局", "且末县科技局 且末科技局 县科技局"),
        ("和静县发展和改革委员会", "和静县发改委 县发改委"),
        ("轮台县人力资源和社会保障局", "轮台人社局"),
        ("博湖县市场监督管理局", "博湖县市监局 博湖县市场监管局"),
        ("尉犁县文化体育广播电视和旅游局", "尉犁县文旅局 尉犁县文体广旅局"),
        ("巴音郭楞蒙古自治州库尔勒市第三中学", "巴州库尔勒市三中 库尔勒三中"),
        ("和静县巴音布鲁克镇农业技术推广站", "巴音布鲁克镇农技站 和静县农业技术推广站"),
        ("中泰（新疆）化工有限责任公司", "中泰新疆化工有限责任公司 中泰化工"),
        ("新疆生产建设兵团第二师水利局", "第二师水利局 二师水利局"),
    ],
)  # fmt: skip
def test_short_forms(unit: str, forms: str) -> None:
    assert {key(unit), *forms.split()} <= texts(unit)


@pytest.mark.parametrize(
    ("unit", "shared"),
    [
        (
            "巴音郭楞蒙古自治州林业和草原局种苗站",
            "林草局 林业和草原局 种苗站 林草局种苗站 巴州 自治州 州",
        ),
        ("库尔勒市第三中学", "三中 第三中学 库尔勒 市"),
        ("且末县人民医院", "人民医院 医院 且末县"),
        ("新疆维吾尔自治区卫生健康委员会", "卫健委 卫生健康委员会 区卫健委 新疆"),
        ("新疆水利水电勘测设计研究院有限责任公司", "水利水电勘测设计研究院 公司 有限责任公司"),
        ("巴州水利局水利管理站", "水利管理站 水利站 水利局"),
    ],
)
def test_forms_that_many_share_are_never_sought(unit: str, shared: str) -> None:
    assert not texts(unit) & set(shared.split())


@pytest.mark.parametrize("unit", ["", "无", "自由职业", "局"])
def test_no_unit(unit: str) -> None:
    assert texts(unit) == set()


def test_roster_short_form_is_taken_as_it_is() -> None:
    assert [t.text for t in short_terms("三中")] == ["三中"]
    assert list(short_terms("州")) == []


def test_parts() -> None:
    parts = unit_parts("巴音郭楞蒙古自治州林业和草原局种苗站")
    assert parts.places == ("巴音郭楞蒙古自治州",)
    assert parts.levels == ("林业和草原局", "种苗站")
    assert unit_parts("城市规划设计院").places == ()
    assert unit_parts("焉耆回族自治县第一小学").places == ("焉耆回族自治县",)


def test_units_of_one_kind_are_told_apart() -> None:
    # One wrong character in a short form would turn 水利局 into another office.
    short = next(t for t in unit_terms("巴州水利局", "unit") if t.text == "巴州水利局")
    assert short.tolerance is not Tolerance.FUZZY


def test_full_form_comes_first_and_nothing_is_too_much() -> None:
    unit = "新疆维吾尔自治区巴音郭楞蒙古自治州库尔勒市林业和草原局林业工作站"
    terms = list(unit_terms(unit, "unit"))
    assert terms[0].text == unit
    assert len(terms) <= 121


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("巴音郭楞蒙古自治州林业和草原局", "巴林草〔2024〕12号"),
        ("巴音郭楞蒙古自治州林业和草原局", "巴林草字[2024]第12号"),
        ("巴音郭楞蒙古自治州林业和草原局", "巴州林草发（2024）12 号"),
        ("巴音郭楞蒙古自治州林业和草原局种苗站", "巴林草党组﹝2021﹞3号"),
        ("新疆维吾尔自治区水利厅", "新水〔2020〕105号"),
        ("库尔勒市教育局", "库教发【2019】8号"),
        ("巴州林草局", "巴林草2024]12号"),
        ("新疆天山水务有限责任公司", "天山水务〔2024〕5号"),
    ],
)
def test_document_numbers(unit: str, written: str) -> None:
    terms = document_terms(unit, "unit")
    assert any(re.fullmatch(t.pattern or "", key(written)) for t in terms)


@pytest.mark.parametrize(
    "text", ["巴林草原2024年", "国发〔2024〕12号", "巴林草", "林草〔2024〕12号"]
)
def test_other_document_numbers_stay(text: str) -> None:
    terms = document_terms("巴音郭楞蒙古自治州林业和草原局", "unit")
    assert not any(re.search(t.pattern or "", key(text)) for t in terms)

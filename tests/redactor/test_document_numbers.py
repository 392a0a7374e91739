"""Document numbers are masked when their organ's code is drawn from the applicant's unit."""

from __future__ import annotations

import pytest

from redactor.finders.document_numbers import find_document_numbers
from redactor.page import Kind
from redactor.streams import streams
from tests.redactor.golden.boxes import identity, line, reading, stream, texts

WHO = identity("李明", "巴音郭楞蒙古自治州林业和草原局")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("巴林草〔2024〕12号", "巴林草〔2024〕12号"),
        ("根据巴林草〔2024〕12号文件", "巴林草〔2024〕12号"),
        ("巴林草[2021]第3号", "巴林草[2021]第3号"),
        ("巴自治州（2019）7号", "巴自治州（2019）7号"),
    ],
)
def test_numbers_of_the_own_unit(text: str, hidden: str) -> None:
    (finding,) = find_document_numbers(stream(text), WHO)
    assert finding.text == hidden
    assert finding.kind is Kind.DOCUMENT_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "新政发〔2024〕12号",
        "人社部发〔2019〕7号",
        "巴水发〔2024〕12号",
        "郭楞林〔2024〕1号",
        "2024年12号",
        "第12号",
    ],
)
def test_numbers_of_other_organs_stay(text: str) -> None:
    assert list(find_document_numbers(stream(text), WHO)) == []


def test_a_number_over_two_lines_is_masked_on_both() -> None:
    page = [line("根据本局文件巴林草〔20", 100, 100), line("24〕12号的规定，经研究决定", 100, 160)]
    (whole,) = streams(reading(*page))
    assert texts(list(find_document_numbers(whole, WHO))) == ["24〕12号", "巴林草〔20"]

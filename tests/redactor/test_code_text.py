"""The number beside a code goes with it, and the report says whose code it was."""

from __future__ import annotations

import base64
import quopri
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.applicant import Applicant
from redactor.finders.code_text import (
    describe_code,
    described,
    find_printed_numbers,
    spellings,
)
from redactor.identity import identity_of
from redactor.page import Finding, Kind, Line, Quad
from tests.redactor.golden.boxes import line

ZHUGE = identity_of(
    Applicant(
        number=1,
        row=4,
        name="诸葛晓岚",
        unit="巴音郭楞蒙古自治州林业和草原局",
        id_number="652899198501014518",
        phones=("19900001234",),
    )
)
BARS = geometry.rectangle(100, 100, 500, 200)


def code(text: str, quad: Quad = BARS) -> Finding:
    return Finding(Kind.CODE, quad, text, 1.0, "Code 128 decoded", "codes")


def masked(codes: list[Finding], *lines: Line) -> list[str]:
    found = find_printed_numbers(codes, lines)
    assert all(f.kind is Kind.CODE for f in found)
    return [f.text for f in found]


@given(st.text("0123456789ABCDEFGHJKLMNP", min_size=7, max_size=18), st.integers(0, 2000))
def test_what_a_code_says_is_masked_wherever_it_is_printed(number: str, x: int) -> None:
    number = f"{number}7"
    page = line(f"在线验证码：{number}，有效", x=x, y=900)
    (found,) = find_printed_numbers([code(f"https://a.cn/x?vcode={number}")], [page])
    assert found.text == number
    inside = covers(found.quad, [c.quad for c in page.chars if c.text.isascii()])
    assert inside


def covers(quad: Quad, others: list[Quad]) -> bool:
    x0, y0, x1, y1 = geometry.bounds(quad)
    boxes = map(geometry.bounds, others)
    return all(x0 <= a and y0 <= b and c <= x1 and d <= y1 for a, b, c, d in boxes)


@pytest.mark.parametrize(
    "printed", ["ZC-2024-0012345", "zc20240012345", "ZC2O24OOl2345", "2024 0012345"]
)
def test_it_is_known_with_dashes_in_parts_and_misread(printed: str) -> None:
    assert masked([code("ZC20240012345")], line(printed, y=900)) == [printed]


def test_one_misread_character_of_a_long_number_changes_nothing() -> None:
    assert masked([code("ZC20240012345")], line("ZC20240712345", y=900)) == ["ZC20240712345"]


@pytest.mark.parametrize(
    "text",
    ["2024年5月1日", "2024-05-01", "第12345号", "www.chsi.com.cn", "20240", "巴州林业和草原局"],
)
def test_other_print_of_the_page_stays(text: str) -> None:
    url = code("https://www.chsi.com.cn/2024-05-01/bg.do?vcode=AB12CD34EF56")
    assert masked([url], line(text, y=900)) == []


@pytest.mark.parametrize("gap", [-40, 2, 30])
@pytest.mark.parametrize("above", [False, True])
def test_a_number_beside_bars_is_masked_though_they_cannot_be_decoded(
    gap: int, above: bool
) -> None:
    em = 40
    y = 100 - gap - em if above else 200 + gap
    assert masked([code("")], line("69 01234 567892", x=130, y=y, em=em)) == ["69 01234 567892"]


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("69 01234 567892", 130, 320),
        ("69 01234 567892", 700, 205),
        ("69 01234 567892", 420, 205),
        ("第2024号文件", 130, 205),
        ("ABCDEFGHJKLM", 130, 205),
    ],
    ids=["far below", "aside", "reaches out", "words", "letters"],
)
def test_what_is_not_the_number_of_the_bars_stays(text: str, x: int, y: int) -> None:
    assert masked([code("")], line(text, x=x, y=y)) == []


@given(st.floats(-3.2, 3.2))
def test_bars_and_their_number_may_be_turned(angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    printed = line("6901234567892", x=130, y=205)
    chars = tuple(type(c)(c.text, c.quad @ turn, c.score) for c in printed.chars)
    turned = Line(chars, printed.quad @ turn, printed.score)
    assert masked([code("", BARS @ turn)], turned) == ["6901234567892"]


TEXTS = {
    "plain": "姓名：诸葛晓岚",
    "link, UTF-8": f"https://a.cn/q?n={quote('诸葛晓岚')}&t=1",
    "link, GBK": f"https://a.cn/q?n={quote('诸葛晓岚', encoding='gbk')}&t=1",
    "link, twice": f"https://a.cn/q?n={quote(quote('诸葛晓岚'))}",
    "GBK taken for Latin-1": "诸葛晓岚".encode("gbk").decode("latin-1"),
    "UTF-8 taken for Latin-1": "诸葛晓岚".encode().decode("latin-1"),
    "vCard": "BEGIN:VCARD\nVERSION:3.0\nN:诸葛;晓岚;;;\nEND:VCARD",
    "vCard 2.1": "BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:"
    + quopri.encodestring("诸葛晓岚".encode()).decode(),
    "JSON": r'{"xm": "\u8bf8\u845b\u6653\u5c9a"}',
    "base64": base64.b64encode('{"xm": "诸葛晓岚"}'.encode()).decode(),
    "base64 in a link": "https://a.cn/q?d="
    + base64.urlsafe_b64encode("诸葛晓岚".encode()).decode(),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_name_is_seen_however_a_code_writes_it(text: str) -> None:
    assert describe_code(text, ZHUGE) == "holds roster name"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("JX652899198501014518", "holds ID number"),
        ("19900001234诸葛晓岚", "holds phone number, roster name"),
        ("https://a.cn/?u=巴音郭楞蒙古自治州林业和草原局", "holds unit"),
        ("https://www.chsi.com.cn/bg.do?vcode=AB12CD34EF56", "holds nothing of the roster"),
        ("652899198501014519", "holds nothing of the roster"),
        ("", ""),
    ],
)
def test_the_report_says_which_terms_a_code_holds(text: str, said: str) -> None:
    assert set(describe_code(text, ZHUGE).removeprefix("holds ").split(", ")) >= set(
        said.removeprefix("holds ").split(", ")
    )


def test_findings_tell_it_in_their_reason() -> None:
    known, blank = described([code("JX652899198501014518"), code("")], ZHUGE)
    assert known.why.startswith("Code 128 decoded, holds ID number")
    assert blank.why == "Code 128 decoded"


@given(st.text(max_size=60))
def test_any_text_can_be_described(text: str) -> None:
    assert spellings(text)[0] == text
    describe_code(text, ZHUGE)

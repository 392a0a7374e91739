"""Printed sheets say what is stored, and their codes lead back to the very version."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from scoring.signature_sheets import (
    SignatureSheet,
    read_barcode,
    signature_data,
    signature_pdf,
)
from tests.scoring.rounds import policy

SHEET = SignatureSheet(
    7, "R01", "K7QF-3M", "实验技术", "中级", 2, {"work": Fraction("31.5"), "papers": Fraction(12)}
)


def sheets(count):
    return [replace(SHEET, code=f"C{n:02d}", version=n + 1) for n in range(count)]


def test_the_code_leads_back_to_the_version_and_its_scores():
    read = read_barcode(SHEET.barcode)
    assert (read.round_id, read.seat, read.code, read.version) == (7, "R01", "K7QF-3M", 2)
    assert read.is_of(SHEET)
    changed = (
        replace(SHEET, version=3), replace(SHEET, seat="R02"), replace(SHEET, round_id=8),
        replace(SHEET, scores={**SHEET.scores, "papers": Fraction("12.5")}),
        replace(SHEET, scores={"work": Fraction(12), "papers": Fraction("31.5")}),
    )  # fmt: skip
    assert not any(read.is_of(sheet) for sheet in changed)
    assert len({sheet.sha256 for sheet in (SHEET, *changed)}) == 6


@given(st.text())
def test_other_codes_are_none(text):
    assert read_barcode(text) is None


def test_every_printed_code_can_be_scanned():
    pdf = signature_pdf("R01", sheets(9), policy(), title="测试通知", year=2024)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) >= 2
    found, text = [], ""
    for page in document:
        pixels = np.asarray(page.render(scale=150 / 72).to_pil().convert("L"))
        found += [code.text for code in zxingcpp.read_barcodes(pixels)]
        text += page.get_textpage().get_text_range()
        assert "评委签名" in page.get_textpage().get_text_range()
    assert sorted(found) == sorted(sheet.barcode for sheet in sheets(9))
    assert text.count("合计") == text.count("43.5") == 9
    assert text.count("31.5") == 9
    assert "业绩" in text and "测试通知" in text


def test_the_same_sheets_print_the_same_bytes():
    make = lambda: signature_pdf("R01", sheets(2), policy(), title="x", year=2024)  # noqa: E731
    assert make() == make()


def test_markup_in_texts_is_no_markup():
    evil = replace(SHEET, code="#image(1)", specialty="*x* $y$", level="<a>")
    assert b"%PDF" in signature_pdf("R01", [evil], policy(), title="#panic()", year=2024)


def test_sheets_of_one_seat_only():
    for wrong in ([], [SHEET, replace(SHEET, seat="R02")]):
        with pytest.raises(ValueError, match="R01"):
            signature_pdf("R01", wrong, policy(), title="x", year=2024)


def test_criteria_stand_in_the_order_of_the_policy():
    (shown,) = signature_data("R01", [SHEET], policy(), title="x", year=2024)["sheets"]
    assert shown["scores"] == [["业绩", "40", "31.5"], ["论文", "30", "12"]]
    assert shown["total"] == "43.5"

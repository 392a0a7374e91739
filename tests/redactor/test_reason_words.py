"""Reasons of masks and pages in both languages: what the redactor says has words in each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import redactor
from redactor import judgement
from redactor.errors import Sentence, UnreadablePage
from redactor.file_format import refuse_other_formats
from redactor.reason_words import FAILURES, reason_words, why_words

HOME = Path(redactor.__file__).parent
HAN = re.compile(r"[\u3400-\u9fff]")


def said(node: ast.expr) -> str:
    """A text of the program with {} for its values."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)


def failures() -> list[tuple[str, str]]:
    """(Chinese, English) of every error with which a file or page fails."""
    return [
        (said(call.args[0]), said(call.args[1]))
        for path in HOME.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "UnreadablePage"
        and len(call.args) >= 2
        and said(call.args[0]) != "{}"  # TOOK_TOO_LONG, a sentence with both languages
    ]


def test_every_failure_is_told_in_both_languages() -> None:
    known = failures()
    assert len(known) > 15
    assert set(known) <= set(FAILURES)


@pytest.mark.parametrize(("zh", "en"), FAILURES)
def test_a_failure_changes_its_language_with_what_it_names(zh: str, en: str) -> None:
    values = [f"v{n}" for n in range(zh.count("{}"))]
    assert en.count("{}") == len(values)
    one, other = zh.format(*values), en.format(*values)
    assert reason_words(one, "en") == other
    assert reason_words(other, "zh") == one
    assert reason_words(one, "zh") == one
    assert reason_words(other, "en") == other


def test_every_judgement_is_told_in_both_languages() -> None:
    sentences = [value for value in vars(judgement).values() if isinstance(value, Sentence)]
    sentences += list(judgement._HITS.values())
    assert len(sentences) >= 9
    for sentence in sentences:
        for text in (sentence.zh, sentence.en):
            assert reason_words(text, "zh") == sentence.zh
            assert reason_words(text, "en") == sentence.en


def test_what_a_file_is_instead_of_a_scan_is_told_in_both() -> None:
    for data in (b"PK\x03\x04 word/", b"Rar!", b"plain text", b"\0\1\2\3", b"<html>"):
        with pytest.raises(UnreadablePage) as caught:
            refuse_other_formats(data)
        sentence = caught.value.sentence
        assert reason_words(sentence.zh, "en") == sentence.en
        assert reason_words(sentence.en, "zh") == sentence.zh


def test_what_nobody_has_words_for_stays() -> None:
    assert reason_words("文件损坏了", "en") == "文件损坏了"
    assert reason_words("", "en") == ""
    assert why_words("something quite new", "zh") == "something quite new"


@pytest.mark.parametrize(
    "why",
    [
        "roster name, letter-spaced",
        "roster pinyin, 2 letters unsure",
        "former unit, 1 characters unsure",
        "round seal, red ink, names the unit 某局",
        "embossed seal, 38 mm",
        "QRCode decoded",
        "face, eyes placed by landmarks",
        "portrait, known from another page of the dossier",
        "uncertain face, larger mask",
        "hardly readable face, all of the head masked",
        "picture on a sheet of photos, no face found",
        "first half of the unit at a line's end",
        "first half of the former unit at a line's end",
        "the unit goes on in the next row",
        "the former unit began in the row above",
        "unit in rows over each other",
        "former unit in rows over each other",
        "end of the former unit beside a mask",
        "beginning of the roster name beside a mask",
        "copy of a watermark: roster name",
        "copy of a watermark: short form without place of the unit, 5 characters unsure",
        "short form with the class word of the place of the unit, 3 characters unsure",
        "short form with the larger place of the former unit",
        "parent organisation of the unit, 2 characters unsure",
        "parent organisation without place of the former unit",
        "document number of the unit",
        "document number of the former unit, 1 characters unsure",
        "given name of the roster name",
        "first two parts of the former name",
        "other spelling of the given name of the roster name",
        "QRCode decoded, holds roster name, ID number",
        "QRCode decoded, holds nothing of the roster",
        "number as long as a diploma's",
        "dense modules or bars, not decodable",
        "ink that runs out of a signature",
        "a place dense with specks on a page to be signed, perhaps a fingerprint",
        "a picture on an ID card, no face found",
        "perhaps a worn seal, grey ink",
        "fragment of a name",
        "citizen ID number",
        "ID number, old 15-digit form",
        "partly hidden mobile number",
        "phone number with country code",
        "fixed-line number",
        "bank card number",
        "pen strokes at the label 姓名",
        "marked by the applicant",
        "drawn by a person",
        "document number of a letterhead",
        "fingerprint, ridges 0.5 mm apart",
    ],
)
def test_a_mask_s_reason_is_chinese_for_chinese_readers(why: str) -> None:
    chinese = why_words(why, "zh")
    assert HAN.search(chinese)
    assert not re.search(r"[a-z]{3,}", re.sub("QRCode", "", chinese)), chinese
    assert why_words(why, "en") == why

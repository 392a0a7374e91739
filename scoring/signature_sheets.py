"""Printed score sheets for the reviewers to sign, one PDF for each, with a code on every sheet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any

import zxingcpp

from scoring.canonical import sha256
from scoring.points import decimal_text, total
from scoring.policy import Policy
from scoring.typst_pdf import print_pdf

_LAYOUT = files("scoring") / "signature_sheets.typ"
PREFIX = "MP1"
HASH_DIGITS = 16
_CODE = re.compile(rf"{PREFIX}\|(\d+)\|([^|]+)\|([^|]+)\|(\d+)\|([0-9a-f]{{{HASH_DIGITS}}})")


@dataclass(frozen=True)
class SignatureSheet:
    """A submitted sheet as it is printed. `scores`: exact points by criterion id. `version`: of the
    sheet, from 1. Scores are those that the store holds, never retyped."""

    round_id: int
    seat: str
    code: str
    specialty: str
    level: str
    version: int
    scores: Mapping[str, Fraction]

    @property
    def total(self) -> Fraction:
        return total(self.scores.values())

    @property
    def sha256(self) -> str:
        """The hash of everything that is signed for."""
        return sha256(
            {
                "round": self.round_id,
                "seat": self.seat,
                "code": self.code,
                "version": self.version,
                "scores": {key: decimal_text(points) for key, points in self.scores.items()},
            }
        )

    @property
    def barcode(self) -> str:
        """What its QR code says: round, seat, code, version, start of the hash."""
        parts = (PREFIX, self.round_id, self.seat, self.code, self.version)
        return "|".join(map(str, (*parts, self.sha256[:HASH_DIGITS])))


@dataclass(frozen=True)
class ReadBarcode:
    """What a scanned sheet's code says."""

    round_id: int
    seat: str
    code: str
    version: int
    sha256_start: str

    def is_of(self, sheet: SignatureSheet) -> bool:
        """Whether the paper is of this sheet in its present version and with its present scores."""
        return read_barcode(sheet.barcode) == self


def read_barcode(text: str) -> ReadBarcode | None:
    """The parts of a code, None for anything that is no code of a signature sheet."""
    found = _CODE.fullmatch(text.strip())
    if found is None:
        return None
    round_id, seat, code, version, start = found.groups()
    return ReadBarcode(int(round_id), seat, code, int(version), start)


def signature_pdf(
    seat: str, sheets: Sequence[SignatureSheet], policy: Policy, *, title: str, year: int
) -> bytes:
    """The PDF of one reviewer's sheets, by code; ValueError for sheets of another seat or none.

    A line for the signature stands on every page. The same sheets give the same bytes.
    """
    if not sheets or {sheet.seat for sheet in sheets} != {seat}:
        raise ValueError(f"sheets of {seat} only, and at least one")
    return print_pdf(_LAYOUT, signature_data(seat, sheets, policy, title=title, year=year))


def signature_data(
    seat: str, sheets: Sequence[SignatureSheet], policy: Policy, *, title: str, year: int
) -> dict[str, Any]:
    """What the layout shows, as texts, and the codes as pictures (SVG)."""
    return {
        "title": title,
        "year": str(year),
        "seat": seat,
        "count": str(len(sheets)),
        "sheets": [
            {
                "code": sheet.code,
                "about": "　".join(text for text in (sheet.specialty, sheet.level) if text),
                "version": str(sheet.version),
                "scores": [
                    [
                        item.name or item.id,
                        decimal_text(item.max),
                        decimal_text(sheet.scores[item.id]),
                    ]
                    for item in policy.criterion
                    if item.id in sheet.scores
                ],
                "total": decimal_text(sheet.total),
                "hash": sheet.sha256[:HASH_DIGITS],
                "svg": _svg(sheet.barcode),
            }
            for sheet in sorted(sheets, key=lambda sheet: sheet.code)
        ],
    }


def _svg(text: str) -> str:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(zxingcpp.write_barcode_to_svg(code))

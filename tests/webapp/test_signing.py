"""What is printed for signing is what the store holds, corrections included."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlalchemy.orm import Session

from models.base import open_store
from models.rounds import record_recusal
from scoring.signature_sheets import read_barcode
from scoring.signed_sheet_audit import compare, draw
from tests.models.rounds_sample import CODES, SEATS, sample_round, submit_all
from tests.webapp.closed_round import POLICY, closed_round
from webapp.policy_texts import policy_from_text
from webapp.settings import Settings
from webapp.signing import seat_pdf, sheets_to_sign, stored_totals


def test_a_corrected_sheet_is_another_paper(settings: Settings) -> None:
    with Session(open_store(settings.review_url)) as session:
        round_id = closed_round(session)
        found = sheets_to_sign(session, round_id)
        totals = stored_totals(session, round_id)
        pdf = seat_pdf(session, round_id, "R01", policy_from_text(POLICY, "test_office"))
        with pytest.raises(ValueError, match="R09"):
            seat_pdf(session, round_id, "R09", policy_from_text(POLICY, "test_office"))
    assert list(found) == list(SEATS)
    versions = {sheet.code: sheet.version for sheet in found["R01"]}
    assert versions == {CODES[0]: 2, CODES[1]: 1}
    assert pdf.startswith(b"%PDF")
    assert len(totals) == 6 and set(totals.values()) == {Fraction(44), Fraction("43.5")}
    for sheet in found["R02"]:
        read = read_barcode(sheet.barcode)
        assert read is not None and read.is_of(sheet) and totals[f"R02|{sheet.code}"] == sheet.total
    drawn = draw("17", totals, 3).sheets
    assert compare({name: totals[name] for name in drawn}, {n: totals[n] for n in drawn}) == ()


def test_sheets_that_do_not_count_are_not_signed(settings: Settings) -> None:
    with Session(open_store(settings.review_url)) as session:
        round_id = sample_round(session)
        assert sheets_to_sign(session, round_id) == {}
        submit_all(session, round_id)
        record_recusal(
            session, round_id=round_id, reviewer="R01", code=CODES[0], reason="同事", by="o"
        )
        assert [sheet.code for sheet in sheets_to_sign(session, round_id)["R01"]] == [CODES[1]]

"""Signed sheets: printed, scanned back, known by their codes; a drawn sample is keyed again."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import open_store
from models.office_papers import scans_of
from scoring.points import decimal_text
from scoring.ranking import draw_order
from tests.webapp.result_round import ResultRound, furnish_result
from tests.webapp.test_tally import correct
from tests.webapp.test_unseal import post
from webapp.settings import Settings
from webapp.signing import stored_totals

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> ResultRound:
    return furnish_result(vault, review, candidates=4)


def base(made: ResultRound) -> str:
    return f"/rounds/{made.round_id}/signed"


def test_scans_are_kept_and_known_by_their_codes_until_a_sheet_is_corrected(
    sign_in: SignIn, vault: Engine, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    pdf = client.get(f"{base(made)}/sheets/R01.pdf")
    assert pdf.mimetype == "application/pdf" and pdf.data.startswith(b"%PDF")
    assert client.get(f"{base(made)}/sheets/R09.pdf").status_code == 404
    scans = [(io.BytesIO(pdf.data), "R01签字.pdf")]
    status, page = post(client, base(made), scans=scans)
    assert status == 200 and "R01签字.pdf" in page
    with Session(vault) as session:
        (kept,) = scans_of(session, made.round_id)
    assert client.get(f"{base(made)}/scans/{kept.id}").data == pdf.data
    row = page.split(">R01</th>")[1].split("</tr>")[0]
    assert ">4 ✓<" in row
    assert ">0<" in page.split(">R02</th>")[1].split("</tr>")[0]
    post(client, base(made), scans=[(io.BytesIO(pdf.data), "again.pdf")])
    with Session(vault) as session:
        assert len(scans_of(session, made.round_id)) == 1
    correct(review, made)
    page = client.get(base(made)).text
    assert f"R01 × {made.codes[0]} v1" in page
    assert ">3<" in page.split(">R01</th>")[1].split("</tr>")[0]


def test_what_is_no_scan_is_refused_and_a_paper_without_a_code_is_looked_at(
    sign_in: SignIn, vault: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    for name, data in (("a.exe", b"MZ"), ("a.pdf", b"%PDF-1.7 broken"), ("a.png", b"")):
        assert post(client, base(made), scans=[(io.BytesIO(data), name)])[0] == 422, name
    with Session(vault) as session:
        assert scans_of(session, made.round_id) == []
    white = cv2.imencode(".png", np.full((900, 600, 3), 255, np.uint8))[1].tobytes()
    page = post(client, base(made), scans=[(io.BytesIO(white), "白纸.png")])[1]
    assert "请人工核对" in page


def test_a_seeded_sample_is_keyed_again_and_compared(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    for bad in ({"seed": " ", "size": "3"}, {"seed": "5", "size": "0"}, {"seed": "5", "size": "x"}):
        assert post(client, f"{base(made)}/draws", **bad)[0] == 422
    assert post(client, f"{base(made)}/draws", seed="3-5-2", size="3")[0] == 200
    with Session(review) as session:
        totals = stored_totals(session, made.review_id)
    drawn = draw_order(list(totals), "3-5-2")[:3]
    path = f"{base(made)}/draws/1"
    page = client.get(path).text
    assert [page.index(name) for name in drawn] == sorted(page.index(name) for name in drawn)
    # Whoever keys the paper must not see what is stored.
    assert not any(f">{decimal_text(totals[name])}<" in page for name in drawn)
    right = [decimal_text(totals[name]) for name in drawn]
    assert post(client, path, **{"total-0": "1e3"})[0] == 422
    page = post(client, path, **{"total-0": right[0], "total-1": "1.5"})[1]
    assert page.count("✓ 相符") == 1 and f"库中为 {right[1]}" in page
    page = post(client, path, **{f"total-{n}": text for n, text in enumerate(right)})[1]
    assert page.count("✓ 相符") == 3 and "全部相符" in page
    assert client.get(f"{base(made)}/draws/2").status_code == 404

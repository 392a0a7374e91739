"""The locked tally: numbered, corrected by two persons only, proven by its documents."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import audit_head, verify_audit
from models.base import open_store
from models.review import Round, Tally
from models.review_sheets import Sheet
from models.sheets import correct_sheet
from scoring.result_json import verify_document
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.result_round import RULES, ResultRound, furnish_result, name_of
from webapp.archive_proof import verify_archive
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> ResultRound:
    return furnish_result(vault, review)


def shown_input(page: str) -> str:
    return page.split('name="input" value="')[1].split('"')[0]


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def freeze(client: FlaskClient, made: ResultRound, **form: object) -> tuple[int, str]:
    path = f"/rounds/{made.round_id}/tally"
    return post(client, path, confirm="yes", input=shown_input(client.get(path).text), **form)


def correct(review: Engine, made: ResultRound) -> None:
    with Session(review) as session, session.begin():
        sheet = session.scalars(
            select(Sheet).filter_by(round_id=made.review_id, reviewer="R01", code=made.codes[0])
        ).one()
        correct_sheet(
            session, sheet_id=sheet.id, scores={"achievements": 4000, "papers": 3000},
            base_version=sheet.version, rules=RULES, reason="漏加", by="secretary",
            confirmed_by="admin",
        )  # fmt: skip


def tallies(review: Engine) -> list[Tally]:
    with Session(review) as session:
        return list(session.scalars(select(Tally).order_by(Tally.number)))


def test_it_is_locked_as_it_was_shown_and_its_documents_prove_it(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}/tally"
    assert post(client, base, input=shown_input(client.get(base).text))[0] == 422
    assert freeze(client, made)[0] == 200
    (kept,) = tallies(review)
    assert verify_document(kept.body).equal and kept.by == "secretary"
    result = client.get(f"{base}/1/result.json")
    assert hashlib.sha256(result.data).hexdigest() == kept.body_sha256
    said = json.loads(kept.body)["sha256"]
    page = client.get(base).text
    assert said in page and "一致" in page
    with Session(review) as session:
        assert audit_head(session).hash in page
    assert client.get(f"{base}/1/minutes.pdf").data.startswith(b"%PDF")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{base}/1/result.xlsx").data))
    texts = [str(cell.value) for row in book["校验"].iter_rows() for cell in row]
    assert any(said in text for text in texts)
    for nothing in ("2/result.json", "1/other.txt", "1/difference", "input/vault.db"):
        assert client.get(f"{base}/{nothing}").status_code == 404


def test_what_changed_meanwhile_is_not_locked_unseen(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}/tally"
    seen = shown_input(client.get(base).text)
    correct(review, made)
    status, page = post(client, base, confirm="yes", input=seen)
    assert status == 422 and "数据有变动" in page
    assert tallies(review) == []


def test_a_correction_takes_a_reason_and_another_person_and_shows_its_difference(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}/tally"
    freeze(client, made)
    assert 'name="input"' not in client.get(base).text
    correct(review, made)
    page = client.get(base).text
    assert "不一致" in page
    good = {"reason": "漏加", "second_login": "admin", "second_password": PASSWORD}
    for bad in (
        {"reason": " "},
        {"second_login": "secretary"},
        {"second_login": "clerk"},
        {"second_login": "nobody"},
        {"second_password": "wrong horse battery"},
        {"reason": f"{name_of(1)} 的分数"},
    ):
        assert freeze(client, made, **{**good, **bad})[0] == 422, bad
        assert len(tallies(review)) == 1
    assert freeze(client, made, **good)[0] == 200
    first, second = tallies(review)
    assert (second.reason, second.by, second.confirmed_by) == ("漏加", "secretary", "admin")
    assert json.loads(second.body)["input"]["replaces"] == json.loads(first.body)["sha256"]
    report = client.get(f"{base}/2/difference").text
    assert made.codes[0] in report and "漏加" in report and "secretary、admin" in report
    with Session(review) as session:
        assert verify_audit(session).problems == ()


def test_two_secretaries_at_once_lock_it_once(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    path = f"/rounds/{made.round_id}/tally"
    clients = [sign_in("secretary"), sign_in("admin")]
    forms = []
    for client in clients:
        page = client.get(path).text
        forms.append({"csrf_token": form_token(page), "input": shown_input(page), "confirm": "yes"})
    start = threading.Barrier(len(clients))

    def lock(client: FlaskClient, form: dict[str, str]) -> int:
        start.wait()
        return client.post(path, data=form).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lock, clients, forms))
    assert sorted(answers) == [303, 422]
    assert [kept.number for kept in tallies(review)] == [1]


def test_guesses_at_the_second_password_are_slowed(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    freeze(client, made)
    correct(review, made)
    path = f"/rounds/{made.round_id}/tally"
    form = {"input": shown_input(client.get(path).text), "confirm": "yes", "reason": "漏加"}
    answers = [
        post(client, path, second_login="admin", second_password=f"guess {n}", **form)[0]
        for n in range(12)
    ]
    assert answers[0] == 422 and answers[-1] == 429


def test_the_round_is_closed_with_its_tally_and_archived(
    sign_in: SignIn, review: Engine, made: ResultRound, settings: Settings
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}/tally"
    assert post(client, f"{base}/archive")[0] == 422
    assert post(client, f"{base}/close", confirm="yes")[0] == 422
    freeze(client, made)
    assert post(client, f"{base}/close")[0] == 422
    assert post(client, f"{base}/close", confirm="yes")[0] == 200
    with Session(review) as session:
        assert session.get_one(Round, made.review_id).phase == "closed"
    status, page = post(client, f"{base}/archive")
    packed = client.get(f"{base}/archive.zip").data
    assert status == 200 and hashlib.sha256(packed).hexdigest() in page
    path = settings.data / "archive.zip"
    path.write_bytes(packed)
    proof = verify_archive(path)
    assert proof.problems == [] and proof.head is not None and proof.head.hash in page

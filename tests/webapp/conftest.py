"""An installation in a temporary folder, with people who may sign in, and a round with scans."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import xlrd
import zxingcpp
from flask import Flask, has_request_context, request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.accounts import create_account
from models.base import open_store, utc_now
from models.migration import migrate
from models.office_rounds import EntrantRow, make_round, put_entrants
from models.vault_rounds import Entrant, SourceFile
from redactor import loading, roster_cells
from redactor.applicant import Applicant
from redactor.blind_code import new_codes
from webapp.office.app import create_office
from webapp.office.work import scans_folder
from webapp.settings import Settings, prepare_folders

if TYPE_CHECKING:
    from tests.webapp.upload_desk import Desk

PASSWORD = "correct horse battery"
PEOPLE = (
    Applicant(1, 4, "诸葛晓岚", "巴音郭楞蒙古自治州林业和草原局", id_number="652899198501014510"),
    Applicant(2, 5, "李建国", "库尔勒市第三中学"),
)


PARSERS = (
    (loading, "_opened"),
    (roster_cells, "read_file"),
    (openpyxl, "load_workbook"),
    (xlrd, "open_workbook"),
    (zxingcpp, "read_barcodes"),
)
"""Where pictures, PDFs and sheets of strangers begin to be read."""


@pytest.fixture(autouse=True)
def parsed_in_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No request may parse a stranger's file in the process that answers it; names those that
    did, and then fails the test."""
    found: list[str] = []

    def watched(name: str, parse: Callable[..., Any]) -> Callable[..., Any]:
        def parse_or_tell(*values: Any, **named: Any) -> Any:
            if has_request_context():
                found.append(f"{request.method} {request.path}: {name}")
            return parse(*values, **named)

        return parse_or_tell

    for module, name in PARSERS:
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    yield found
    assert found == []


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An empty installation, migrated once for all tests."""
    made = Settings(data=tmp_path_factory.mktemp("installed") / "data", workers=1)
    prepare_folders(made)
    for url, store in ((made.vault_url, "vault"), (made.review_url, "review")):
        engine = open_store(url)
        migrate(engine, store)  # type: ignore[arg-type]
        engine.dispose()
    return made


@pytest.fixture(scope="session")
def staffed(installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same with the accounts admin, clerk and secretary; hashing passwords takes a while."""
    made = _copy(installed, tmp_path_factory.mktemp("staffed"))
    with Session(open_store(made.vault_url)) as session, session.begin():
        for role in ("admin", "clerk", "secretary"):
            create_account(
                session, login=role, name=f"{role}甲", role=role, password=PASSWORD, by="test"
            )
    return made


def _copy(there: Settings, folder: Path) -> Settings:
    made = Settings(data=folder / "data", workers=1)
    shutil.copytree(there.data, made.data)
    return made


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A copy for one test; with accounts when the test uses the office."""
    source = "staffed" if "office" in request.fixturenames else "installed"
    return _copy(request.getfixturevalue(source), tmp_path)


@pytest.fixture
def vault(settings: Settings) -> Engine:
    return open_store(settings.vault_url)


@pytest.fixture
def office(settings: Settings) -> Flask:
    """The office's app; accounts admin, clerk and secretary, all with PASSWORD."""
    return create_office(settings)


@pytest.fixture
def sign_in(office: Flask) -> Callable[[str], FlaskClient]:
    """A client that is signed in as an account, with its forms' token."""

    def sign_in(login: str) -> FlaskClient:
        client = office.test_client()
        page = client.get("/sign-in").text
        data = {"login": login, "password": PASSWORD, "csrf_token": form_token(page)}
        assert client.post("/sign-in", data=data).status_code == 302
        return client

    return sign_in


def form_token(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def entrant_row(applicant: Applicant) -> EntrantRow:
    row = json.dumps(dataclasses.asdict(applicant), ensure_ascii=False, sort_keys=True)
    return EntrantRow(
        applicant.number, applicant.name, applicant.unit, applicant.specialty, applicant.level, row
    )


@pytest.fixture
def round_id(vault: Engine) -> int:
    """A round with two applicants and no scans."""
    with Session(vault) as session, session.begin():
        made = make_round(
            session,
            name="2024年度科技系列",
            year=2024,
            policy_name="science_2024",
            policy="",
            profile="strict",
            committee_members=9,
            by="test",
        )
        codes = dict(zip((a.number for a in PEOPLE), new_codes(len(PEOPLE), []), strict=True))
        rows = [entrant_row(a) for a in PEOPLE]
        put_entrants(session, round_id=made.id, rows=rows, codes=codes, by="test")
        return made.id


def add_scan(
    session: Session, settings: Settings, entrant: Entrant, name: str, data: bytes
) -> SourceFile:
    """A scan of an applicant, on disk and in the vault."""
    path = Path(entrant.name) / name
    target = scans_folder(settings, entrant.round_id) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    file = SourceFile(
        round_id=entrant.round_id,
        entrant_id=entrant.id,
        path=path.as_posix(),
        folder=path.parent.as_posix(),
        category="其他",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        state="waiting",
        received_at=utc_now(),
    )
    session.add(file)
    session.flush()
    return file


@pytest.fixture
def desk(sign_in: Callable[[str], FlaskClient], round_id: int) -> Desk:
    from tests.webapp.upload_desk import Desk  # it takes the form's token from here

    return Desk(sign_in("clerk"), round_id)

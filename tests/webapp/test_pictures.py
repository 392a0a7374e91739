"""Pictures of pages: made once by the workers, at the sizes of screens, and seen by the office
alone."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.vault_pages import Page
from models.vault_rounds import SourceFile
from tests.webapp.page_rows import SIZE, add_page, mask
from webapp.office.derivatives import picture_records, pictures_folder, source_name
from webapp.office.work import file_job
from webapp.page_pictures import keep_pictures, picture_file
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]

SIZES = ("thumb", "screen", "full")


@pytest.fixture
def page_id(settings: Settings, vault: Engine, round_id: int) -> int:
    with Session(vault) as session, session.begin():
        return add_page(session, settings, round_id, masks=[mask(10, 100)]).id


def test_a_picture_is_private_kept_by_the_browser_and_not_sent_twice(
    sign_in: SignIn, page_id: int
) -> None:
    client = sign_in("clerk")
    first = client.get(f"/pictures/{page_id}/masked/0/screen/x")
    assert first.mimetype == "image/jpeg"
    assert first.headers["Cache-Control"].startswith("private,")
    tag = first.headers["ETag"]
    again = client.get(f"/pictures/{page_id}/masked/0/screen/x", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"].startswith("private,")


@pytest.mark.parametrize("size", ["thumb", "screen", "full"])
def test_the_source_comes_upright(sign_in: SignIn, page_id: int, size: str) -> None:
    data = sign_in("clerk").get(f"/pictures/{page_id}/source/90/{size}/x").data
    height, width = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    assert width == (240 if size == "thumb" else SIZE[1])
    assert round(width / height, 2) == round(SIZE[1] / SIZE[0], 2)


def test_strangers_get_no_picture(sign_in: SignIn, page_id: int) -> None:
    address = f"/pictures/{page_id}/source/0/screen/x"
    client = sign_in("secretary")
    assert client.get(address).status_code == 403
    client.delete_cookie("mp_office")
    assert client.get(address).status_code == 302


@pytest.mark.parametrize(
    "path",
    ["999/masked/0/screen/x", "1/other/0/screen/x", "1/masked/45/screen/x", "1/masked/0/huge/x",
     "1/..%2f..%2fvault.db/0/screen/x"],
)  # fmt: skip
def test_addresses_that_name_no_picture(sign_in: SignIn, page_id: int, path: str) -> None:
    assert sign_in("clerk").get(f"/pictures/{path}").status_code == 404


def test_a_failed_page_has_no_masked_picture(
    sign_in: SignIn, settings: Settings, vault: Engine, round_id: int
) -> None:
    with Session(vault) as session, session.begin():
        page_id = add_page(session, settings, round_id, state="failed").id
    client = sign_in("clerk")
    assert client.get(f"/pictures/{page_id}/masked/0/screen/x").status_code == 404
    assert client.get(f"/pictures/{page_id}/source/0/screen/x").status_code == 200


def test_workers_make_the_pictures_below_the_vault(
    settings: Settings, vault: Engine, round_id: int, page_id: int
) -> None:
    with Session(vault) as session:
        page = session.get_one(Page, page_id)
        file = session.get_one(SourceFile, page.file_id)
        job = file_job(session, settings, file)
        from redactor.file_job import record_from_json
        from webapp.office.page_state import json

        record = record_from_json(json.loads(page.record))
        folder = pictures_folder(settings, round_id)
        picture_records(job, folder, file.sha256, [record])
        names = [source_name(file.sha256, 0, 0), page.staged_sha256[:32]]
    made = [picture_file(folder, name, size) for name in names for size in ("thumb", "screen")]
    assert all(path.exists() and settings.vault in path.parents for path in made)
    times = [path.stat().st_mtime_ns for path in made]
    picture_records(job, folder, file.sha256, [record])
    assert [path.stat().st_mtime_ns for path in made] == times


def test_pictures_are_never_enlarged(settings: Settings, round_id: int) -> None:
    folder = pictures_folder(settings, round_id)
    keep_pictures(folder, "ab", np.zeros((100, 2000, 3), np.uint8), SIZES)
    widths = {}
    for size in SIZES:
        widths[size] = cv2.imread(str(picture_file(folder, "ab", size))).shape[1]
    assert widths == {"thumb": 240, "screen": 1400, "full": 2000}

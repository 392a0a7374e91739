"""Pictures of released pages: sharp enough, for those who hold the dossier, and for nobody else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.page_reports import report_page, settle_report
from models.review_pages import ReleasedPage
from models.rounds import record_recusal
from models.seat_dossiers import NAME_LENGTH, dossiers_of
from models.sheets import exclude_sheet, withdraw_sheet
from tests.webapp.review_round import SIZE, ReviewRound
from webapp.page_pictures import forget_pictures
from webapp.review import pictures
from webapp.settings import ReviewSettings

Tablet = Callable[[str], FlaskClient]


def listed(client: FlaskClient, code: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get(f"/d/{code}/pages.json").json or []
    return found


def address(client: FlaskClient, code: str, at: int = 0, size: str = "1x") -> str:
    return f"/d/{code}/pictures/{listed(client, code)[at]['name']}/{size}"


def sheet_id(store: Engine, made: ReviewRound, seat: str, code: str) -> int:
    with Session(store) as session:
        dossiers = dossiers_of(session, made.round_id, seat)
    return next(dossier.sheet_id for dossier in dossiers if dossier.code == code)


@pytest.mark.parametrize(
    ("size", "width"), [("thumb", 240), ("1x", 1000), ("2x", SIZE[0]), ("full", SIZE[0])]
)
def test_each_size_is_as_wide_as_it_says_and_never_enlarged(
    made: ReviewRound, tablet: Tablet, size: str, width: int
) -> None:
    client = tablet("R01")
    answer = client.get(address(client, made.codes[0], size=size))
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.data)).width == width


def test_the_full_size_is_the_released_page_bit_for_bit(
    made: ReviewRound, tablet: Tablet, review_settings: ReviewSettings
) -> None:
    client, code = tablet("R01"), made.codes[0]
    file = review_settings.blind / str(made.round_id) / code / "001.jpg"
    assert client.get(address(client, code, size="full")).data == file.read_bytes()


def test_small_pictures_are_made_once(
    made: ReviewRound, tablet: Tablet, review_settings: ReviewSettings
) -> None:
    client, code = tablet("R01"), made.codes[0]
    first = client.get(address(client, code)).data
    files = {path: path.stat().st_mtime_ns for path in kept(review_settings)}
    assert {path.name.rpartition("-")[2] for path in files} == {"thumb.jpg", "1x.jpg"}
    assert tablet("R02").get(address(client, code)).data == first
    assert {path: path.stat().st_mtime_ns for path in kept(review_settings)} == files
    forget_pictures(review_settings.folder / "pictures", next(iter(files)).name[:64])
    assert kept(review_settings) == []


def kept(settings: ReviewSettings) -> list:
    return sorted((settings.folder / "pictures").glob("*/*.jpg"))


def test_no_picture_carries_metadata_or_a_time(made: ReviewRound, tablet: Tablet) -> None:
    client, code = tablet("R01"), made.codes[0]
    for size in pictures.SIZES:
        answer = client.get(address(client, code, size=size))
        found = Image.open(io.BytesIO(answer.data))
        assert not dict(found.getexif())
        assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"Exif" not in answer.data
        assert "Last-Modified" not in answer.headers
        assert "Content-Disposition" not in answer.headers


def test_addresses_hold_neither_order_nor_time(made: ReviewRound, tablet: Tablet) -> None:
    client, code = tablet("R01"), made.codes[0]
    names = [str(page["name"]) for page in listed(client, code)]
    assert all(re.fullmatch(rf"[0-9a-f]{{{NAME_LENGTH}}}", name) for name in names)
    assert names != sorted(names)
    for page in listed(client, code):
        assert set(page) == {"number", "category", "label", "name", "width", "height", "frozen"}


def test_a_browser_asks_each_time_and_gets_a_few_bytes(made: ReviewRound, tablet: Tablet) -> None:
    client = tablet("R01")
    one = address(client, made.codes[0])
    first = client.get(one)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(one, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    # The same pixels have the same tag, whoever holds them and in whatever dossier.
    assert tablet("R02").get(one).headers["ETag"] == first.headers["ETag"]
    assert first.headers["ETag"] != client.get(address(client, made.codes[0], 1)).headers["ETag"]


def test_a_frozen_page_is_refused_at_once_even_to_a_tablet_that_has_it(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    mine, other, code = tablet("R01"), tablet("R02"), made.codes[0]
    one = address(other, code)
    had = other.get(one)
    with Session(store) as session, session.begin():
        report_page(session, round_id=made.round_id, code=code, number=1, reason="页眉", by="R01")
    for client in (mine, other):
        for size in pictures.SIZES:
            again = {"If-None-Match": had.headers["ETag"]}
            answer = client.get(one.replace("/1x", f"/{size}"), headers=again)
            assert (answer.status_code, answer.data) == (423, b"")
            assert answer.headers["Cache-Control"] == "no-store"
    assert other.get(address(other, code, 1)).status_code == 200


def test_pixels_that_are_frozen_once_are_frozen_wherever_they_stand_in_the_dossier(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    code = made.codes[0]
    with Session(store) as session, session.begin():
        first, second = (
            session.get_one(ReleasedPage, (made.round_id, code, number)) for number in (1, 2)
        )
        second.sha256 = first.sha256
        second.frozen = True
    client = tablet("R01")
    assert [page["frozen"] for page in listed(client, code)] == [True, True, False, False]
    assert client.get(address(client, code, 0)).status_code == 423


def test_a_page_comes_back_when_the_office_has_decided(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    place = {"round_id": made.round_id, "code": code, "number": 1}
    with Session(store) as session, session.begin():
        report_page(session, **place, reason="页眉", by="R01")
        settle_report(session, **place, decision="not_identifying", reason="不是", by="office")
    assert client.get(address(client, code)).status_code == 200


@pytest.mark.parametrize("how", ["recused", "withdrawn"])
def test_a_dossier_that_is_no_longer_the_seats_is_no_page(
    made: ReviewRound, tablet: Tablet, store: Engine, how: str
) -> None:
    client, code = tablet("R01"), made.codes[0]
    one = address(client, code)
    tag = client.get(one).headers["ETag"]
    with Session(store) as session, session.begin():
        if how == "recused":
            record_recusal(
                session, round_id=made.round_id, reviewer="R01", code=code, reason="同单位",
                by="R01",
            )  # fmt: skip
        else:
            withdraw_sheet(session, sheet_id=sheet_id(store, made, "R01", code), by="office")
    assert client.get(one, headers={"If-None-Match": tag}).status_code == 404
    assert client.get(f"/d/{code}/").status_code == 404
    assert client.get(f"/d/{code}/pages.json").status_code == 404
    assert tablet("R02").get(one).status_code == 200


def test_an_excluded_sheets_dossier_can_still_be_read(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    with Session(store) as session, session.begin():
        number = sheet_id(store, made, "R01", code)
        exclude_sheet(session, sheet_id=number, reason="未完成", by="office")
    assert client.get(address(client, code)).status_code == 200


def test_a_name_of_another_dossiers_page_and_tricks_lead_nowhere(
    made: ReviewRound, tablet: Tablet
) -> None:
    client = tablet("R01")
    one = address(client, made.codes[0])
    name = one.split("/")[4]
    for path in (
        f"/d/AAAA-AA/pictures/{name}/1x",
        f"/d/{made.codes[0]}/pictures/{name}/screen",
        f"/d/{made.codes[0]}/pictures/{name[:-1]}/1x",
        f"/d/{made.codes[0]}/pictures/{'_' * NAME_LENGTH}/1x",
        f"/d/{made.codes[0]}/pictures/{'%25' * NAME_LENGTH}/1x",
        f"/d/{made.codes[0]}/pictures/..%2f..%2freview.db/1x",
    ):
        assert client.get(path).status_code == 404, path


def test_pixels_that_were_not_released_are_never_shown(
    made: ReviewRound, tablet: Tablet, review_settings: ReviewSettings
) -> None:
    client, code = tablet("R01"), made.codes[0]
    file = review_settings.blind / str(made.round_id) / code / "001.jpg"
    other = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    file.write_bytes(cv2.imencode(".jpg", other)[1].tobytes())
    for size in pictures.SIZES:
        answer = client.get(address(client, code, size=size))
        assert (answer.status_code, answer.data) == (503, b"")
    file.unlink()
    assert client.get(address(client, code)).status_code == 503
    assert kept(review_settings) == []


def test_threads_that_scores_need_do_not_wait_for_pictures(
    made: ReviewRound, tablet: Tablet
) -> None:
    client, code = tablet("R01"), made.codes[0]
    for _ in range(3):
        assert pictures._FEW.acquire(blocking=False)
    try:
        answer = client.get(address(client, code))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    finally:
        for _ in range(3):
            pictures._FEW.release()
    assert client.get(address(client, code)).status_code == 200


def test_nobody_gets_a_picture_without_a_seat(
    made: ReviewRound, tablet: Tablet, review_app: object
) -> None:
    one = address(tablet("R01"), made.codes[0])
    answer = review_app.test_client().get(one)  # type: ignore[attr-defined]
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")

"""What goes over the wire: nothing that an expert's tablet can ask for tells who it is."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import PIL.Image as Pillow
import pytest
from argon2 import PasswordHasher
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from models import seat_access
from models.ballots import close_ballot, open_ballot
from models.base import open_store
from models.review import Candidate
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet, SheetVersion
from models.rounds import advance_round
from redactor.assembly import FIXED_TIME
from tests.webapp.planted_round import (
    LET_OUT,
    OFFICE,
    PEOPLE,
    SEATS,
    SENT,
    Planted,
    plant,
    words_of_vault,
)
from tests.webapp.review.wire_requests import EXAMPLES, Visit, look, rules_of, visit_all
from tests.webapp.review.wire_search import (
    Seen,
    Words,
    leaks,
    out_of_order,
    picture_facts,
    seen,
    spellings,
    years,
)
from tests.webapp.review_meeting import MEETING_POLICY, bring_to_meeting
from webapp.language import COOKIE as LANGUAGE
from webapp.review.app import COOKIE, create_review
from webapp.settings import Settings, review_settings

VISITORS = (None, *SEATS)
FEWER = (None, "R01", "R02")
FORCED = {200, 302, 304, 400, 401, 403, 404, 405, 409, 413, 422, 423, 429, 500}


@pytest.fixture(scope="module")
def planted(installed: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted") / "data"
    shutil.copytree(installed.data, folder)
    settings = Settings(data=folder, workers=1)
    # PINs are asked for a hundred times; how long hashing them takes is not what is tried here.
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seat_access, "HASHER", quick)
        patch.setattr(seat_access, "_NOBODY", quick.hash("-"))
        yield plant(settings, open_store(settings.vault_url))


@pytest.fixture(scope="module")
def words(planted: Planted) -> Words:
    return Words(words_of_vault(open_store(planted.settings.vault_url)))


def tablet(app: Flask, made: Planted, seat: str | None) -> FlaskClient:
    client = app.test_client()
    if seat is not None:
        client.set_cookie(COOKIE, made.tokens[seat])
    if seat == "R02":
        client.set_cookie(LANGUAGE, "en")
    return client


def everything(
    app: Flask, made: Planted, phase: str, visitors: Sequence[str | None] = VISITORS
) -> list[Seen]:
    """Every answer that nobody and each seat gets at this moment."""
    dossiers = len(made.codes) if phase == "scoring" else 1
    return [
        seen(f"{phase}, {seat or 'nobody'}: {what}", answer)
        for seat in visitors
        for what, answer in visit_all(tablet(app, made, seat), Visit(made, seat, dossiers))
    ]


@pytest.fixture(scope="module")
def answers(planted: Planted) -> list[Seen]:
    """Of a whole review: scoring, defence, an open and a closed ballot, and a broken store."""
    made = planted
    app = create_review(review_settings(made.settings))
    found = everything(app, made, "scoring")
    bring_to_meeting(made.review, made.round_id, "defence", came=4, policy=MEETING_POLICY)
    made.sign_in_anew()
    found += everything(app, made, "defence", FEWER)
    with Session(made.review) as session, session.begin():
        advance_round(session, round_id=made.round_id, to="voting", by=OFFICE)
        ballot = open_ballot(session, round_id=made.round_id, codes=made.codes, by=OFFICE)
    made.sign_in_anew()
    found += everything(app, made, "ballot", FEWER)
    with Session(made.review) as session, session.begin():
        close_ballot(session, ballot_id=ballot, by=OFFICE)
    made.sign_in_anew()
    found += everything(app, made, "counted", FEWER)
    return found + _too_many(app) + _broken(made)


def _too_many(app: Flask) -> list[Seen]:
    client = app.test_client()
    visits = []
    token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[0]
    for _ in range(130):  # the minute that is counted may end on the way
        data = {"number": "AAAAAAAA", "secret": "", "csrf_token": token}
        visits.append(client.post("/sign-in", data=data))
        if visits[-1].status_code == 429:
            break
    return [seen("too many", answer) for answer in visits]


def _broken(made: Planted) -> list[Seen]:
    """The app with a store that lacks its tables of sheets."""
    made.sign_in_anew()
    folder = made.settings.data.parent / "broken"
    shutil.copytree(made.settings.data, folder)
    there = review_settings(Settings(data=folder))
    with open_store(there.database).begin() as connection:
        connection.execute(text("ALTER TABLE sheet RENAME TO no_sheet"))
        connection.execute(text("ALTER TABLE round RENAME TO no_round"))
    app = create_review(there)
    app.logger.disabled = True
    return everything(app, made, "broken", ("R01",))


def test_every_page_of_the_app_is_asked_for(planted: Planted) -> None:
    app = create_review(review_settings(planted.settings))
    assert rules_of(app) == set(EXAMPLES)
    app.add_url_rule("/new", "new", lambda: "")
    assert rules_of(app) - set(EXAMPLES) == {"GET /new"}


def test_the_visits_reach_what_they_are_for(answers: list[Seen], planted: Planted) -> None:
    """A search that only saw refusals would prove nothing."""
    assert {answer.status for answer in answers} >= FORCED
    for name in EXAMPLES:
        method, rule = name.split()
        pattern = re.compile(rf": {method} {re.sub('<[^>]+>', '[^ ]+', rule)}([?].*)?$")
        mine = [answer for answer in answers if pattern.search(answer.place)]
        good = [answer for answer in mine if answer.status < 400 and ", R0" in answer.place]
        assert good, name
    assert len({a.body for a in answers if a.body.startswith(b"\xff\xd8")}) >= 2 * len(PEOPLE)
    front = [a for a in answers if a.place == "scoring, R01: GET /"]
    assert all(code.encode() in front[0].body for code in planted.codes)


def test_no_answer_tells_who_it_is(answers: list[Seen], words: Words) -> None:
    assert len(words.words) > 100
    assert leaks(words, answers) == []


def test_no_answer_tells_when_anything_was_sent_or_released(answers: list[Seen]) -> None:
    assert years(answers, SENT, LET_OUT) == []
    told = {
        line.split(b":")[0].lower()
        for answer in answers
        if not answer.static
        for line in answer.text.splitlines()
    }
    assert not told & {b"last-modified", b"age", b"expires", b"server", b"x-powered-by"}


def test_pictures_are_pixels_and_nothing_else(answers: list[Seen]) -> None:
    facts = {a.inner for a in answers if a.body.startswith(b"\xff\xd8")}
    names = {line.split(b"=")[0] for found in facts for line in found.splitlines() if b"=" in line}
    assert names <= {b"jfif", b"jfif_version", b"jfif_unit", b"jfif_density", b"dpi", b"APP0"}


def test_an_entity_tag_is_of_what_it_marks(answers: list[Seen], planted: Planted) -> None:
    """Of the pixels' hash, or of the list that it is sent with; never of a file, time or number."""
    pictures = {name for names in planted.names.values() for name in names}
    for answer in answers:
        found = re.findall(rb'(?m)^ETag: "([^"]+)"', answer.text)
        if not found or answer.static or " HEAD " in answer.place:
            continue
        tag = found[0].decode()
        of_list = tag == hashlib.sha1(answer.body).hexdigest()
        assert of_list or tag.rsplit("-", 1)[0] in pictures, answer.place


def test_lists_are_in_the_order_of_codes_alone(answers: list[Seen], planted: Planted) -> None:
    assert len(planted.codes) >= 8  # by accident: once in 40,320
    assert out_of_order(planted.codes, answers) == []
    whole = [a for a in answers if all(code.encode() in a.body for code in planted.codes)]
    places = {answer.place.split(": ")[1] for answer in whole}
    assert {"GET /", "GET /ballot"} <= places


def test_the_experts_files_tell_nothing(
    answers: list[Seen], words: Words, planted: Planted
) -> None:
    """The database as bytes, with what was deleted, the released pages, the small pictures."""
    said = list(planted.settings.blind.rglob("*"))
    assert {path.stat().st_mtime for path in said} == {FIXED_TIME}
    said += list(planted.settings.review.rglob("*"))
    assert any(path.parent.parent.name == "pictures" for path in said)
    # The office's own round may stand in the rows of those who work there.
    for path in said:
        assert words.within(path.as_posix()[len(str(planted.settings.data)) :].encode()) == set()
        if path.is_file():
            assert words.within(path.read_bytes()) == set(), path
            if path.suffix == ".jpg":
                assert words.within(picture_facts(path.read_bytes())) == set(), path


def test_no_row_ties_a_dossier_to_its_release(answers: list[Seen], planted: Planted) -> None:
    """Rows with a release's time or receipt share nothing with rows that name a dossier."""
    sha = re.compile(r"\b[0-9a-f]{16,64}\b")
    of_release: set[str] = set()
    of_dossier: set[str] = set()
    timed = 0
    with Session(planted.review) as session:
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for table in tables:
            for row in session.execute(text(f'SELECT * FROM "{table}"')).mappings():
                # The chain's own links tie each act to the one before it, whatever that was.
                values = [str(v) for name, v in row.items() if name not in ("previous", "hash")]
                line = " ".join(values)
                dossier = [code for code in planted.codes if code in line]
                if re.search(rf"\b{LET_OUT}-\d\d-\d\dT", line):
                    assert not dossier, (table, line)
                    timed += 1
                    of_release |= {*sha.findall(line)}
                elif dossier:
                    of_dossier |= {*sha.findall(line)}
                assert not re.search(rf"\b{SENT}-\d\d-\d\dT", line), (table, line)
        for table in ("candidate", "released_page"):
            with pytest.raises(Exception, match="rowid"):
                session.execute(text(f"SELECT rowid FROM {table}")).all()
    assert timed > len(planted.codes)
    assert of_release
    assert of_dossier
    assert not of_release & of_dossier


def test_rows_lie_in_the_file_in_the_order_of_codes(planted: Planted) -> None:
    """SQLite fills a page from its end; rows that came in another order would lie in that one."""
    raw = (planted.settings.review / "review.db").read_bytes()
    size = int.from_bytes(raw[16:18], "big")
    whole = 0
    for start in range(0, len(raw), size):
        page = raw[start : start + size]
        places = {code: page.find(f"{code}实验技术".encode()) for code in planted.codes}
        if min(places.values()) > 0:
            assert sorted(places, key=lambda code: -places[code]) == sorted(planted.codes)
            whole += 1
    assert whole


NAME, UNIT = PEOPLE[0].name, PEOPLE[0].unit


def _in_comment(made: Planted, _app: Flask) -> None:
    with Session(made.review) as session, session.begin():
        mine = select(Sheet.id).filter_by(reviewer="R01").scalar_subquery()
        session.execute(update(SheetVersion).where(SheetVersion.sheet_id.in_(mine)).values(
            comment="见 zhuge xiaolan 的论文"))  # fmt: skip


def _in_category(made: Planted, _app: Flask) -> None:
    with Session(made.review) as session, session.begin():
        session.execute(update(ReleasedPage).values(category=NAME))


def _in_specialty(made: Planted, _app: Flask) -> None:
    with Session(made.review) as session, session.begin():
        session.execute(update(Candidate).values(specialty=f"实验技术（{NAME}）"))


def _in_picture(made: Planted, _app: Flask) -> None:
    """As metadata in the released file, with a row that agrees."""
    with Session(made.review) as session, session.begin():
        code = next(iter(made.names))
        page = session.scalars(select(ReleasedPage).filter_by(number=1, code=code)).one()
        path = made.settings.blind / str(made.round_id) / page.code / "001.jpg"
        exif, out = Pillow.Exif(), io.BytesIO()
        exif[0x9C9C] = NAME.encode("utf-16-le")
        Pillow.open(path).save(out, "jpeg", exif=exif)
        path.write_bytes(out.getvalue())
        page.sha256 = hashlib.sha256(out.getvalue()).hexdigest()
        made.names[page.code][0] = page.sha256[:32]


def _in_header(name: str, value: str) -> Callable[[Planted, Flask], None]:
    def plant_it(_made: Planted, app: Flask) -> None:
        @app.after_request
        def add(response: Response) -> Response:
            response.headers[name] = value
            return response

    return plant_it


def _in_cookie(_made: Planted, app: Flask) -> None:
    @app.after_request
    def add(response: Response) -> Response:
        from flask import session

        session["seen"] = NAME
        return response


PLANTED = {
    "comment": _in_comment,
    "category": _in_category,
    "specialty": _in_specialty,
    "picture": _in_picture,
    "entity tag": _in_header("ETag", f'"{NAME.encode().hex()}-1x"'),
    "file name": _in_header("Content-Disposition", "inline; filename*=UTF-8''%E8%AF%B8%E8%91%9B"
                            "%E6%99%93%E5%B2%9A.jpg"),
    "signed cookie": _in_cookie,
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_name_that_is_planted_is_found(
    answers: list[Seen], planted: Planted, words: Words, tmp_path: Path, what: str
) -> None:
    shutil.copytree(planted.settings.data, tmp_path / "data")
    settings = Settings(data=tmp_path / "data")
    names = {code: list(found) for code, found in planted.names.items()}
    made = replace(planted, settings=settings, review=open_store(settings.review_url), names=names)
    app = create_review(review_settings(settings))
    app.logger.disabled = True
    PLANTED[what](made, app)
    visited = look(tablet(app, made, "R01"), Visit(made, "R01"))
    found = leaks(words, [seen(place, answer) for place, answer in visited])
    assert found


@pytest.mark.parametrize("order", ["roster", "upload", "reversed"])
def test_another_order_is_found(planted: Planted, order: str) -> None:
    listed = {
        "roster": list(planted.codes),
        "upload": planted.by_upload,
        "reversed": sorted(planted.codes, reverse=True),
    }[order]
    answer = Seen("/", 200, b"", " ".join(listed).encode(), b"")
    assert out_of_order(planted.codes, [answer])


@pytest.mark.parametrize(
    "line",
    ["Last-Modified: Thu, 14 Mar 2019 08:15:23 GMT", "X-At: 1552551323", "at: 2020-01-05 17:07"],
)
def test_a_time_that_is_planted_is_found(line: str) -> None:
    assert years([Seen("/", 200, line.encode(), b"", b"")], SENT, LET_OUT)


def test_a_word_is_known_in_every_spelling() -> None:
    words = Words([NAME, UNIT])
    for needle in spellings(NAME):
        assert words.within(b"<p>" + needle.upper() + b"</p>") >= {NAME}, needle
    assert words.within("诸葛晓风在林业和草原局".encode()) == set()

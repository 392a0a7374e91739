"""A seat's own sheet over HTTP: drafts never doubled nor overwritten, and the one submit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.audit import AuditEvent
from models.review import Round
from models.review_sheets import Sheet, SheetNote, SheetScore, SheetVersion
from models.rounds import InputError, record_recusal, snapshot_policy
from models.seat_access import TRIES
from models.sheets import exclude_sheet, reopen_sheet
from tests.webapp.conftest import form_token
from tests.webapp.review_round import ReviewRound
from webapp.language import COOKIE as LANGUAGE
from webapp.review.sheet_form import Line, check_complete, draft_of, points_text

Tablet = Callable[[str], FlaskClient]
SEAT, OTHER = "R01", "R02"
WHOLE = {"achievements": "31.5", "papers": "12"}


class Sender:
    """A tablet of a seat with its forms' token."""

    def __init__(self, client: FlaskClient, made: ReviewRound, seat: str) -> None:
        self.client, self.round_id, self.seat, self.count = client, made.round_id, seat, 0
        self.token = form_token(client.get("/devices").text)

    def _body(self, values: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        body = {"round": self.round_id, "seat": self.seat, "base_version": 0, "comment": ""}
        return {**body, "notes": {}, "scores": {}, "save_id": f"save-{self.count:04d}", **values}

    def put(self, code: str, **values: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token}
        return self.client.put(f"/d/{code}/sheet", json=self._body(values), headers=headers)

    def submit(self, code: str, **values: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token}
        return self.client.post(f"/d/{code}/submit", json=self._body(values), headers=headers)


@pytest.fixture
def sender(tablet: Tablet, made: ReviewRound) -> Callable[[str], Sender]:
    return lambda seat: Sender(tablet(seat), made, seat)


def rows(store: Engine) -> tuple[int, int, int]:
    """How many versions, scores and notes are stored."""
    with Session(store) as session:
        count = [session.scalar(select(func.count()).select_from(table)) or 0
                 for table in (SheetVersion, SheetScore, SheetNote)]  # fmt: skip
    return count[0], count[1], count[2]


def own(session: Session, made: ReviewRound, code: str, seat: str = SEAT) -> Sheet:
    return session.scalars(
        select(Sheet).filter_by(round_id=made.round_id, reviewer=seat, code=code)
    ).one()


def act(store: Engine, act: Callable[[Session], object]) -> None:
    with Session(store) as session, session.begin():
        act(session)


def test_a_new_sheet_has_the_rubric_and_nothing_else(tablet: Tablet, made: ReviewRound) -> None:
    answer = tablet(SEAT).get(f"/d/{made.codes[0]}/sheet").json
    assert answer is not None
    assert answer.pop("token")
    assert answer == {
        "code": made.codes[0],
        "round": made.round_id,
        "seat": SEAT,
        "state": "open",
        "phase": "scoring",
        "editable": True,
        "places": 2,
        "rubric": [
            {"id": "achievements", "name": "业绩成果", "guidance": "获奖、项目、推广应用",
             "max": "60", "step": "0.5"},
            {"id": "papers", "name": "论文著作", "guidance": "本人为第一作者或通讯作者",
             "max": "40", "step": "0.5"},
        ],
        "problems": [],
        "version": 0,
        "scores": {},
        "comment": "",
        "notes": {},
        "at": "",
    }  # fmt: skip


def test_what_is_saved_comes_back_exactly(
    sender: Callable[[str], Sender], made: ReviewRound
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    scores = {"achievements": "60.00", "papers": "0.05"}
    notes = {"1": "成果真实\n第二行", "3": "  "}
    answer = mine.put(code, scores=scores, comment="评语 <b>", notes=notes)
    assert (answer.status_code, answer.json) == (200, {"version": 1, "newest": 1})
    stored = mine.client.get(f"/d/{code}/sheet").json
    assert stored is not None
    assert stored["scores"] == {"achievements": "60", "papers": "0.05"}
    assert (stored["comment"], stored["notes"], stored["version"]) == ("评语 <b>", notes, 1)


def test_notes_are_kept_by_version_and_only_where_they_changed(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    for base, notes in enumerate([{"1": "a", "2": "b"}, {"1": "a", "2": "c"}, {"2": "c"}]):
        assert mine.put(code, base_version=base, notes=notes).status_code == 200
    assert rows(store)[2] == 4
    stored = mine.client.get(f"/d/{code}/sheet").json
    assert stored is not None
    assert stored["notes"] == {"2": "c"}
    with Session(store) as session:
        found = session.execute(select(SheetNote.number, SheetNote.page, SheetNote.text))
        assert set(map(tuple, found)) == {(1, 1, "a"), (1, 2, "b"), (2, 2, "c"), (3, 1, "")}


def test_a_save_whose_answer_was_lost_is_not_doubled(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    values = {"scores": WHOLE, "notes": {"1": "x"}, "save_id": "the-same-save"}
    for _ in range(3):
        assert mine.put(code, **values).json == {"version": 1, "newest": 1}
    assert rows(store) == (1, 2, 1)
    # The same again under another name says nothing new either.
    assert mine.put(code, **{**values, "save_id": "another-save"}).json == {
        "version": 1, "newest": 1,
    }  # fmt: skip
    assert mine.put(code, base_version=1, comment="weiter").json == {"version": 2, "newest": 2}
    # It was kept as version 1, and this tablet must look at what came after.
    assert mine.put(code, **values).json == {"version": 1, "newest": 2}
    assert rows(store)[0] == 2


def test_a_second_device_overwrites_nothing(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, first, second = made.codes[0], sender(SEAT), sender(SEAT)
    second.count = 100
    first.put(code, scores={"papers": "12"}, notes={"2": "n"})
    answer = second.put(code, scores={"papers": "13"})
    assert answer.status_code == 409 and answer.json is not None
    assert answer.json["error"] == "conflict"
    stored = answer.json["stored"]
    assert (stored["version"], stored["scores"], stored["notes"]) == (
        1,
        {"papers": "12"},
        {"2": "n"},
    )
    assert rows(store)[0] == 1
    assert second.put(code, base_version=1, scores={"papers": "13"}).status_code == 200


def test_another_seats_page_saves_nothing(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    left_open = sender(OTHER)
    left_open.seat = SEAT  # what a page says that R01 opened, while R02 is signed in
    for answer in (left_open.put(made.codes[0]), left_open.submit(made.codes[0])):
        assert answer.status_code == 409 and answer.json is not None
        assert answer.json["error"] == "seat"
    assert rows(store)[0] == 0


def test_nobody_sees_or_writes_a_sheet_that_is_not_his(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine, others = made.codes[0], sender(SEAT), sender(OTHER)
    mine.put(code, scores=WHOLE, comment="只有我看得到")
    assert "只有我看得到" not in others.client.get(f"/d/{code}/sheet").text
    act(store, lambda session: setattr(own(session, made, code, OTHER), "state", "withdrawn"))
    for answer in (others.client.get(f"/d/{code}/sheet"), others.put(code), others.submit(code),
                   mine.put("XXXX-XX")):  # fmt: skip
        assert answer.status_code == 404 and answer.json is not None
        assert answer.json["error"] == "unassigned"


@pytest.mark.parametrize(
    "scores",
    [
        {"papers": "12.345"},
        {"papers": "-1"},
        {"papers": "1e3"},
        {"papers": ""},
        {"papers": "１２"},
        {"papers": 12},
        {"papers": None},
        {"papers": "999999999"},
        {"strange": "1"},
        ["papers"],
    ],
)
def test_scores_that_are_none_are_refused_with_a_sentence(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine, scores: object
) -> None:
    answer = sender(SEAT).put(made.codes[0], scores=scores)
    assert answer.status_code == 422 and answer.json is not None
    assert len(answer.json["sentences"]) == 1
    assert rows(store) == (0, 0, 0)


def test_everything_that_is_wrong_is_said_at_once(
    sender: Callable[[str], Sender], made: ReviewRound
) -> None:
    answer = sender(SEAT).put(
        made.codes[0],
        scores={"papers": "x", "achievements": "1.001"},
        comment="字" * 4001,
        notes={"0": "a", "1": "字" * 1001, "²": "b"},
        base_version=True,
        save_id="short",
    )
    assert answer.json is not None
    assert len(answer.json["sentences"]) == 7


def test_a_draft_may_still_be_off_its_step(
    sender: Callable[[str], Sender], made: ReviewRound
) -> None:
    mine = sender(SEAT)
    assert (
        mine.put(made.codes[0], scores={"papers": "41.3"}, comment="a\0b\ud800").status_code == 200
    )
    stored = mine.client.get(f"/d/{made.codes[0]}/sheet").json
    assert stored is not None
    assert (stored["scores"], stored["comment"]) == ({"papers": "41.3"}, "ab")


def test_submitting_needs_every_score_in_its_range_and_on_its_step(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine, pin = made.codes[0], sender(SEAT), made.cards[SEAT].pin
    for scores in ({"papers": "12"}, {**WHOLE, "papers": "40.5"}, {**WHOLE, "papers": "12.3"}):
        answer = mine.submit(code, scores=scores, secret=pin)
        assert answer.status_code == 422 and answer.json is not None
        assert len(answer.json["sentences"]) == 1
    assert rows(store)[0] == 0
    answer = mine.submit(code, scores=WHOLE, secret=pin, notes={"1": "n"})
    assert answer.status_code == 200 and answer.json is not None
    assert (answer.json["version"], answer.json["state"]) == (1, "submitted")
    assert answer.json["at"]
    stored = mine.client.get(f"/d/{code}/sheet").json
    assert stored is not None
    assert (stored["state"], stored["editable"], stored["scores"]) == ("submitted", False, WHOLE)


def test_submitting_twice_because_the_answer_was_lost_is_submitting_once(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine, pin = made.codes[0], sender(SEAT), made.cards[SEAT].pin
    values = {"scores": WHOLE, "secret": pin, "save_id": "one-submission"}
    first, second = mine.submit(code, **values), mine.submit(code, **values)
    assert (second.status_code, second.json) == (200, first.json)
    assert rows(store) == (1, 2, 0)
    with Session(store) as session:
        actions = list(session.scalars(select(AuditEvent.action)))
    assert actions.count("submit_sheet") == 1
    act(store, lambda s: reopen_sheet(s, sheet_id=own(s, made, code).id, reason="补", by="秘书"))
    # An old answer's echo does not submit what the secretary opened again.
    assert mine.submit(code, **values).status_code == 409
    with Session(store) as session:
        assert own(session, made, code).state == "open"


def test_submitting_needs_the_pin_and_wrong_ones_lock_the_card(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    for _ in range(TRIES):
        assert mine.submit(code, scores=WHOLE, secret="000000x").status_code == 403
    answer = mine.submit(code, scores=WHOLE, secret=made.cards[SEAT].pin)
    assert answer.status_code == 403
    assert rows(store)[0] == 0


def test_a_submission_overwrites_no_other_devices_draft(
    sender: Callable[[str], Sender], made: ReviewRound
) -> None:
    code, mine, pin = made.codes[0], sender(SEAT), made.cards[SEAT].pin
    mine.put(code, scores={**WHOLE, "papers": "13"})
    answer = mine.submit(code, scores=WHOLE, secret=pin)
    assert answer.status_code == 409 and answer.json is not None
    assert answer.json["stored"]["scores"]["papers"] == "13"


@pytest.mark.parametrize("end", ["submitted", "locked", "excluded", "recused"])
def test_a_sheet_that_is_closed_says_why(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine, end: str
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    kept = {"scores": {"papers": "1"}, "save_id": "kept-before"}
    assert mine.put(code, **kept).status_code == 200

    def close(session: Session) -> None:
        sheet = own(session, made, code)
        if end == "locked":
            session.get_one(Round, made.round_id).phase = "locked"
        elif end == "excluded":
            exclude_sheet(session, sheet_id=sheet.id, reason="病假", by="秘书")
        elif end == "recused":
            record_recusal(session, round_id=made.round_id, reviewer=SEAT, code=code,
                           reason="亲属", by=SEAT)  # fmt: skip
        else:
            sheet.state = "submitted"

    act(store, close)
    for answer in (
        mine.put(code, base_version=1, scores=WHOLE),
        mine.submit(code, base_version=1, scores=WHOLE, secret=made.cards[SEAT].pin),
    ):
        assert answer.status_code == (403 if end == "recused" else 409)
        assert answer.json is not None
        assert answer.json["error"] == end
        assert len(answer.json["sentences"]) == 1
    assert rows(store)[0] == 1
    # What was kept before is still known as kept, so that the tablet stops sending it.
    assert mine.put(code, **kept).json == {"version": 1, "newest": 1}
    seen = mine.client.get(f"/d/{code}/sheet")
    assert seen.status_code == (403 if end == "recused" else 200)


def test_a_round_without_criteria_takes_no_scores_and_says_so(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    text = 'extends = "science_bazhou_2024"\n'
    act(store, lambda s: snapshot_policy(s, round_id=made.round_id, text=text, by="office"))
    mine = sender(SEAT)
    seen = mine.client.get(f"/d/{made.codes[0]}/sheet").json
    assert seen is not None
    assert (seen["editable"], seen["rubric"], len(seen["problems"])) == (False, [], 1)
    assert mine.put(made.codes[0], scores=WHOLE).status_code == 422


def test_criteria_finer_than_the_round_counts_are_no_criteria(
    sender: Callable[[str], Sender], made: ReviewRound, store: Engine
) -> None:
    act(store, lambda session: setattr(session.get_one(Round, made.round_id), "places", 0))
    seen = sender(SEAT).client.get(f"/d/{made.codes[0]}/sheet").json
    assert seen is not None
    assert not seen["editable"] and len(seen["problems"]) == 2


def test_a_save_takes_few_statements(
    sender: Callable[[str], Sender], made: ReviewRound, review_app: Flask
) -> None:
    code, mine = made.codes[0], sender(SEAT)
    mine.put(code, scores=WHOLE)
    said: list[str] = []
    engine = review_app.extensions["review"]
    event.listen(engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    mine.put(code, base_version=1, scores=WHOLE, notes={"1": "n"})
    assert len([text for text in said if not text.startswith("BEGIN")]) <= 9, said
    assert not any("audit" in text for text in said)


def test_sentences_come_in_the_language_of_the_tablet(
    sender: Callable[[str], Sender], made: ReviewRound
) -> None:
    mine = sender(SEAT)
    mine.client.set_cookie(LANGUAGE, "en")
    answer = mine.put(made.codes[0], scores={"papers": "x"})
    assert answer.json is not None
    assert answer.json["sentences"][0].isascii() is False  # the criterion's own name
    assert "is not a decimal number" in answer.json["sentences"][0]


def test_nothing_is_saved_without_the_form_token(tablet: Tablet, made: ReviewRound) -> None:
    client = tablet(SEAT)
    assert client.put(f"/d/{made.codes[0]}/sheet", json={}).status_code == 400
    assert client.post(f"/d/{made.codes[0]}/submit", json={}).status_code == 400


LINE = Line("c", "项", "", 4000, 50)


@given(st.integers(0, 10**9 - 1), st.integers(0, 6))
def test_points_survive_the_wire(points: int, places: int) -> None:
    text = points_text(points, places)
    body = {"scores": {"c": text}, "base_version": 0, "save_id": "12345678"}
    assert draft_of(body, (LINE,), places).scores == {"c": points}


@given(st.integers(0, 5000))
def test_a_sheet_is_complete_just_when_every_score_fits(points: int) -> None:
    fits = points <= 4000 and points % 50 == 0
    try:
        check_complete({"c": points}, (LINE,), 2)
    except InputError:
        assert not fits
    else:
        assert fits
    with pytest.raises(InputError):
        check_complete({}, (LINE,), 2)

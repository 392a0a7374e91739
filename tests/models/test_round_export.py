"""The exported round says what the store holds, and tallies like a round that was typed in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from models.ballots import cast_ballot, close_ballot, open_ballot
from models.candidates import NewCandidate, add_candidates, disqualify
from models.defences import correct_defence_score, record_defence_score
from models.round_export import decimal_of, export_round
from models.rounds import (
    InputError,
    advance_round,
    lock_round,
    record_attendance,
    record_recusal,
    scaled,
)
from models.sheets import assign_sheets, correct_sheet, exclude_sheet, save_draft
from models.tallies import freeze_tally, record_ruling
from tests.models.rounds_sample import (
    CODES,
    RULES,
    SCORES,
    SEATS,
    sample_round,
    sheet_id,
    submit_all,
    to_phase,
)


def vote(session: Session, round_id: int, codes: tuple[str, ...] = CODES) -> None:
    ballot = open_ballot(session, round_id=round_id, codes=codes, by="o")
    for seat in SEATS:
        cast_ballot(session, ballot_id=ballot, reviewer=seat, choices=dict.fromkeys(codes, "yes"))
    close_ballot(session, ballot_id=ballot, by="o")


def judged(session: Session) -> int:
    round_id = sample_round(session)
    to_phase(session, round_id, "defence")
    for code in CODES:
        record_defence_score(
            session, round_id=round_id, judge="R01", code=code, points=2650, maximum=3000, by="o"
        )
    return round_id


def test_everything_of_a_round_is_there(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        record_recusal(
            session, round_id=round_id, reviewer="R03", code=CODES[0], reason="同事", by="o"
        )
        save_draft(
            session, sheet_id=sheet_id(session, round_id, "R02", CODES[0]),
            scores={"业绩": 1}, comment="", base_version=0, by="R02",
        )  # fmt: skip
        exclude_sheet(
            session, sheet_id=sheet_id(session, round_id, "R02", CODES[0]), reason="病假", by="o"
        )
        submit_all(session, round_id)
        lock_round(session, round_id=round_id, min_sheets=1, by="o")
        advance_round(session, round_id=round_id, to="defence", by="o")
        record_defence_score(
            session,
            round_id=round_id,
            judge="R01",
            code=CODES[0],
            points=2650,
            maximum=3000,
            by="o",
        )
        record_ruling(
            session, round_id=round_id, code=CODES[1], subject="defence_points", value="24",
            reason="旧", by="s",
        )  # fmt: skip
        record_ruling(
            session, round_id=round_id, code=CODES[1], subject="defence_points", value="25",
            reason="新", by="s",
        )  # fmt: skip
        record_attendance(session, round_id=round_id, seat="R01", present=True, by="o")
        found = export_round(session, round_id)
    first, second = sorted(CODES)
    assert (first, second) == (CODES[1], CODES[0])
    whole = {"业绩": "31.5", "论文": "12"}
    assert found == {
        "year": 2024,
        "version": 1,
        "replaces": "",
        "committee": {"members": 3, "present": 1, "attendance": ["R01"]},
        "candidates": [
            {
                "code": code, "specialty": "实验技术", "level": "中级", "defence": "attended",
                "ground": None, "disqualified": False, "disqualified_after_lock": False,
            }
            for code in (first, second)
        ],
        "sheets": [
            *(
                {"reviewer": seat, "code": first, "scores": whole, "excluded": False, "reason": ""}
                for seat in SEATS
            ),
            {"reviewer": "R01", "code": second, "scores": whole, "excluded": False, "reason": ""},
            {"reviewer": "R02", "code": second, "scores": {}, "excluded": True, "reason": "病假"},
        ],
        "recusals": [{"reviewer": "R03", "code": second}],
        "defence_scores": [{"judge": "R01", "code": second, "score": "26.5"}],
        "defence_results": [],
        "ballots": {},
        "rulings": [
            {"code": first, "subject": "defence_points", "value": "25", "reason": "新", "by": "s"}
        ],
        "corrections": [],
    }  # fmt: skip


def test_ballots_bring_their_attendance(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = judged(session)
        advance_round(session, round_id=round_id, to="voting", by="o")
        vote(session, round_id)
        # Whoever leaves after the ballot was present when it counted.
        record_attendance(session, round_id=round_id, seat="R03", present=False, by="o")
        found = export_round(session, round_id)
    assert found["committee"] == {"members": 3, "present": 3, "attendance": list(SEATS)}
    count = {"yes": 3, "no": 0, "abstain": 0, "spoiled": 0}
    assert found["ballots"] == {CODES[1]: count, CODES[0]: count}


def test_ballots_with_different_attendance_say_their_own(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = judged(session)
        advance_round(session, round_id=round_id, to="voting", by="o")
        vote(session, round_id, CODES[:1])
        record_attendance(session, round_id=round_id, seat="R03", present=False, by="o")
        second = open_ballot(session, round_id=round_id, codes=CODES[1:], by="o")
        for seat in SEATS[:2]:
            cast_ballot(
                session, ballot_id=second, reviewer=seat, choices=dict.fromkeys(CODES[1:], "yes")
            )
        close_ballot(session, ballot_id=second, by="o")
        found = export_round(session, round_id)
    assert found["committee"]["attendance"] == list(SEATS)
    assert found["ballots"][CODES[0]]["attendance"] == list(SEATS)
    assert found["ballots"][CODES[1]]["attendance"] == list(SEATS[:2])
    assert found["ballots"][CODES[1]]["yes"] == 2


def test_what_a_round_cannot_say_is_refused(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = judged(session)
        advance_round(session, round_id=round_id, to="voting", by="o")
        vote(session, round_id)
        record_attendance(session, round_id=round_id, seat="R03", present=False, by="o")
        again = open_ballot(session, round_id=round_id, codes=CODES[:1], by="o")
        with pytest.raises(InputError) as error:
            export_round(session, round_id)
        said = [sentence.en for sentence in error.value.sentences]
        assert len(said) == 2
        assert "still open" in said[0] and CODES[0] in said[1]
        close_ballot(session, ballot_id=again, by="o")
        with pytest.raises(InputError, match="次投票"):
            export_round(session, round_id)
    with Session(store) as session, pytest.raises(InputError, match="轮次"):
        export_round(session, 99)


def test_a_second_tally_names_the_first_and_its_corrections(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = judged(session)
        body = json.dumps({"sha256": "ab" * 32})
        freeze_tally(session, round_id=round_id, body=body, by="s")
        correct_sheet(
            session, sheet_id=sheet_id(session, round_id, "R01", CODES[0]),
            scores={**SCORES, "业绩": 3200}, base_version=1, rules=RULES, reason="漏加",
            by="a", confirmed_by="b",
        )  # fmt: skip
        correct_defence_score(
            session, round_id=round_id, judge="R01", code=CODES[0], points=2700, maximum=3000,
            reason="笔误", by="a", confirmed_by="b",
        )  # fmt: skip
        for code in CODES:
            disqualify(
                session, round_id=round_id, code=code, reason="造假", by="a", confirmed_by="b"
            )
        second, first = export_round(session, round_id), export_round(session, round_id, version=1)
        with pytest.raises(InputError, match="第 2 版"):
            export_round(session, round_id, version=3)
    assert (second["version"], second["replaces"]) == (2, "ab" * 32)
    assert (first["version"], first["replaces"]) == (1, "")
    assert [c["old"] for c in second["corrections"]] == ["业绩 31.5、论文 12", "26.5"]
    assert [c["new"] for c in second["corrections"]] == ["业绩 32、论文 12", "27"]
    assert all(c["by"] == ["a", "b"] for c in second["corrections"])
    assert [c["disqualified_after_lock"] for c in second["candidates"]] == [True, True]
    scores = [s["scores"] for s in second["sheets"] if s["reviewer"] == "R01"]
    assert {"业绩": "32", "论文": "12"} in scores


def test_a_disqualification_before_the_first_tally_is_no_late_one(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = judged(session)
        disqualify(
            session, round_id=round_id, code=CODES[0], reason="造假", by="a", confirmed_by="b"
        )
        freeze_tally(session, round_id=round_id, body="{}", by="s")
        found = export_round(session, round_id, version=1)
    late = {c["code"]: (c["disqualified"], c["disqualified_after_lock"])
            for c in found["candidates"]}  # fmt: skip
    assert late == {CODES[0]: (True, False), CODES[1]: (False, False)}


@pytest.mark.parametrize("more", [1, 3])
def test_the_number_of_queries_is_fixed(store: Engine, more: int) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        codes = [f"NEW-{n}" for n in range(more)]
        add_candidates(
            session, round_id=round_id,
            candidates=[NewCandidate(code, "林学", "中级") for code in codes], by="o",
        )  # fmt: skip
        pairs = [(seat, code) for seat in SEATS for code in codes]
        assign_sheets(session, round_id=round_id, pairs=pairs, by="o")
        submit_all(session, round_id)
    asked: list[str] = []
    event.listen(store, "before_cursor_execute", lambda *a: asked.append(a[2]))
    with Session(store) as session:
        export_round(session, round_id)
    assert len([text for text in asked if text.startswith("SELECT")]) == 16


@given(st.integers(0, 10**12), st.integers(0, 6))
def test_decimals_come_back_as_the_same_integers(points: int, places: int) -> None:
    text = decimal_of(points, places)
    assert scaled(text, places) == points
    assert "E" not in text and not ("." in text and text.endswith(("0", ".")))

"""The order of work, defence, rulings, frozen tallies, and the audit chain."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from models.audit import AuditEvent, AuditHead, Head, append_event, audit_head, verify_audit
from models.base import AppendOnlyError
from models.candidates import NewCandidate, add_candidates, disqualify, set_defence_standing
from models.defences import (
    correct_defence_score,
    defence_scores,
    record_defence_result,
    record_defence_score,
)
from models.review import Candidate, PolicySnapshot, Ruling, Tally
from models.rounds import InputError, OrderError, advance_round, snapshot_policy
from models.tallies import freeze_tally, record_ruling
from tests.models.rounds_sample import CODES, sample_round, to_phase


def score(session: Session, round_id: int, judge: str = "R01", points: int = 2650) -> None:
    record_defence_score(
        session, round_id=round_id, judge=judge, code=CODES[0], points=points, maximum=3000, by="o"
    )


def test_no_defence_score_before_the_blind_lock(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        with pytest.raises(OrderError):
            score(session, round_id)
        with pytest.raises(OrderError):
            record_defence_result(session, round_id=round_id, code=CODES[0], passed=True, by="o")
        with pytest.raises(OrderError):
            advance_round(session, round_id=round_id, to="defence", by="o")
        to_phase(session, round_id, "defence")
        score(session, round_id)
        assert defence_scores(session, round_id) == {("R01", CODES[0]): 2650}


@pytest.mark.parametrize("to", ["scoring", "locked", "defence", "nonsense"])
def test_phases_never_go_back(store: Engine, to: str) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "defence")
        with pytest.raises(OrderError):
            advance_round(session, round_id=round_id, to=to, by="o")


def test_no_candidate_joins_after_the_lock(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "locked")
        late = [NewCandidate("LATE", "x", "中级")]
        with pytest.raises(OrderError):
            add_candidates(session, round_id=round_id, candidates=late, by="o")


def test_bad_candidates_are_all_named(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        bad = [NewCandidate(CODES[0], "x", "中级"), NewCandidate("N", "x", "y", "later", "luck")]
        with pytest.raises(InputError) as error:
            add_candidates(session, round_id=round_id, candidates=bad, by="o")
        assert len(error.value.sentences) == 2


def test_defence_scores_are_corrected_by_two_and_keep_history(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "defence")
        score(session, round_id)
        with pytest.raises(OrderError):
            score(session, round_id)
        with pytest.raises(InputError):
            score(session, round_id, "R02", 3001)
        common = {"round_id": round_id, "judge": "R01", "code": CODES[0], "points": 2700}
        with pytest.raises(InputError):
            correct_defence_score(
                session, **common, maximum=3000, reason="笔误", by="a", confirmed_by="a"
            )
        correct_defence_score(
            session, **common, maximum=3000, reason="笔误", by="a", confirmed_by="b"
        )
        assert defence_scores(session, round_id) == {("R01", CODES[0]): 2700}


def test_a_waiver_comes_before_the_defence(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)

        def standing(value: str) -> None:
            set_defence_standing(
                session, round_id=round_id, code=CODES[0], standing=value, reason="申请", by="o"
            )

        with pytest.raises(OrderError):
            standing("absent")
        standing("exempt")
        to_phase(session, round_id, "defence")
        with pytest.raises(OrderError):
            score(session, round_id)
        standing("waived")
        score(session, round_id)
        with pytest.raises(OrderError):
            standing("exempt")


def test_rulings_and_tallies_are_numbered_and_frozen(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        ruling = {
            "round_id": round_id,
            "code": CODES[0],
            "subject": "defence_points",
            "value": "25",
        }
        with pytest.raises(OrderError):
            record_ruling(session, **ruling, reason="无人答辩", by="o")
        with pytest.raises(OrderError):
            freeze_tally(session, round_id=round_id, body="{}", by="o")
        to_phase(session, round_id, "locked")
        assert record_ruling(session, **ruling, reason="无人答辩", by="o") == 1
        assert record_ruling(session, **ruling, reason="更正", by="o") == 2
        with pytest.raises(InputError):
            record_ruling(session, **ruling, reason="", by="o")
        first = freeze_tally(session, round_id=round_id, body='{"a":1}', by="o")
        assert first.body_sha256 == hashlib.sha256(b'{"a":1}').hexdigest()
        with pytest.raises(InputError):
            freeze_tally(session, round_id=round_id, body="{}", by="o", reason="更正")
        told = {"code": CODES[1], "reason": "弄虚作假", "by": "o"}
        with pytest.raises(InputError, match="两名不同"):
            disqualify(session, round_id=round_id, **told)
        disqualify(session, round_id=round_id, **told, confirmed_by="p")
        with pytest.raises(InputError, match="已被取消资格"):
            disqualify(session, round_id=round_id, **told, confirmed_by="p")
        second = freeze_tally(
            session, round_id=round_id, body="{}", by="o", reason="取消资格", confirmed_by="p"
        )
        assert (first.number, second.number) == (1, 2)
        assert session.get_one(Tally, (round_id, 1)).body == '{"a":1}'
        first.body = "{}"
        with pytest.raises(AppendOnlyError):
            session.flush()
        session.rollback()


def test_policies_are_kept_as_they_were(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        snapshot_policy(session, round_id=round_id, text="[notice] 2", by="o")
        rows = session.scalars(select(PolicySnapshot).order_by(PolicySnapshot.number)).all()
        assert [row.text for row in rows] == ["[notice]", "[notice] 2"]


def test_candidates_are_stored_by_code_not_by_arrival(store: Engine) -> None:
    with Session(store) as session, session.begin():
        sample_round(session)
        assert list(session.scalars(select(Candidate.code))) == sorted(CODES)


def chain(session: Session, length: int = 5) -> Head:
    for n in range(length):
        append_event(session, actor="o", action="act", details={"n": n})
    return audit_head(session)


def problems(session: Session, printed: Head | None = None) -> list[str]:
    session.flush()
    return [sentence.en for sentence in verify_audit(session, printed=printed).problems]


def test_a_whole_chain(store: Engine) -> None:
    with Session(store) as session, session.begin():
        assert verify_audit(session).whole
        early = chain(session, 3)
        printed = chain(session)
        assert printed.number == 8
        assert problems(session, printed) == problems(session, early) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("details", '{"n":9}'), ("actor", "x"), ("action", "x"), ("at", "x"), ("hash", "0" * 64)],
)
def test_an_edit_shows(store: Engine, column: str, value: str) -> None:
    with Session(store) as session, session.begin():
        chain(session)
        session.execute(update(AuditEvent).where(AuditEvent.number == 3).values({column: value}))
        assert any("event 3" in problem for problem in problems(session))


def test_an_edit_with_its_hash_made_again_shows_at_the_next_event(store: Engine) -> None:
    with Session(store) as session, session.begin():
        chain(session)
        row = session.get_one(AuditEvent, 3)
        text = json.dumps([3, row.at, "x", row.action, row.details, row.previous])
        forged = hashlib.sha256(text.encode()).hexdigest()
        session.execute(
            update(AuditEvent).where(AuditEvent.number == 3).values(actor="x", hash=forged)
        )
        found = problems(session)
        assert len(found) == 1
        assert "event 4" in found[0]


def test_a_gap_is_named(store: Engine) -> None:
    with Session(store) as session, session.begin():
        chain(session)
        session.execute(delete(AuditEvent).where(AuditEvent.number.in_([2, 3])))
        assert "2 to 3 are missing" in problems(session)[0]


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_deletion_shows(store: Engine, number: int) -> None:
    with Session(store) as session, session.begin():
        chain(session)
        session.execute(delete(AuditEvent).where(AuditEvent.number == number))
        assert problems(session)


def test_renumbering_shows(store: Engine) -> None:
    with Session(store) as session, session.begin():
        chain(session)
        for old, new in ((3, 99), (4, 3), (99, 4)):
            session.execute(update(AuditEvent).where(AuditEvent.number == old).values(number=new))
        assert problems(session)


def test_truncation_with_the_head_moved_back_shows_only_against_the_minutes(
    store: Engine,
) -> None:
    with Session(store) as session, session.begin():
        kept = chain(session, 3)
        printed = chain(session, 2)
        session.execute(delete(AuditEvent).where(AuditEvent.number > 3))
        assert problems(session)
        session.execute(update(AuditHead).values(number=kept.number, hash=kept.hash))
        assert problems(session) == []
        assert any("minutes" in problem for problem in problems(session, printed))


def test_every_write_left_an_event(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "closed")
        actions = set(session.scalars(select(AuditEvent.action)))
        assert {
            "open_round",
            "add_candidates",
            "assign_sheets",
            "submit_sheet",
            "lock_round",
        } <= actions
        assert verify_audit(session).whole


def test_rulings_cannot_be_deleted(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "locked")
        record_ruling(
            session, round_id=round_id, code=CODES[0], subject="s", value="v", reason="r", by="o"
        )
        session.delete(session.scalars(select(Ruling)).one())
        with pytest.raises(AppendOnlyError):
            session.flush()
        session.rollback()


def test_models_import_no_sibling() -> None:
    for path in Path(__file__).parents[2].joinpath("models").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"scoring", "redactor", "webapp"}, path

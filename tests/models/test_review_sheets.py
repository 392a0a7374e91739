"""Sheets: drafts, conflicts between devices, submission, lock, exclusion and corrections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.base import AppendOnlyError
from models.review_sheets import Sheet, SheetScore, SheetVersion
from models.rounds import InputError, OrderError, lock_round, record_recusal, scaled
from models.sheet_versions import ConflictError
from models.sheets import (
    assign_sheets,
    check_scores,
    correct_sheet,
    exclude_sheet,
    read_sheet,
    reopen_sheet,
    save_draft,
    submit_sheet,
    withdraw_sheet,
)
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


def draft(session: Session, sheet: int, base: int, **scores: int) -> int:
    return save_draft(
        session, sheet_id=sheet, scores=scores, comment="草稿", base_version=base, by="R01"
    )


def test_drafts_keep_every_version(store: Engine) -> None:
    with Session(store) as session, session.begin():
        sheet = sheet_id(session, sample_round(session), "R01", CODES[0])
        assert draft(session, sheet, 0, 业绩=100) == 1
        assert draft(session, sheet, 1, 业绩=150, 论文=50) == 2
        assert read_sheet(session, sheet).scores == {"业绩": 150, "论文": 50}
        old = session.scalars(select(SheetScore.points).filter_by(sheet_id=sheet, number=1)).all()
        assert old == [100]


def test_the_second_device_gets_what_the_first_saved(store: Engine) -> None:
    with Session(store) as session, session.begin():
        sheet = sheet_id(session, sample_round(session), "R01", CODES[0])
    with Session(store) as first, first.begin():
        draft(first, sheet, 0, 业绩=100)
    with Session(store) as second:
        with pytest.raises(ConflictError) as error:
            draft(second, sheet, 0, 业绩=900)
        assert error.value.stored.number == 1
        assert error.value.stored.scores == {"业绩": 100}
        second.rollback()
        assert read_sheet(second, sheet).scores == {"业绩": 100}
        assert draft(second, sheet, 1, 业绩=900) == 2


def test_a_sheet_with_gaps_cannot_be_submitted(store: Engine) -> None:
    with Session(store) as session, session.begin():
        sheet = sheet_id(session, sample_round(session), "R01", CODES[0])
        with pytest.raises(InputError) as error:
            submit_sheet(
                session,
                sheet_id=sheet,
                scores={"业绩": 4050, "外语": 1},
                comment="",
                base_version=0,
                rules=RULES,
                by="R01",
            )
        assert len(error.value.sentences) == 3
        assert session.get_one(Sheet, sheet).state == "open"


@pytest.mark.parametrize("points", [-50, 4050, 25, 51])
def test_scores_off_their_rule(points: int) -> None:
    with pytest.raises(InputError):
        check_scores({**SCORES, "业绩": points}, RULES)


@given(st.dictionaries(st.sampled_from(["业绩", "论文", "外语"]), st.integers(-100, 5000)))
def test_check_scores_accepts_exactly_the_valid(scores: dict[str, int]) -> None:
    limits = {"业绩": 4000, "论文": 2000}
    valid = scores.keys() == limits.keys() and all(
        points in range(0, limits[name] + 1, 50) for name, points in scores.items()
    )
    try:
        check_scores(scores, RULES)
    except InputError:
        assert not valid
    else:
        assert valid


def test_a_submitted_sheet_stays_until_reopened(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        sheet = sheet_id(session, round_id, "R01", CODES[0])
        submit_all(session, round_id)
        with pytest.raises(OrderError):
            draft(session, sheet, 1, 业绩=100)
        reopen_sheet(session, sheet_id=sheet, reason="补充材料", by="office")
        assert draft(session, sheet, 1, 业绩=100) == 2


def test_the_lock_names_every_unfinished_sheet(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        with pytest.raises(OrderError) as error:
            lock_round(session, round_id=round_id, min_sheets=1, by="office")
        assert len(error.value.sentences) == len(SEATS) * len(CODES) + len(CODES)


def test_excluded_and_recused_sheets_do_not_count(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        exclude_sheet(
            session, sheet_id=sheet_id(session, round_id, "R01", CODES[0]), reason="病假", by="o"
        )
        record_recusal(
            session, round_id=round_id, reviewer="R02", code=CODES[0], reason="亲属", by="o"
        )
        submit_all(session, round_id)
        with pytest.raises(OrderError) as error:
            lock_round(session, round_id=round_id, min_sheets=2, by="o")
        assert CODES[0] in error.value.sentences[0].zh
        assert len(error.value.sentences) == 1
        lock_round(session, round_id=round_id, min_sheets=1, by="o")
        states = session.scalars(select(Sheet.state).filter_by(code=CODES[0]).order_by("reviewer"))
        assert list(states) == ["excluded", "recused", "submitted"]


def test_reasons_are_needed(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        sheet = sheet_id(session, round_id, "R01", CODES[0])
        with pytest.raises(InputError):
            exclude_sheet(session, sheet_id=sheet, reason=" ", by="o")
        with pytest.raises(InputError):
            record_recusal(
                session, round_id=round_id, reviewer="R01", code=CODES[0], reason="", by="o"
            )


def test_a_recused_pair_cannot_be_assigned(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        record_recusal(
            session, round_id=round_id, reviewer="R01", code=CODES[0], reason="同单位", by="o"
        )
        with pytest.raises(InputError):
            assign_sheets(session, round_id=round_id, pairs=[("R01", CODES[0])], by="o")


def test_a_begun_sheet_is_not_withdrawn(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        begun = sheet_id(session, round_id, "R01", CODES[0])
        draft(session, begun, 0, 业绩=100)
        with pytest.raises(OrderError):
            withdraw_sheet(session, sheet_id=begun, by="o")
        withdraw_sheet(session, sheet_id=sheet_id(session, round_id, "R02", CODES[0]), by="o")


def test_nothing_is_written_after_the_lock_but_a_correction_by_two(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        sheet = sheet_id(session, round_id, "R01", CODES[0])
        to_phase(session, round_id, "locked")
        with pytest.raises(OrderError):
            draft(session, sheet, 1, 业绩=0)
        with pytest.raises(OrderError):
            reopen_sheet(session, sheet_id=sheet, reason="r", by="o")
        with pytest.raises(OrderError):
            exclude_sheet(session, sheet_id=sheet, reason="r", by="o")

        def correct(reason: str, by: str, second: str) -> int:
            return correct_sheet(
                session,
                sheet_id=sheet,
                scores={"业绩": 3200, "论文": 1200},
                base_version=1,
                rules=RULES,
                reason=reason,
                by=by,
                confirmed_by=second,
            )

        for reason, by, second in (("", "a", "b"), ("笔误", "a", "a"), ("笔误", "a", " ")):
            with pytest.raises(InputError):
                correct(reason, by, second)
        assert correct("笔误", "a", "b") == 2
        assert read_sheet(session, sheet).scores["业绩"] == 3200
        old = session.get_one(SheetScore, (sheet, 1, "业绩"))
        assert old.points == SCORES["业绩"]


def test_versions_cannot_be_changed_or_deleted(store: Engine) -> None:
    with Session(store) as session, session.begin():
        submit_all(session, sample_round(session))
    with Session(store) as session:
        version = session.scalars(select(SheetVersion).limit(1)).one()
        version.comment = "另一句"
        with pytest.raises(AppendOnlyError):
            session.flush()
        session.rollback()
        session.delete(session.scalars(select(SheetScore).limit(1)).one())
        with pytest.raises(AppendOnlyError):
            session.flush()
        session.rollback()


@pytest.mark.parametrize("text", ["1.234", "-1", "x", "", "NaN", "Infinity", "1e99"])
def test_scores_that_do_not_fit(text: str) -> None:
    with pytest.raises(InputError):
        scaled(text, 2)


@given(st.integers(0, 10**8), st.integers(0, 6))
def test_scaling_is_exact(points: int, places: int) -> None:
    whole, part = divmod(points, 10**places)
    text = f"{whole}.{part:0{places}}" if places else str(whole)
    assert scaled(text, places) == points

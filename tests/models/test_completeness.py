"""The board's figures are those of the sheets, and its blockers are those of the lock."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.candidates import NewCandidate, add_candidates
from models.completeness import (
    blockers,
    board_row,
    board_rows,
    left_out,
    loads,
    open_codes,
    totals,
)
from models.review_sheets import Sheet
from models.rounds import OrderError, lock_round, record_recusal
from models.sheets import assign_sheets, exclude_sheet, save_draft, submit_sheet, withdraw_sheet
from tests.models.rounds_sample import CODES, RULES, SCORES, SEATS, sample_round, sheet_id

FIRST, SECOND = sorted(CODES)


@pytest.fixture
def round_id(store: Engine) -> int:
    """FIRST: submitted, begun, excluded. SECOND: recused, untouched, withdrawn. A third: none."""
    with Session(store) as session, session.begin():
        made = sample_round(session)

        def sheet(seat: str, code: str) -> int:
            return sheet_id(session, made, seat, code)

        submit_sheet(session, sheet_id=sheet("R01", FIRST), scores=SCORES, comment="",
                     base_version=0, rules=RULES, by="R01")  # fmt: skip
        save_draft(session, sheet_id=sheet("R02", FIRST), scores={}, comment="", base_version=0,
                   by="R02")  # fmt: skip
        exclude_sheet(session, sheet_id=sheet("R03", FIRST), reason="未到会", by="x")
        record_recusal(session, round_id=made, reviewer="R01", code=SECOND, reason="r", by="x")
        withdraw_sheet(session, sheet_id=sheet("R03", SECOND), by="x")
        third = NewCandidate("ZZZZ-ZZ", "林业", "中级")
        add_candidates(session, round_id=made, candidates=[third], by="x")
        record_recusal(session, round_id=made, reviewer="R02", code="ZZZZ-ZZ", reason="r", by="x")
        return made


def test_rows_say_how_every_sheet_stands(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        rows, following = board_rows(session, round_id)
        stand = {row.code: {s.reviewer: s.standing for s in row.sheets.values()} for row in rows}
        assert stand == {
            FIRST: {"R01": "submitted", "R02": "begun", "R03": "excluded"},
            SECOND: {"R01": "recused", "R02": "untouched"},
            "ZZZZ-ZZ": {"R02": "recused"},
        }
        assert following is None
        assert [(row.valid, row.active) for row in rows] == [(1, 2), (0, 1), (0, 0)]
        assert rows[0].sheets["R03"].reason == "未到会"
        assert board_row(session, round_id, FIRST) == rows[0]
        assert board_row(session, round_id, "none") is None


def test_pages_follow_each_other_and_filters_choose(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        seen, after = [], ""
        for _ in range(3):
            rows, following = board_rows(session, round_id, after=after, limit=1)
            seen += [row.code for row in rows]
            after = following or ""
        assert (seen, after) == ([FIRST, SECOND, "ZZZZ-ZZ"], "")
        opened = board_rows(session, round_id, only="open")[0]
        assert [row.code for row in opened] == [FIRST, SECOND]
        short = board_rows(session, round_id, only="short", reviews=2)[0]
        assert [row.code for row in short] == [SECOND, "ZZZZ-ZZ"]


def test_totals_and_loads_agree_with_the_sheets(store: Engine, round_id: int) -> None:
    with Session(store) as session:
        whole = totals(session, round_id)
        assert whole.dossiers == 3
        assert whole.counts == {"submitted": 1, "begun": 1, "untouched": 1, "excluded": 1,
                                "recused": 1}  # fmt: skip
        assert whole.wanted == 3
        summed: Counter[str] = Counter()
        for counts in loads(session, round_id).values():
            summed.update(counts)
        assert dict(summed) == whole.counts
        assert loads(session, round_id)["R02"]["begun"] == 1
        assert open_codes(session, round_id) == {"R02": [FIRST, SECOND]}
        assert open_codes(session, round_id, "R01") == {}
        assert [(s.code, s.reviewer, s.state) for s in left_out(session, round_id)] == [
            (FIRST, "R03", "excluded"),
            (SECOND, "R01", "recused"),
        ]
        assert len(left_out(session, round_id, after=(FIRST, "R03"))) == 1


@pytest.mark.parametrize("least", [0, 1, 2])
def test_blockers_are_what_the_lock_refuses_for(store: Engine, round_id: int, least: int) -> None:
    with Session(store) as session:
        found = blockers(session, round_id, least)
        with pytest.raises(OrderError) as refused:
            lock_round(session, round_id=round_id, min_sheets=least, by="x")
        assert found.open_count + found.short_count == len(refused.value.sentences)
        said = " ".join(sentence.en for sentence in refused.value.sentences)
        assert all(code in said and seat in said for code, seat, _ in found.open_sheets)
        assert all(f"{code} has {valid} valid" in said for code, valid in found.short)


def test_nothing_blocks_what_can_be_locked(store: Engine) -> None:
    with Session(store) as session, session.begin():
        made = sample_round(session)
        for sheet in session.scalars(select(Sheet)).all():
            submit_sheet(session, sheet_id=sheet.id, scores=SCORES, comment="", base_version=0,
                         rules=RULES, by=sheet.reviewer)  # fmt: skip
        assert blockers(session, made, len(SEATS)).none
        lock_round(session, round_id=made, min_sheets=len(SEATS), by="x")


def test_withdrawn_sheets_given_out_again_count(store: Engine, round_id: int) -> None:
    with Session(store) as session, session.begin():
        assign_sheets(session, round_id=round_id, pairs=[("R03", SECOND)], by="x")
        assert totals(session, round_id).counts["untouched"] == 2

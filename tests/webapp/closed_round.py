"""A made-up round that went all the way: scores, defence, ballot, two numbered tallies, closed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ballots import cast_ballot, close_ballot, open_ballot
from models.defences import record_defence_score
from models.paper_ballots import enter_papers, mark_paper
from models.review_ballots import CHOICES
from models.review_sheets import Sheet
from models.round_export import export_round
from models.rounds import advance_round, snapshot_policy
from models.sheets import correct_sheet
from models.tallies import freeze_tally, record_ruling
from scoring.outputs import json_text
from scoring.result_json import tally_document
from scoring.round_json import round_from_document
from scoring.tally import tally
from tests.models.rounds_sample import CODES, RULES, SCORES, SEATS, sample_round, to_phase
from webapp.policy_texts import policy_from_text

POLICY = """
[notice]
title = "测试通知"
year = 2024

[[criterion]]
id = "业绩"
name = "业绩"
max = "40"
step = "0.5"

[[criterion]]
id = "论文"
name = "论文"
max = "20"
step = "0.5"

[defence]
mode = "scored"
max = "30"
absent = "undetermined"

[decision]
rule = "vote_and_score"
pass_score = "60"
"""


def freeze(session: Session, round_id: int, **more: str) -> None:
    """Freezes the next tally as the office does."""
    policy = policy_from_text(POLICY, "test_office")
    round_ = round_from_document(export_round(session, round_id), policy)
    body = json_text(tally_document(round_, policy, tally(round_, policy)))
    freeze_tally(session, round_id=round_id, body=body, by="secretary", **more)


def correct(session: Session, round_id: int) -> None:
    """Two persons correct a sheet after the lock."""
    sheet = session.scalars(
        select(Sheet).filter_by(round_id=round_id, reviewer="R01", code=CODES[0])
    ).one()
    correct_sheet(
        session,
        sheet_id=sheet.id,
        scores={**SCORES, "业绩": 3200},
        base_version=sheet.version,
        rules=RULES,
        reason="漏加",
        by="secretary",
        confirmed_by="admin",
    )


def closed_round(session: Session) -> int:
    """The id of a round with two tallies, a ruling, a correction and a ballot, partly on paper."""
    round_id = sample_round(session)
    snapshot_policy(session, round_id=round_id, text=POLICY, by="office")
    to_phase(session, round_id, "defence")
    record_defence_score(
        session, round_id=round_id, judge="R01", code=CODES[0], points=2650, maximum=3000, by="o"
    )
    record_ruling(
        session,
        round_id=round_id,
        code=CODES[1],
        subject="defence_points",
        value="25",
        reason="录像中断，委员会评议",
        by="secretary",
    )
    advance_round(session, round_id=round_id, to="voting", by="office")
    ballot = open_ballot(session, round_id=round_id, codes=CODES, by="office")
    mark_paper(session, ballot_id=ballot, seat="R03", paper=True, by="office")
    for seat in SEATS[:2]:
        choices = dict.fromkeys(CODES, "yes")
        cast_ballot(session, ballot_id=ballot, reviewer=seat, choices=choices)
    for by, choice in (("office", "no"), ("admin", "abstain"), ("office", "abstain")):
        counts = {code: {**dict.fromkeys(CHOICES, 0), choice: 1} for code in CODES}
        enter_papers(session, ballot_id=ballot, papers=1, counts=counts, by=by)
    close_ballot(session, ballot_id=ballot, by="office")
    freeze(session, round_id)
    correct(session, round_id)
    freeze(session, round_id, reason="漏加", confirmed_by="admin")
    advance_round(session, round_id=round_id, to="closed", by="office")
    return round_id

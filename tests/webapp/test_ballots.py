"""The secretary's ballot: quorum in whole numbers, no counts before the close, paper by two."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.ballot_box import ballots_of
from models.ballots import cast_ballot
from models.base import open_store
from models.review import Round
from models.review_ballots import BallotItem
from models.round_export import export_round
from scoring.round_json import round_from_document
from scoring.tally import tally
from tests.webapp.committee_round import CommitteeRound, furnish_committee
from tests.webapp.conftest import form_token
from tests.webapp.review_meeting import MEETING_POLICY, bring_to_meeting
from webapp.policy_texts import policy_from_text
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> CommitteeRound:
    """Six seats, of whom the last is absent, two candidates, in the phase of voting."""
    made = furnish_committee(vault, review, dossiers=2, seats=6, reviews=3)
    bring_to_meeting(review, made.review_id, "voting", absent=["R06"])
    return made


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def base(made: CommitteeRound) -> str:
    return f"/rounds/{made.round_id}/ballots"


def open_one(client: FlaskClient, review: Engine, made: CommitteeRound) -> str:
    assert post(client, f"{base(made)}/open", code=list(made.codes), confirm="yes")[0] == 200
    with Session(review) as session:
        return ballots_of(session, made.review_id)[-1].id


def cast(review: Engine, ballot: str, made: CommitteeRound, *seats: str, choice: str) -> None:
    with Session(review) as session, session.begin():
        for seat in seats:
            choices = dict.fromkeys(made.codes, choice)
            cast_ballot(session, ballot_id=ballot, reviewer=seat, choices=choices)


def counts(review: Engine) -> set[tuple[int | None, ...]]:
    with Session(review) as session:
        items = session.scalars(select(BallotItem))
        return {(item.yes, item.no, item.abstain, item.spoiled) for item in items}


def test_from_the_quorum_to_the_outcome_that_the_tally_has(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    assert "3 × 5 = 15 ≥ 2 × 6 = 12" in client.get(base(made)).text
    status, page = post(client, f"{base(made)}/attendance", present=["R01", "R02", "R03"])
    assert "3 × 3 = 9 &lt; 2 × 6 = 12" in page
    assert post(client, f"{base(made)}/open", code=list(made.codes), confirm="yes")[0] == 422
    post(client, f"{base(made)}/attendance", present=["R01", "R02", "R03", "R04", "R05"])
    ballot = open_one(client, review, made)
    cast(review, ballot, made, "R01", "R02", "R03", choice="yes")
    cast(review, ballot, made, "R04", choice="abstain")
    part = client.get(f"{base(made)}/part").text
    assert "<strong>4</strong> / 5" in part
    # Open: no counts, no receipts, and nobody's name beside a vote.
    assert client.get(f"{base(made)}/{ballot}/receipts").status_code == 404
    assert '<th scope="row" class="code">' not in client.get(base(made)).text
    assert counts(review) == {(None, None, None, None)}
    assert post(client, f"{base(made)}/{ballot}/close")[0] == 422
    status, page = post(client, f"{base(made)}/{ballot}/close", confirm="yes")
    assert status == 200
    # Three of five present, one absent from the box: 9 < 10 fails.
    assert page.count("3 × 3 = 9 &lt; 2 × 5 = 10") == 2
    assert post(client, f"{base(made)}/{ballot}/close", confirm="yes")[0] == 422
    assert client.get(f"{base(made)}/{ballot}/receipts").text.count('<li class="code">') == 4
    with Session(review) as session:
        policy = policy_from_text(MEETING_POLICY, "office")
        document = export_round(session, made.review_id)
        outcomes = tally(round_from_document(document, policy), policy).candidates
    assert [(o.vote.yes, o.vote.denominator, o.vote.passed) for o in outcomes if o.vote] == [
        (3, 5, False)
    ] * 2


def test_exactly_two_thirds_pass_and_a_second_ballot_is_refused(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    post(client, f"{base(made)}/attendance", present=["R01", "R02", "R03", "R04", "R05", "R06"])
    ballot = open_one(client, review, made)
    cast(review, ballot, made, "R01", "R02", "R03", "R04", choice="yes")
    cast(review, ballot, made, "R05", "R06", choice="no")
    _, page = post(client, f"{base(made)}/{ballot}/close", confirm="yes")
    assert page.count("3 × 4 = 12 ≥ 2 × 6 = 12") == 2
    assert page.count("✓ 通过") == 2
    status, page = post(client, f"{base(made)}/open", code=list(made.codes), confirm="yes")
    assert status == 422
    assert made.codes[0] in page


def test_paper_is_entered_twice_by_two_persons_and_blocks_until_it_agrees(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    client, second = sign_in("secretary"), sign_in("clerk")
    ballot = open_one(client, review, made)
    here = f"{base(made)}/{ballot}"
    cast(review, ballot, made, "R01", "R02", choice="yes")
    assert post(client, f"{here}/paper", seat="R01", paper="yes")[0] == 422
    for seat in ("R03", "R04"):
        assert post(client, f"{here}/paper", seat=seat, paper="yes")[0] == 200
    assert post(client, f"{here}/close", confirm="yes")[0] == 422

    def said(yes: int, no: int) -> dict[str, object]:
        form: dict[str, object] = {"papers": yes + no}
        for code in made.codes:
            form |= {f"{code}-yes": yes, f"{code}-no": no, f"{code}-abstain": 0}
            form |= {f"{code}-spoiled": 0}
        return form

    assert post(client, f"{here}/papers", **said(3, 0))[0] == 422
    assert post(client, f"{here}/papers", **{**said(2, 0), "papers": "zwei"})[0] == 422
    assert post(client, f"{here}/papers", **said(2, 0))[0] == 200
    # The second person does not see what the first counted; one person alone is not two.
    assert 'value="2"' not in second.get(f"{here}/papers").text
    assert post(client, f"{here}/papers", **said(2, 0))[0] == 200
    assert post(client, f"{here}/close", confirm="yes")[0] == 422
    _, page = post(second, f"{here}/papers", **said(1, 1))
    assert page.count(f'<th scope="row" class="code">{made.codes[0]}</th><td>') >= 2
    assert post(client, f"{here}/close", confirm="yes")[0] == 422
    post(second, f"{here}/papers", **said(2, 0))
    assert post(client, f"{here}/close", confirm="yes")[0] == 200
    assert counts(review) == {(4, 0, 0, 0)}
    assert post(second, f"{here}/papers", **said(1, 1))[0] == 422


def test_the_vote_begins_by_hand_and_only_once(
    sign_in: SignIn, office: object, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=1, seats=3, reviews=3)
    bring_to_meeting(review, made.review_id, "locked")
    client = sign_in("secretary")
    assert post(client, f"{base(made)}/phase")[0] == 422
    assert post(client, f"{base(made)}/open", code=list(made.codes), confirm="yes")[0] == 422
    assert post(client, f"{base(made)}/phase", confirm="yes")[0] == 200
    assert post(client, f"{base(made)}/phase", confirm="yes")[0] == 422
    with Session(review) as session:
        assert session.get_one(Round, made.review_id).phase == "voting"


def test_a_ballot_of_another_round_is_no_page_of_this_one(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    ballot = open_one(client, review, made)
    other = furnish_committee(vault, review, dossiers=1, seats=3, reviews=3, name="另一批次")
    for act in ("close", "paper", "papers"):
        assert post(client, f"{base(other)}/{ballot}/{act}", confirm="yes")[0] == 404

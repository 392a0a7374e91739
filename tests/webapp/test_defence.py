"""The defence at the desk: grounds, clauses, evidence, the panel's scores, averages, rulings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.base import open_store
from models.defences import defence_scores, record_defence_score
from models.review import Candidate, Round, Ruling
from models.vault_accounts import OfficeEvent
from models.vault_rounds import Entrant
from tests.webapp.committee_round import CommitteeRound, furnish_committee
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.review_meeting import bring_to_meeting
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
SEATS = ("R01", "R02", "R03")


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> CommitteeRound:
    return furnish_committee(vault, review, dossiers=4, seats=3, reviews=3)


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def base(made: CommitteeRound) -> str:
    return f"/rounds/{made.round_id}/defence"


def set_row(
    client: FlaskClient, made: CommitteeRound, code: str, standing: str, ground: str = "none",
    evidence: str = "", reason: str = "核对原件",
) -> int:  # fmt: skip
    form = {
        "code": code, f"standing-{code}": standing, f"ground-{code}": ground,
        f"evidence-{code}": evidence, "reason": reason,
    }  # fmt: skip
    return post(client, base(made), **form)[0]


def standing_of(review: Engine, made: CommitteeRound, code: str) -> tuple[str, str | None]:
    with Session(review) as session:
        one = session.get_one(Candidate, (made.review_id, code))
        return one.defence, one.ground


def score(review: Engine, made: CommitteeRound, code: str, points: int) -> None:
    with Session(review) as session, session.begin():
        for seat in SEATS:
            record_defence_score(
                session, round_id=made.review_id, judge=seat, code=code, points=points,
                maximum=3000, by=seat,
            )  # fmt: skip


def test_evidence_stays_in_the_office_and_the_clause_is_shown(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    client, code = sign_in("secretary"), made.codes[0]
    page = client.get(base(made)).text
    assert "免予答辩：基层服务" in page
    assert "取同年度同专业实际参加答辩人员的平均分" in page
    note = "诸葛001的免试审批表第12号"
    assert set_row(client, made, code, "exempt", "service", note) == 200
    assert standing_of(review, made, code) == ("exempt", "service")
    assert note in client.get(base(made)).text
    with Session(review) as session:
        events = session.scalars(select(AuditEvent.details)).all()
        assert not any("审批表" in details for details in events)
        actions = set(session.scalars(select(AuditEvent.action)))
        assert {"set_ground", "set_defence_standing"} <= actions
    with Session(vault) as session:
        assert session.scalars(select(OfficeEvent).filter_by(action="defence.evidence")).all()


def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    client, code = sign_in("secretary"), made.codes[0]
    assert set_row(client, made, code, "exempt") == 422
    assert set_row(client, made, code, "attended") == 422
    assert set_row(client, made, code, "exempt", "service", reason=" ") == 422
    assert set_row(client, made, code, "exempt", "service", "x", "诸葛001 有证明") == 422
    assert set_row(client, made, code, "exempt", "charm") == 422
    assert set_row(client, made, "ZZZZ-ZZ", "exempt", "service") == 422
    assert standing_of(review, made, code) == ("not_required", None)
    with Session(vault) as session:
        events = select(OfficeEvent).filter_by(action="defence.evidence")
        assert session.scalars(events).all() == []


def test_the_roster_is_taken_over_where_the_notice_has_the_ground(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    with Session(vault) as session, session.begin():
        said = dict(zip(made.codes, ("访惠聚驻村", "自由职业者", "", "且末"), strict=True))
        for entrant in session.scalars(select(Entrant).filter_by(round_id=made.round_id)):
            empty, filled = '"exemption": ""', f'"exemption": "{said[entrant.code]}"'
            assert empty in entrant.row
            entrant.row = entrant.row.replace(empty, filled)
    client = sign_in("secretary")
    assert post(client, f"{base(made)}/import")[0] == 200
    found = [standing_of(review, made, code) for code in made.codes]
    # Of the non-public sector the notice of 2024 says nothing.
    assert found == [
        ("exempt", "service"), ("not_required", None), ("not_required", None),
        ("exempt", "remote_county"),
    ]  # fmt: skip


def test_the_defence_begins_after_the_lock_with_a_confirmation(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    assert post(client, f"{base(made)}/phase", confirm="yes")[0] == 422
    bring_to_meeting(review, made.review_id, "locked")
    assert post(client, f"{base(made)}/phase")[0] == 422
    assert post(client, f"{base(made)}/phase", confirm="yes")[0] == 200
    with Session(review) as session:
        assert session.get_one(Round, made.review_id).phase == "defence"


def test_scores_from_paper_and_their_correction_by_two(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    bring_to_meeting(review, made.review_id, "defence", came=1)
    client, code = sign_in("secretary"), sorted(made.codes)[0]
    here = f"{base(made)}/scores/{code}"
    wrong = {"points-R01": "26.3", "points-R02": "25"}
    assert post(client, here, **wrong)[0] == 422
    assert post(client, here, **{"points-R01": "30.5"})[0] == 422
    with Session(review) as session:
        assert defence_scores(session, made.review_id) == {}
    assert post(client, here, **{"points-R01": "26.5", "points-R02": "25"})[0] == 200
    assert "26.5" in client.get(f"{base(made)}/scores").text
    form = {"seat": "R01", "points": "24", "reason": "抄写错误"}
    for second in ({}, {"second_login": "secretary", "second_password": PASSWORD},
                   {"second_login": "admin", "second_password": "wrong"},
                   {"second_login": "clerk", "second_password": PASSWORD}):  # fmt: skip
        assert post(client, f"{here}/correct", **form, **second)[0] == 422
    other = {"second_login": "admin", "second_password": PASSWORD}
    assert post(client, f"{here}/correct", **form, **other)[0] == 200
    with Session(review) as session:
        found = defence_scores(session, made.review_id)
    assert found == {("R01", code): 2400, ("R02", code): 2500}
    guesses = [
        post(client, f"{here}/correct", **form, second_login="admin", second_password=f"guess {n}")[
            0
        ]
        for n in range(12)
    ]
    assert guesses[-1] == 429
    assert post(client, here, **{"points-R01": "26.5"})[0] != 429


def test_the_average_shows_its_pool_and_an_empty_pool_waits_for_a_ruling(
    sign_in: SignIn, review: Engine, made: CommitteeRound
) -> None:
    bring_to_meeting(review, made.review_id, "defence", came=2)
    client = sign_in("secretary")
    first, second, third, fourth = sorted(made.codes)
    assert set_row(client, made, third, "exempt", "service") == 200
    assert set_row(client, made, fourth, "exempt", "non_public") == 200
    here = f"{base(made)}/outcomes"
    # Until all who came are scored there is no tally, and the page says who is missing.
    assert client.get(f"{here}/{third}.svg").status_code == 400
    assert f"{first} 参加了答辩却没有答辩成绩" in client.get(here).text
    score(review, made, first, 2650)
    score(review, made, second, 2500)
    page = client.get(here).text
    assert "(26.5 + 25) / 2 = 103/4" in page
    assert "25.75" in page
    assert client.get(f"{here}/{third}.svg").text.count("<svg") == 1
    assert f'<h3 class="code">{fourth}</h3>' in page
    assert "通知没有“非公有制领域”这一免答辩情形" in page
    ruling = {"code": fourth, "subject": "defence_points", "value": "20", "reason": "集体研究"}
    # A ruling that has nothing to decide, or no sense, is not kept.
    for wrong in ({"code": third}, {"value": "many"}, {"subject": "mood"}, {"reason": ""}):
        assert post(client, here, **{**ruling, **wrong})[0] == 422
    with Session(review) as session:
        assert session.scalars(select(Ruling)).all() == []
    status, page = post(client, here, **ruling)
    assert status == 200
    assert "没有待裁定的情形" in page
    assert "集体研究" in page
    # Settled otherwise since, a ruling has nothing to decide; it is withdrawn and stays on record.
    assert set_row(client, made, fourth, "exempt", "service") == 200
    page = client.get(here).text
    assert "没有可裁定的事项" in page
    assert post(client, here, **{**ruling, "value": "withdrawn", "reason": ""})[0] == 422
    status, page = post(client, here, **{**ruling, "value": "withdrawn"})
    assert status == 200
    assert "没有可裁定的事项" not in page
    assert post(client, here, **{**ruling, "value": "withdrawn"})[0] == 422
    with Session(review) as session:
        values = session.scalars(select(Ruling.value).order_by(Ruling.number)).all()
        assert values == ["20", "withdrawn"]

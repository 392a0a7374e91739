"""The policy of the scores: a round without criteria is mended, and nobody's scores are re-read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import open_store
from models.candidates import disqualify
from models.review import PolicySnapshot, Round
from models.review_sheets import Sheet
from models.round_export import export_round
from models.round_policies import PolicyChange, replace_policy
from models.rounds import OrderError, advance_round, lock_round
from models.sheets import save_draft
from models.tallies import freeze_tally
from models.vault_rounds import OfficeRound
from scoring.outputs import json_text
from scoring.result_json import tally_document
from scoring.round_json import round_from_document
from scoring.tally import tally
from tests.webapp.committee_round import CommitteeRound, furnish_committee, submit
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.review_round import POLICY
from webapp.archive import write_archive
from webapp.archive_proof import verify_archive
from webapp.policy_texts import policy_from_text
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
NO_CRITERIA = 'extends = "science_bazhou_2024"\n'
OTHER = POLICY.replace('max = "60"', 'max = "55.5"').replace("places = 2", "places = 1")


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> CommitteeRound:
    """A round that was opened by a notice without criteria; its sheets are given."""
    return furnish_committee(vault, review, reviews=2, policy=NO_CRITERIA)


def put(
    client: FlaskClient, made: CommitteeRound, text: str = OTHER, **form: str
) -> tuple[int, str]:
    path = f"/rounds/{made.round_id}/policy"
    data = {
        "csrf_token": form_token(client.get("/account").text),
        "policy_file": (io.BytesIO(text.encode()), "本单位.toml" if text else ""),
        "reason": "通知没有评分项",
        "confirm": "yes",
        **form,
    }
    answer = client.post(path, data=data, follow_redirects=True)
    return answer.status_code, answer.text


def in_force(review: Engine) -> tuple[int, str, int]:
    """(number, text, places)."""
    with Session(review) as session:
        last = session.scalars(select(PolicySnapshot).order_by(PolicySnapshot.number)).all()[-1]
        assert verify_audit(session).whole
        return last.number, last.text, session.scalars(select(Round.places)).one()


def test_a_round_without_criteria_is_mended(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    assert "现行政策没有评分项" in client.get(f"/rounds/{made.round_id}/policy").text
    status, page = put(client, made)
    assert status == 200 and "政策已更换" in page and "55.5" in page
    assert in_force(review) == (2, OTHER, 1)
    with Session(vault) as session:
        found = session.get_one(OfficeRound, made.round_id)
        assert (found.policy, found.policy_name) == (OTHER, "本单位")
    assert "<td>通知没有评分项</td>" in page
    # Another slip can be mended as well.
    assert put(client, made, POLICY)[0] == 200
    assert in_force(review) == (3, POLICY, 2)


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        (NO_CRITERIA, {}, "没有评分项"),
        (OTHER.replace('step = "0.5"', 'step = "0.25"'), {}, "小数位多于"),
        (OTHER, {"reason": " "}, "须写明理由"),
        (OTHER, {"reason": "诸葛001 要求"}, "不能写出"),
        (OTHER, {"confirm": ""}, "请先勾选确认"),
        ("", {}, "请选择本单位的政策文件"),
        ("extends = 1", {}, ""),
    ],
)
def test_what_nobody_could_score_by_is_refused(
    sign_in: SignIn,
    review: Engine,
    made: CommitteeRound,
    text: str,
    form: dict[str, str],
    said: str,
) -> None:
    status, page = put(sign_in("secretary"), made, text, **form)
    assert status == 422 and said in page
    assert in_force(review) == (1, NO_CRITERIA, 2)


def test_criteria_stay_once_a_sheet_is_begun_and_other_rules_until_the_lock(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    client = sign_in("secretary")
    assert put(client, made, POLICY)[0] == 200
    status, page = put(client, made, POLICY)
    assert status == 422 and "现行政策的文本" in page
    with Session(review) as session, session.begin():
        first = session.scalars(select(Sheet.id)).first() or 0
        save_draft(session, sheet_id=first, scores={}, comment="x", base_version=0, by="R02")
    for text in (OTHER, POLICY.replace("places = 2", "places = 3")):
        status, page = put(client, made, text)
        assert status == 422 and "1 份评分表动笔，不能再更换评分项" in page
    assert "评分项和小数位数不能再改" in client.get(f"/rounds/{made.round_id}/policy").text
    assert put(client, made, POLICY.replace("min_sheets = 1", "min_sheets = 2"))[0] == 200
    assert put(client, made, POLICY)[0] == 200
    with Session(vault) as session:
        assert session.get_one(OfficeRound, made.round_id).policy == POLICY
    assert in_force(review) == (4, POLICY, 2)


DECIDED = POLICY + '\n[decision]\nrule = "score"\npass_score = "60"\n'
SECOND = {"second_login": "admin", "second_password": PASSWORD}


def test_after_the_lock_only_what_lacks_is_added_by_two(
    sign_in: SignIn, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    """A round whose policy does not say what passes would stay without a result for ever."""
    sign_in("admin")
    client = sign_in("secretary")
    assert put(client, made, POLICY)[0] == 200
    submit(review, made.review_id)
    with Session(review) as session, session.begin():
        lock_round(session, round_id=made.review_id, min_sheets=1, by="s")
    results, policy = (f"/rounds/{made.round_id}/{name}" for name in ("results", "policy"))
    page = client.get(results).text
    assert "decision.rule" in page and f'href="{policy}"' in page
    assert "只能补上缺少的规定" in client.get(policy).text
    for text, form, said in (
        (DECIDED, {}, "账号或密码不对"),
        (DECIDED, {**SECOND, "second_login": "secretary"}, "须由另一人"),
        (DECIDED.replace('"40"', '"41"'), SECOND, "不能再更换评分项"),
        (DECIDED.replace('"mean"', '"trimmed"'), SECOND, "已写明的规定不能改动"),
    ):
        status, page = put(client, made, text, **form)
        assert status == 422 and said in page, page
    assert in_force(review)[0] == 2
    assert put(client, made, DECIDED, **SECOND)[0] == 200
    assert in_force(review) == (3, DECIDED, 2)
    with Session(review) as session:
        told = session.scalars(
            select(AuditEvent.details).where(AuditEvent.action == "snapshot_policy")
        ).all()
        assert json.loads(told[-1])["confirmed_by"] == "admin"
    # A result can be seen now, so nothing more is added.
    assert "decision.rule" not in client.get(results).text
    status, page = put(client, made, DECIDED + "quota = 1\n", **SECOND)
    assert status == 422 and "已写明的规定不能改动" in page
    assert 'name="policy_file"' not in client.get(policy).text
    with Session(vault) as session:
        assert session.get_one(OfficeRound, made.round_id).policy == DECIDED


def test_the_archive_proves_a_round_whose_policy_was_mended_twice(
    sign_in: SignIn, review: Engine, made: CommitteeRound, tmp_path: Path
) -> None:
    sign_in("admin")
    client, round_id = sign_in("secretary"), made.review_id
    assert put(client, made, POLICY)[0] == 200
    submit(review, round_id)
    with Session(review) as session, session.begin():
        lock_round(session, round_id=round_id, min_sheets=1, by="s")
    assert put(client, made, DECIDED, **SECOND)[0] == 200
    with Session(review) as session, session.begin():
        disqualify(
            session, round_id=round_id, code=made.codes[0], reason="r", by="s", confirmed_by="a"
        )
        policy = policy_from_text(DECIDED, "office")
        round_ = round_from_document(export_round(session, round_id), policy)
        body = json_text(tally_document(round_, policy, tally(round_, policy)))
        freeze_tally(session, round_id=round_id, body=body, by="s")
        advance_round(session, round_id=round_id, to="closed", by="s")
        write_archive(tmp_path / "a.zip", session, round_id)
    proof = verify_archive(tmp_path / "a.zip")
    assert proof.problems == [] and list(proof.tallies) == [1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("policies/"))
        texts = [archive.read(name).decode() for name in names]
    assert texts == [NO_CRITERIA, POLICY, DECIDED]


def test_a_policy_by_which_a_tally_is_locked_stays(review: Engine, made: CommitteeRound) -> None:
    submit(review, made.review_id)
    with Session(review) as session, session.begin():
        lock_round(session, round_id=made.review_id, min_sheets=1, by="s")
        freeze_tally(session, round_id=made.review_id, body='{"sha256": "%s"}' % ("0" * 64), by="s")
        with pytest.raises(OrderError, match="汇总已按现行政策锁定"):
            replace_policy(
                session, round_id=made.review_id, text=DECIDED, places=2,
                change=PolicyChange(keeps_scores=True, completes=True), reason="r", by="a",
                confirmed_by="b",
            )  # fmt: skip


def test_before_anything_is_released_it_is_the_offices_own(
    sign_in: SignIn, vault: Engine, review: Engine, office: object
) -> None:
    made = furnish_committee(vault, review, released=False)
    assert put(sign_in("admin"), made)[0] == 200
    with Session(vault) as session, Session(review) as other:
        assert session.get_one(OfficeRound, made.round_id).policy == OTHER
        assert other.scalar(select(func.count(PolicySnapshot.number))) == 0

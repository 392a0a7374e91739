"""The preview: figures as `mangping tally` has them, what-ifs kept nowhere, ties that stop."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from models.audit import audit_head
from models.base import open_store
from models.review import Ruling
from models.round_export import export_round
from scoring.ranking import draw_order
from tests.webapp.conftest import form_token
from tests.webapp.result_round import NOTICES, ResultRound, furnish_result, name_of, policy_text
from webapp.cli import app as mangping
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
TIE = policy_text("culture").replace('tie_break = ["defence", "draw"]\n', "").replace(
    'seed = "2021-12-01 公开抽取"\n', ""
)  # fmt: skip
"""A quota of two, and nothing that parts equals."""


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> ResultRound:
    return furnish_result(vault, review)


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def rows(page: str) -> dict[str, list[str]]:
    """Code -> the texts of its row's cells in the ranking."""
    table = page.split('class="dense results"')[1].split("</table>")[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)[1:]:
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)
        texts = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]
        found[texts[1]] = texts
    return found


@pytest.mark.parametrize("notice", NOTICES)
def test_the_screen_shows_what_mangping_tally_computes(
    notice: str,
    sign_in: SignIn,
    vault: Engine,
    review: Engine,
    tmp_path: Path,
) -> None:
    made = furnish_result(vault, review, notice=notice, candidates=40)
    client = sign_in("secretary")
    with Session(review) as session:
        document = export_round(session, made.review_id)
    (tmp_path / "round.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    (tmp_path / "office.toml").write_text(made.policy, "utf-8")
    out = tmp_path / "result.json"
    told = CliRunner().invoke(
        mangping,
        ["tally", str(tmp_path / "round.json"), "--policy", str(tmp_path / "office.toml"),
         "--out", str(tmp_path / "result.xlsx"), "--json", str(out)],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    result = json.loads(out.read_text("utf-8"))
    answer = client.get(f"/rounds/{made.round_id}/results")
    assert answer.status_code == 200 and "预览，非正式结果" in answer.text
    shown = rows(answer.text)
    assert set(shown) == set(made.codes)
    words = {"pass": "✓ 通过", "fail": "✕ 未通过", "undetermined": "? 待裁定"}
    for item in result["candidates"]:
        cells = shown[item["code"]]
        points = [item["criteria"][key]["rounded"] for key in ("achievements", "papers")]
        points.append(item["review_points"]["rounded"])
        assert cells[0] == str(item["rank"] or "—")
        assert cells[4:7] == points
        assert cells[7] == str(item["sheets"])
        assert cells[9] == (item["total"]["rounded"] if item["total"] else "—")
        if item["vote"]:
            assert cells[10].startswith(f"{item['vote']['yes']}/{item['vote']['denominator']} ")
        assert cells[11] == words[item["decision"]]
        for reason in item["reasons"]:
            assert " ".join(reason["text"].split()) in cells[12]
            assert reason["clause"] in cells[12]
        if item["defence"]["points"]:
            assert item["defence"]["points"]["rounded"] in cells[8]
    assert {item["decision"] for item in result["candidates"]} - {"undetermined"}


def test_nothing_is_shown_before_the_lock(sign_in: SignIn, vault: Engine, review: Engine) -> None:
    from tests.webapp.committee_round import furnish_committee

    made = furnish_committee(vault, review, reviews=2)
    page = sign_in("secretary").get(f"/rounds/{made.round_id}/results").text
    assert "盲评分数锁定后才能查看汇总" in page and 'class="dense results"' not in page


def test_what_ifs_stand_beside_and_are_kept_nowhere(
    sign_in: SignIn, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    before = whole(review, made)
    base = f"/rounds/{made.round_id}/results"
    code = made.codes[0]
    page = client.get(f"{base}?trim=yes").text
    assert "试算，非正式结果" in page and "现总分" in page
    page = client.get(f"{base}?seat=R01&code={code}").text
    assert "现总分" in page and f">{code}</th>" in page.split('id="what-if"')[1]
    page = client.get(f"{base}?seat=R09&code={code}").text
    assert "没有有效的评分表" in page
    assert whole(review, made) == before


def whole(review: Engine, made: ResultRound) -> tuple[object, object]:
    with Session(review) as session:
        return export_round(session, made.review_id), audit_head(session)


@pytest.fixture
def tied(office: object, vault: Engine, review: Engine) -> ResultRound:
    return furnish_result(
        vault, review, notice="culture", candidates=4, policy=TIE, level_scores=True
    )


def test_a_tie_stops_and_a_ruling_of_the_order_parts_it(
    sign_in: SignIn, review: Engine, tied: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{tied.round_id}/results"
    page = client.get(base).text
    assert "同分跨过最后名额" in page and page.count("? 待裁定</span>") == 4
    places = {f"place-{code}": str(n) for n, code in enumerate(tied.codes, 1)}
    twice = {**places, f"place-{tied.codes[0]}": "2"}
    assert post(client, f"{base}/tie", how="ruling", reason="评议", **twice)[0] == 422
    assert post(client, f"{base}/tie", how="ruling", reason=" ", **places)[0] == 422
    named = post(client, f"{base}/tie", how="ruling", reason=f"{name_of(1)} 优先", **places)
    assert named[0] == 422 and "不能写出" in named[1]
    with Session(review) as session:
        assert session.scalar(select(func.count()).select_from(Ruling)) == 0
    status, page = post(client, f"{base}/tie", how="ruling", reason="评委会集体研究", **places)
    assert status == 200 and "同分跨过最后名额" not in page
    decided = {code: cells[11] for code, cells in rows(page).items()}
    assert [decided[code] for code in tied.codes] == ["✓ 通过"] * 2 + ["✕ 未通过"] * 2
    assert post(client, f"{base}/tie", how="ruling", reason="再来", **places)[0] == 422


def test_a_draw_is_decided_by_its_seed_which_is_kept(
    sign_in: SignIn, review: Engine, tied: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{tied.round_id}/results"
    assert post(client, f"{base}/tie", how="draw", seed=" ")[0] == 422
    page = post(client, f"{base}/tie", how="draw", seed="3-1-4-6")[1]
    drawn = draw_order(tied.codes, "3-1-4-6")
    decided = {code: cells[11] for code, cells in rows(page).items()}
    assert [decided[code] for code in drawn] == ["✓ 通过"] * 2 + ["✕ 未通过"] * 2
    with Session(review) as session:
        kept = {row.code: row for row in session.scalars(select(Ruling))}
    assert [kept[code].value for code in drawn] == ["1", "2", "3", "4"]
    assert all("3-1-4-6" in row.reason for row in kept.values())


def test_statistics_have_pictures(sign_in: SignIn, made: ResultRound) -> None:
    client = sign_in("secretary")
    page = client.get(f"/rounds/{made.round_id}/results/statistics").text
    assert "仅供参考，不改变任何分数" in page and "R05" in page
    for name in ("agreement", "severity", "outliers"):
        picture = client.get(f"/rounds/{made.round_id}/results/charts/{name}.svg")
        assert picture.mimetype == "image/svg+xml" and b"<svg" in picture.data
    assert client.get(f"/rounds/{made.round_id}/results/charts/other.svg").status_code == 404

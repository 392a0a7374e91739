"""The door to the experts: what passes, what is left when it is cut short, what it never tells."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.base import open_store
from models.errors import RuleError
from models.office_release import ask_release, asked_releases, receipt_of
from models.readiness import readiness
from models.review import Candidate, Reviewer, Round
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet
from models.sheets import assign_sheets, save_draft
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant, OfficeRound
from redactor.assembly import FIXED_TIME
from redactor.proof import stray_parts
from tests.webapp.conftest import PEOPLE, form_token
from tests.webapp.dossiers import add_page, page_bytes
from webapp.office import blind_folder, door
from webapp.office.door import Stores, bring_back, differences, let_out
from webapp.office.work import round_vault
from webapp.page_pictures import picture_file
from webapp.settings import Settings

PAGES = 3
CATEGORY = "学历证书"


@pytest.fixture
def stores(settings: Settings, vault: Engine) -> Stores:
    return Stores(settings, vault, open_store(settings.review_url))


@pytest.fixture
def ready(stores: Stores, round_id: int) -> int:
    """A round with two dossiers whose names, units and files would tell who it is."""
    with Session(stores.vault) as session, session.begin():
        for entrant in session.scalars(select(Entrant)).all():
            entrant.specialty, entrant.level = "实验技术", "中级"
            for number in range(1, PAGES + 1):
                name = f"{entrant.name}-{entrant.unit}-{number}.jpg"
                add_page(session, stores.settings, entrant, number, name=name, category=CATEGORY)
    return round_id


def ask_all(stores: Stores, round_id: int, by: str = "clerk") -> list[int]:
    """Release ids, asked for in the order of the roster."""
    with Session(stores.vault) as session, session.begin():
        chosen = select(Entrant.id).where(Entrant.round_id == round_id).order_by(Entrant.number)
        return [ask_release(session, entrant_id=e, by=by).id for e in session.scalars(chosen)]


def release_all(stores: Stores, round_id: int) -> tuple[str, ...]:
    outcome = let_out(stores, round_id=round_id, release_ids=ask_all(stores, round_id), by="clerk")
    assert outcome.problems == ()
    return outcome.codes


def review_round(stores: Stores, round_id: int) -> int:
    with Session(stores.vault) as session:
        found = session.get_one(OfficeRound, round_id).review_round_id
    assert found is not None
    return found


def blind_files(stores: Stores) -> dict[str, bytes]:
    blind = stores.settings.blind
    return {
        path.relative_to(blind).as_posix(): path.read_bytes()
        for path in sorted(blind.rglob("*"))
        if path.is_file()
    }


def test_proven_pages_reach_the_experts_with_both_sides_recorded(
    stores: Stores, ready: int
) -> None:
    codes = release_all(stores, ready)
    assert list(codes) == sorted(codes)
    review_id = review_round(stores, ready)
    files = blind_files(stores)
    assert set(files) == {f"{review_id}/{code}/{n:03d}.jpg" for code in codes for n in (1, 2, 3)}
    assert all(stray_parts(data) == [] for data in files.values())
    with Session(stores.review) as review, Session(stores.vault) as vault:
        made = review.get_one(Round, review_id)
        assert (made.phase, made.places, made.committee_members) == ("scoring", 2, 9)
        assert review.scalars(select(Reviewer)).all() == []
        candidates = review.scalars(select(Candidate)).all()
        assert {(c.code, c.specialty, c.level, c.defence, c.ground) for c in candidates} == {
            (code, "实验技术", "中级", "not_required", None) for code in codes
        }
        rows = review.scalars(select(ReleasedPage)).all()
        assert len(rows) == 2 * PAGES
        assert all(row.category == CATEGORY for row in rows)
        for release in vault.scalars(select(Release)).all():
            code = vault.get_one(Entrant, release.entrant_id).code
            assert release.state == "released"
            hashes = {name: sha for _page, name, sha in json.loads(release.hashes)}
            assert hashes == {f"{r.number:03d}.jpg": r.sha256 for r in rows if r.code == code}
            assert differences(stores, release.id) == []
        told = review.scalars(select(AuditEvent).filter_by(action="release")).one()
        assert set(json.loads(told.details)["receipts"]) == {
            receipt_of(release) for release in vault.scalars(select(Release))
        }
    assert not (stores.settings.blind / ".parts").exists()


def test_files_are_private_and_their_times_tell_nothing(stores: Stores, ready: int) -> None:
    release_all(stores, ready)
    for path in [stores.settings.blind, *stores.settings.blind.rglob("*")]:
        found = path.stat()
        assert found.st_mtime == FIXED_TIME
        assert stat.S_IMODE(found.st_mode) == (0o600 if path.is_file() else 0o700), path


def test_nothing_that_tells_who_it_is_passes(stores: Stores, ready: int) -> None:
    """Search files and every row of the review store for every identity string of the vault."""
    with Session(stores.vault) as vault, vault.begin():
        vault.get_one(OfficeRound, ready).name = f"{PEOPLE[0].unit}2024年度评审"
    one, two = ask_all(stores, ready)
    let_out(stores, round_id=ready, release_ids=[two], by="clerk")
    let_out(stores, round_id=ready, release_ids=[one], by="clerk")
    bring_back(stores, release_id=one, reason=f"{PEOPLE[0].name}的页面有误", by="clerk")
    let_out(stores, round_id=ready, release_ids=ask_again(stores, one), by="clerk")
    words = [person.name for person in PEOPLE] + [person.unit for person in PEOPLE]
    words += [PEOPLE[0].id_number or "", "第1份"]
    with Session(stores.vault) as vault:
        for file in vault.execute(
            text("SELECT path, folder, sha256, received_at FROM source_file")
        ):
            words += [str(value) for value in file]
        words += [release.asked_at for release in vault.scalars(select(Release))]
        words += [release.salt for release in vault.scalars(select(Release))]
        codes = vault.scalars(select(Entrant.code).order_by(Entrant.number)).all()
    said = [name + str(data) for name, data in blind_files(stores).items()]
    with Session(stores.review) as review:
        tables = review.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        said += [
            str(tuple(row))
            for table in tables
            for row in review.execute(text(f'SELECT * FROM "{table}"'))
        ]
        events = [event.details for event in review.scalars(select(AuditEvent))]
    # What was deleted must be gone from the file as well.
    raw = Path(stores.settings.review_url.removeprefix("sqlite:///")).read_bytes()
    assert len(said) > 10
    for word in filter(None, words):
        assert not any(word in line for line in said), word
        assert word.encode() not in raw, word
    assert not any(code in details for code in codes for details in events)


def ask_again(stores: Stores, release_id: int) -> list[int]:
    with Session(stores.vault) as session, session.begin():
        entrant = session.get_one(Release, release_id).entrant_id
        return [ask_release(session, entrant_id=entrant, by="clerk").id]


def test_a_page_that_is_not_what_was_proven_stays(stores: Stores, ready: int) -> None:
    ids = ask_all(stores, ready)
    with Session(stores.vault) as session:
        page = session.scalars(select(Page).order_by(Page.id)).first()
        assert page is not None
        staged = round_vault(stores.settings, ready).staging / json.loads(page.record)["staged"]
        code = session.get_one(Entrant, page.entrant_id).code
    staged.write_bytes(page_bytes(77, 9))
    outcome = let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    assert len(outcome.codes) == 1
    assert code not in outcome.codes
    assert [code in problem.zh for problem in outcome.problems] == [True]
    assert len(blind_files(stores)) == PAGES
    assert not any(code in name for name in blind_files(stores))


def test_a_proven_hash_over_stray_bytes_is_refused(stores: Stores, ready: int) -> None:
    """Even if somebody made the vault's rows agree, a picture with a comment does not pass."""
    with Session(stores.vault) as session, session.begin():
        page = session.scalars(select(Page).order_by(Page.id)).first()
        assert page is not None
        record = json.loads(page.record)
        staged = round_vault(stores.settings, ready).staging / record["staged"]
        data = staged.read_bytes()
        name = PEOPLE[0].name.encode()
        data = data[:2] + b"\xff\xfe" + (len(name) + 2).to_bytes(2) + name + data[2:]
        staged.write_bytes(data)
        page.staged_sha256 = record["sha256"] = blind_folder.sha256_of(data)
        page.record = json.dumps(record)
        entrant = page.entrant_id
    ids = ask_all(stores, ready)
    outcome = let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    assert len(outcome.codes) == 1
    with Session(stores.vault) as session:
        assert session.get_one(Entrant, entrant).code not in outcome.codes


@pytest.mark.parametrize("staged", ["../../vault.db", "/etc/passwd", "", "page.gif"])
def test_a_staged_name_that_leads_elsewhere_is_refused(
    stores: Stores, ready: int, staged: str
) -> None:
    with Session(stores.vault) as session, session.begin():
        for page in session.scalars(select(Page)).all():
            page.record = json.dumps({**json.loads(page.record), "staged": staged})
    outcome = let_out(stores, round_id=ready, release_ids=ask_all(stores, ready), by="clerk")
    assert outcome.codes == ()
    assert len(outcome.problems) == 2
    assert blind_files(stores) == {}


def test_a_specialty_that_names_the_unit_is_refused(stores: Stores, ready: int) -> None:
    with Session(stores.vault) as session, session.begin():
        entrant = session.scalars(select(Entrant).order_by(Entrant.number)).all()[0]
        entrant.specialty = f"{PEOPLE[0].unit[:4]} {PEOPLE[0].unit[4:]}实验"
    outcome = let_out(stores, round_id=ready, release_ids=ask_all(stores, ready), by="clerk")
    assert len(outcome.codes) == 1
    assert "专业" in outcome.problems[0].zh


def experts_picture(stores: Stores, page: bytes) -> Path:
    """A small picture of a page, as the experts' app keeps it."""
    folder = stores.settings.review / "pictures"
    folder.mkdir(exist_ok=True)
    path = picture_file(folder, hashlib.sha256(page).hexdigest(), "1x")
    path.write_bytes(b"small")
    return path


def test_a_release_goes_back_until_scoring_starts(stores: Stores, ready: int) -> None:
    ids = ask_all(stores, ready)
    codes = let_out(stores, round_id=ready, release_ids=ids, by="clerk").codes
    with pytest.raises(RuleError, match="理由"):
        bring_back(stores, release_id=ids[0], reason=" ", by="clerk")
    small = [experts_picture(stores, data) for data in blind_files(stores).values()]
    bring_back(stores, release_id=ids[0], reason="漏遮一处", by="clerk")
    assert len(blind_files(stores)) == PAGES
    assert sum(path.exists() for path in small) == PAGES
    with Session(stores.vault) as session:
        release = session.get_one(Release, ids[0])
        assert (release.state, release.reason, release.withdrawn_by) == (
            "withdrawn",
            "漏遮一处",
            "clerk",
        )
        left = session.get_one(Entrant, session.get_one(Release, ids[1]).entrant_id).code
    review_id = review_round(stores, ready)
    with Session(stores.review) as review, review.begin():
        review.add(Reviewer(round_id=review_id, seat="R01"))
        review.flush()
        assign_sheets(review, round_id=review_id, pairs=[("R01", left)], by="s")
        sheet = review.scalars(select(Sheet.id)).one()
        save_draft(review, sheet_id=sheet, scores={}, comment="", base_version=0, by="R01")
    before = blind_files(stores)
    with pytest.raises(RuleError, match="评分"):
        bring_back(stores, release_id=ids[1], reason="后悔", by="clerk")
    assert blind_files(stores) == before
    with Session(stores.vault) as session:
        assert session.get_one(Release, ids[1]).state == "released"
    assert set(codes) > {left}


def killed_when(stores: Stores, moment: str, work: Callable[[], object]) -> None:
    """Runs `work` in a process that dies, as by SIGKILL, before the named function of the door or
    of the experts' folder."""

    def child() -> None:
        stores.vault.dispose(close=False)
        stores.review.dispose(close=False)
        module = blind_folder if hasattr(blind_folder, moment) else door
        setattr(module, moment, lambda *_, **__: os._exit(9))
        work()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == 9


@pytest.mark.parametrize("moment", ["_hand_over", "place", "sync", "note_released"])
def test_killed_on_the_way_out_nothing_is_half_released_and_a_repeat_completes_it(
    stores: Stores, ready: int, moment: str
) -> None:
    ids = ask_all(stores, ready)
    killed_when(
        stores, moment, lambda: let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    )
    with Session(stores.review) as review:
        shown = review.scalars(select(ReleasedPage)).all()
    # Rows are either all there, with their files, or not at all.
    assert len(shown) == (2 * PAGES if moment == "note_released" else 0)
    files = blind_files(stores)
    for row in shown:
        assert f"{row.round_id}/{row.code}/{row.number:03d}.jpg" in files
    with Session(stores.vault) as session:
        waiting = [release.id for release, _code in asked_releases(session, ready)]
    assert sorted(waiting) == sorted(ids)
    outcome = let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    assert (len(outcome.codes), outcome.problems) == (2, ())
    assert all(differences(stores, release) == [] for release in ids)
    with Session(stores.review) as review:
        assert len(review.scalars(select(Round)).all()) == 1


def test_what_a_killed_release_left_is_never_shown(stores: Stores, ready: int) -> None:
    ids = ask_all(stores, ready)
    killed_when(
        stores, "sync", lambda: let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    )
    for path in stores.settings.blind.rglob("001.jpg"):
        path.write_bytes(page_bytes(77, 9))
    assert len(let_out(stores, round_id=ready, release_ids=ids, by="clerk").codes) == 2
    assert all(differences(stores, release) == [] for release in ids)


@pytest.mark.parametrize("moment", ["remove", "withdrawn"])
def test_killed_on_the_way_back_a_repeat_completes_it(
    stores: Stores, ready: int, moment: str
) -> None:
    ids = ask_all(stores, ready)
    let_out(stores, round_id=ready, release_ids=ids, by="clerk")
    killed_when(
        stores, moment, lambda: bring_back(stores, release_id=ids[0], reason="误放", by="clerk")
    )
    with Session(stores.review) as review:
        assert len(review.scalars(select(ReleasedPage)).all()) == PAGES
    bring_back(stores, release_id=ids[0], reason="误放", by="clerk")
    assert len(blind_files(stores)) == PAGES
    with Session(stores.vault) as session:
        assert session.get_one(Release, ids[0]).state == "withdrawn"


def test_a_killed_first_release_can_be_taken_back(stores: Stores, ready: int) -> None:
    ids = ask_all(stores, ready)
    killed_when(
        stores,
        "note_released",
        lambda: let_out(stores, round_id=ready, release_ids=ids, by="clerk"),
    )
    for release in ids:
        bring_back(stores, release_id=release, reason="重来", by="clerk")
    assert blind_files(stores) == {}
    with Session(stores.review) as review:
        assert review.scalars(select(Candidate)).all() == []


@pytest.fixture
def clerk(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    return sign_in("clerk")


def post(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    """Posts a form with its token and follows to the page behind it."""
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **data}, follow_redirects=True)
    return answer.status_code, answer.text


def test_all_that_is_ready_leaves_by_the_office_s_pages(
    stores: Stores, ready: int, clerk: FlaskClient
) -> None:
    with Session(stores.vault) as session, session.begin():
        blocked = session.scalars(select(Entrant).where(Entrant.number == 2)).one()
        add_page(session, stores.settings, blocked, 9, state="review")
    page = clerk.get(f"/rounds/{ready}/release").text
    assert "待查看" in page
    assert "1 份材料（3 页）可以放行" in page
    status, page = post(clerk, f"/rounds/{ready}/release/ask", all="1")
    assert status == 200
    assert 'hx-trigger="load' in page
    status, page = post(clerk, f"/rounds/{ready}/release/next")
    assert status == 200
    assert len(blind_files(stores)) == PAGES
    with Session(stores.vault) as session:
        release = session.scalars(select(Release)).one()
        assert release.state == "released"
    page = clerk.get(f"/rounds/{ready}/release/{release.entrant_id}").text
    assert "撤回放行" in page
    path = f"/rounds/{ready}/release/{release.id}/back"
    assert post(clerk, path, reason="")[0] == 422
    assert len(blind_files(stores)) == PAGES
    assert post(clerk, path, reason="漏遮")[0] == 200
    assert blind_files(stores) == {}


def test_two_persons_release_where_the_round_says_so(
    stores: Stores, ready: int, sign_in: Callable[[str], FlaskClient]
) -> None:
    with Session(stores.vault) as session, session.begin():
        session.get_one(OfficeRound, ready).two_person_release = True
    clerk, admin = sign_in("clerk"), sign_in("admin")
    post(clerk, f"/rounds/{ready}/release/ask", all="1")
    post(clerk, f"/rounds/{ready}/release/next")
    with Session(stores.vault) as session:
        one = asked_releases(session, ready)[0][0].id
    assert post(clerk, f"/rounds/{ready}/release/{one}/confirm")[0] == 422
    assert blind_files(stores) == {}
    post(admin, f"/rounds/{ready}/release/next")
    assert len(blind_files(stores)) == 2 * PAGES
    with Session(stores.vault) as session:
        for release in session.scalars(select(Release)):
            assert (release.asked_by, release.confirmed_by) == ("clerk", "admin")


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/rounds/{round}/release/ask", {"entrant": "999999"}),
        ("/rounds/{round}/release/ask", {"entrant": "1 OR 1=1"}),
        ("/rounds/{round}/release/999/confirm", {}),
        ("/rounds/999/release/{release}/confirm", {}),
        ("/rounds/999/release/{release}/back", {"reason": "x"}),
        ("/rounds/999/release/next", {}),
    ],
)
def test_forged_ids_open_nothing(
    stores: Stores, ready: int, clerk: FlaskClient, path: str, data: dict[str, str]
) -> None:
    release = ask_all(stores, ready)[0]
    post(clerk, path.format(round=ready, release=release), **data)
    assert blind_files(stores) == {}
    with Session(stores.vault) as session:
        assert {r.state for r in session.scalars(select(Release))} == {"asked"}


def test_only_the_desk_may_release(
    stores: Stores, ready: int, sign_in: Callable[[str], FlaskClient]
) -> None:
    secretary = sign_in("secretary")
    assert secretary.get(f"/rounds/{ready}/release").status_code == 403
    assert post(secretary, f"/rounds/{ready}/release/ask", all="1")[0] == 403
    with Session(stores.vault) as session:
        assert session.scalars(select(Release)).all() == []
        assert readiness(session, ready)[1].state == "ready"

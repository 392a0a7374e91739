"""The experts' PostgreSQL role: all that their pages do works, and nothing else is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from models.ballots import close_ballot, open_ballot
from models.base import AppendOnly, VaultBase, open_store
from models.errors import RuleError
from models.review_access import SeatDevice
from models.review_grants import RIGHTS, grant_experts
from models.review_sheets import DefenceScore, Sheet
from models.rounds import advance_round
from models.schema import REVIEW_TABLES
from models.sheets import exclude_sheet
from tests.postgresql_server import Server
from tests.webapp.conftest import form_token
from tests.webapp.postgresql_round import EXPERTS, OWNER, REVIEW, VAULT, furnish, on_postgresql
from tests.webapp.review.test_ballot import receipt_of, send
from tests.webapp.review.test_sheet import WHOLE, Sender
from tests.webapp.review_meeting import bring_to_meeting
from tests.webapp.review_round import ReviewRound
from tests.webapp.serving_process import free_port
from webapp.expert_role import give_experts_their_rights
from webapp.review.app import create_review
from webapp.serving import serve
from webapp.settings import Settings, review_settings

__all__ = ["on_postgresql"]  # a fixture
LONG_AGO = "2001-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def office(on_postgresql: Settings) -> Iterator[Engine]:
    """The review store as the office opens it."""
    engine = open_store(on_postgresql.review_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def made(on_postgresql: Settings, office: Engine) -> ReviewRound:
    return furnish(on_postgresql, office)


@pytest.fixture(scope="module")
def experts(on_postgresql: Settings, made: ReviewRound) -> Iterator[Engine]:
    """The review store as the experts' process opens it, when rows are in it."""
    engine = open_store(on_postgresql.experts_database)
    yield engine
    engine.dispose()


class Tablets:
    """Clients of one experts' app that sign in at the door."""

    def __init__(self, settings: Settings, made: ReviewRound) -> None:
        self._app, self._made = create_review(review_settings(settings)), made
        assert self._app.extensions["review"].url.username == EXPERTS

    def sign_in(self, seat: str) -> FlaskClient:
        client, card = self._app.test_client(), self._made.cards[seat]
        page = client.get(f"/card/{card.number}").text
        data = {"number": card.number, "csrf_token": form_token(page)}
        assert client.post("/sign-in", data={**data, "secret": "000"}).status_code == 422
        assert client.post("/sign-in", data={**data, "secret": card.pin}).status_code == 302
        return client


def test_a_whole_review_under_the_experts_role(
    on_postgresql: Settings, office: Engine, made: ReviewRound
) -> None:
    tablets = Tablets(on_postgresql, made)
    first, second = tablets.sign_in("R01"), tablets.sign_in("R02")
    one, two, three = made.codes
    read_and_score(first, made, one, two)
    report_and_recuse(second, made, one, three)
    devices(second, office, made)
    with Session(office) as session, session.begin():
        for sheet in session.scalars(select(Sheet).filter_by(state="open", reviewer="R03")).all():
            exclude_sheet(session, sheet_id=sheet.id, reason="test", by="office")
    bring_to_meeting(office, made.round_id, "defence", came=1)
    defend(first, office, one)
    vote(first, office, made)
    assert first.post("/sign-out", data={"csrf_token": token_of(first)}).status_code == 302
    assert first.get("/").status_code == 302


def token_of(client: FlaskClient) -> str:
    return form_token(client.get("/devices").text)


def read_and_score(client: FlaskClient, made: ReviewRound, one: str, two: str) -> None:
    assert one in client.get("/").text
    assert client.get(f"/d/{one}/").status_code == 200
    (page, *_) = client.get(f"/d/{one}/pages.json").json or []
    assert client.get(f"/d/{one}/pictures/{page['name']}/thumb").status_code == 200
    sender = Sender(client, made, "R01")
    draft = {"scores": WHOLE, "comment": "好", "notes": {"1": "看"}}
    answer = sender.put(one, **draft, save_id="save-9001")
    assert answer.json == {"version": 1, "newest": 1}
    assert sender.put(one, **draft, save_id="save-9001").json == {"version": 1, "newest": 1}
    assert sender.put(one, scores={}, save_id="save-9002").status_code == 409
    body = {**draft, "base_version": 1, "save_id": "save-9003"}
    assert sender.submit(one, **body, secret="000").status_code == 403
    answer = sender.submit(one, **body, secret=made.cards["R01"].pin)
    assert (answer.json or {})["state"] == "submitted"
    assert sender.put(two, scores=WHOLE).status_code == 200


def report_and_recuse(client: FlaskClient, made: ReviewRound, one: str, three: str) -> None:
    (page, *_) = client.get(f"/d/{one}/pages.json").json or []
    data = {"csrf_token": token_of(client), "number": page["number"], "name": page["name"]}
    answer = client.post(f"/d/{one}/report", data={**data, "reason": "页脚"})
    assert (answer.json or [{}])[0]["frozen"] is True
    data = {"csrf_token": token_of(client), "reason": "family"}
    assert client.post(f"/d/{three}/recusal", data=data).status_code == 302
    assert client.get(f"/d/{three}/").status_code == 404


def devices(client: FlaskClient, office: Engine, made: ReviewRound) -> None:
    data = {"csrf_token": token_of(client), "password": "correct horse battery"}
    assert client.post("/devices/password", data={**data, "secret": "000"}).status_code == 422
    pin = made.cards["R02"].pin
    assert client.post("/devices/password", data={**data, "secret": pin}).status_code == 302
    with Session(office) as session, session.begin():
        session.execute(update(SeatDevice).values(seen_at=LONG_AGO))
    assert client.get("/devices").status_code == 200
    with Session(office) as session:
        seen = session.scalars(select(SeatDevice.seen_at).filter_by(seat="R02")).all()
    assert any(moment > LONG_AGO for moment in seen)


def defend(client: FlaskClient, office: Engine, code: str) -> None:
    assert client.get("/defence").status_code == 200
    data = {"csrf_token": token_of(client), "points": "25", "confirm": "yes"}
    assert client.post(f"/defence/{code}", data=data).status_code == 303
    with Session(office) as session:
        assert session.scalars(select(DefenceScore.points)).all() == [2500]


def vote(client: FlaskClient, office: Engine, made: ReviewRound) -> None:
    with Session(office) as session, session.begin():
        advance_round(session, round_id=made.round_id, to="voting", by="office")
        ballot = open_ballot(session, round_id=made.round_id, codes=made.codes, by="office")
    assert client.get("/meeting").json == {"ballot": True, "defence": False}
    page = client.get("/ballot").text
    for _ in range(2):  # its answer was lost
        assert send(client, ballot, page, made.cards["R01"].pin).status_code == 200
    with Session(office) as session, session.begin():
        closed = close_ballot(session, ballot_id=ballot, by="office")
    assert closed
    assert receipt_of(page)[:4] in client.get("/ballot").text


def test_it_may_connect_to_the_review_database_only(
    postgresql_server: Server, made: object
) -> None:
    refused = []
    for database in ("postgres", "template1", VAULT, REVIEW):
        engine = open_store(postgresql_server.url(database, EXPERTS))
        try:
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT current_database()")) == REVIEW
        except DBAPIError as error:
            assert "CONNECT" in str(error) or "permission denied for database" in str(error)
            refused.append(database)
    assert refused == ["postgres", "template1", VAULT]


def test_the_review_database_has_no_table_of_the_vault(office: Engine) -> None:
    with office.connect() as connection:
        tables = set(
            connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        )
    assert tables >= {table.__tablename__ for table in REVIEW_TABLES}
    assert not tables & set(VaultBase.metadata.tables)


def test_its_rights_are_those_that_are_listed(experts: Engine) -> None:
    """On every column of every table, also of those that are not ours."""
    listed = {
        (table.__tablename__, column.name, right)
        for table, rights in RIGHTS.items()
        for right in ("SELECT", "INSERT", "UPDATE")
        for column in table.__table__.columns
        if any(_gives(given, right, column.name) for given in rights)
    } | {("alembic_version", "version_num", "SELECT")}
    with experts.connect() as connection:
        held = {
            (row[0], row[1], row[2])
            for row in connection.execute(
                text(
                    "SELECT c.relname, a.attname, p.name FROM pg_class c "
                    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
                    "CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) p(name)"
                    "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
                    "AND has_column_privilege(c.oid, a.attnum, p.name)"
                )
            )
        }
        emptied = connection.scalars(
            text(
                "SELECT c.relname FROM pg_class c "
                "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
                "AND has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')"
            )
        ).all()
        creates = connection.scalar(
            text(
                "SELECT has_schema_privilege('public', 'CREATE') "
                "OR has_database_privilege(current_database(), 'CREATE, TEMPORARY')"
            )
        )
    assert held == listed
    assert emptied == ["seat_device"]
    assert creates is False


def _gives(given: str, right: str, column: str) -> bool:
    name, _, columns = given.partition(" (")
    return name == right and (not columns or column in columns.rstrip(")").split(", "))


def test_evidence_is_added_and_never_changed() -> None:
    for table, rights in RIGHTS.items():
        if issubclass(table, AppendOnly):
            assert not [right for right in rights if right.startswith(("UPDATE", "DELETE"))]
    assert RIGHTS.keys() <= set(REVIEW_TABLES)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM vote",
        "DELETE FROM vote",
        "UPDATE sheet_version SET comment = ''",
        "DELETE FROM sheet_score",
        "UPDATE sheet_score SET points = 0",
        "DELETE FROM recusal",
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "UPDATE round SET phase = 'scoring'",
        "UPDATE ballot SET state = 'open'",
        "UPDATE seat_card SET pin_hash = ''",
        "UPDATE released_page SET sha256 = ''",
        "UPDATE voter_roll SET reviewer = 'R09'",
        "SELECT * FROM tally",
        "TRUNCATE sheet",
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "DROP TABLE vote",
        "SET ROLE mangping_office",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY round TO PROGRAM 'cat'",
    ],
)
def test_all_else_is_refused(experts: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused, experts.connect() as connection:
        connection.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", "") == "42501"


def test_the_right_to_lock_a_round_changes_none(experts: Engine) -> None:
    with pytest.raises(IntegrityError), experts.connect() as connection:
        connection.execute(text("UPDATE round SET id = id + 100"))


def test_rights_are_given_anew_and_others_taken(
    on_postgresql: Settings, office: Engine, experts: Engine
) -> None:
    with office.begin() as connection:
        connection.execute(text(f"GRANT ALL ON vote, tally TO {EXPERTS}"))
        connection.execute(text(f"GRANT UPDATE (points) ON sheet_score TO {EXPERTS}"))
        connection.execute(text("GRANT SELECT ON ruling TO PUBLIC"))
    give_experts_their_rights(on_postgresql)
    test_its_rights_are_those_that_are_listed(experts)


@pytest.mark.parametrize(
    ("does", "undoes", "said"),
    [
        (f"ALTER ROLE {EXPERTS} CREATEROLE", f"ALTER ROLE {EXPERTS} NOCREATEROLE", "管理权限"),
        (f"GRANT {OWNER} TO {EXPERTS}", f"REVOKE {OWNER} FROM {EXPERTS}", f"属于 {OWNER}"),
        (
            f"CREATE DATABASE theirs OWNER {EXPERTS}",
            "DROP DATABASE theirs WITH (FORCE)",
            "拥有数据库对象",
        ),
        (
            f"GRANT CONNECT ON DATABASE postgres TO {EXPERTS}",
            f"REVOKE CONNECT ON DATABASE postgres FROM {EXPERTS}",
            "能连接数据库 postgres",
        ),
    ],
)
def test_a_role_that_can_do_more_is_refused(
    postgresql_server: Server, office: Engine, does: str, undoes: str, said: str
) -> None:
    postgresql_server.run(does)
    try:
        with pytest.raises(RuleError, match=said), office.begin() as connection:
            grant_experts(connection, EXPERTS)
    finally:
        postgresql_server.run(undoes)


def test_settings_that_give_the_experts_no_role_of_their_own_are_refused(
    on_postgresql: Settings, office: Engine
) -> None:
    for wrong in (on_postgresql.review_database, on_postgresql.vault_database, "sqlite:///x"):
        with pytest.raises(RuleError, match="MANGPING_EXPERTS_DATABASE"):
            give_experts_their_rights(on_postgresql.model_copy(update={"experts_database": wrong}))
    with pytest.raises(RuleError, match="没有角色 nobody_yet"), office.begin() as connection:
        grant_experts(connection, "nobody_yet")


def test_serve_says_what_is_wrong_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        data=tmp_path / "data", port=free_port(), review_port=free_port(), experts_database="x://y"
    )
    with pytest.raises(typer.Exit) as ended:
        serve(settings, ready=lambda: pytest.fail("started"))
    assert ended.value.exit_code == 2
    assert "MANGPING_EXPERTS_DATABASE" in capsys.readouterr().err

"""After a destruction nobody of the round is found below the data folder, and it is certified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from models.accounts import create_account
from models.audit import AuditEvent, verify_audit
from models.base import VaultBase, open_store
from models.errors import RuleError
from models.migration import migrate
from models.office_destruction import (
    NOT_OF_A_ROUND,
    bound_tables,
    destruction_due,
    destructions,
    rows_of_round,
    set_retention,
)
from models.office_rounds import entrants_of, make_round, put_entrants
from models.review import Round
from models.seat_access import issue_card, key_of_number, member_of, sign_in
from models.vault_accounts import OfficeEvent
from models.vault_experts import Expert
from models.vault_pages import Job
from models.vault_rounds import Entrant, OfficeRound
from redactor.blind_code import new_codes
from tests.postgresql_server import Server
from tests.webapp.closed_round import closed_round
from tests.webapp.conftest import PEOPLE, add_scan, entrant_row
from webapp import destruction
from webapp.archive import write_archive
from webapp.destruction import certificate_of, destroy_vault
from webapp.destruction_pdf import certificate_pdf
from webapp.office.work import round_folder, round_vault
from webapp.settings import Settings, prepare_folders

TODAY = datetime.now(UTC).date()
BOTH = {"by": "secretary", "confirmed_by": "admin"}
IDENTITIES = [p.name for p in PEOPLE] + [p.unit for p in PEOPLE] + ["652899198501014510"]


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


def fill(settings: Settings, vault: Engine, review: Engine, round_id: int) -> int:
    """A closed round with files of every kind and rows that name people; its review id."""
    with Session(vault) as session, session.begin(), Session(review) as other, other.begin():
        for login in ("secretary", "admin"):
            create_account(
                session, login=login, name=login, role=login, password="correct horse", by="test"
            )
        for number, person in enumerate(entrants_of(session, round_id)):
            add_scan(session, settings, person, "学历证书.jpg", f"{person.name} {number}".encode())
            session.add(
                OfficeEvent(at="", actor="x", action="file", round_id=round_id,
                            details=json.dumps({"path": person.name}, ensure_ascii=False))
            )  # fmt: skip
        session.add(Expert(round_id=round_id, seat="R01", name="欧阳评", unit=PEOPLE[0].unit))
        folders = round_vault(settings, round_id)
        for folder in (folders.cache, folders.staging, folders.records, folders.thumbnails):
            (folder / "a").write_bytes(IDENTITIES[0].encode())
        closed = closed_round(other)
        session.get_one(OfficeRound, round_id).review_round_id = closed
        set_retention(session, round_id=round_id, days=365, by="admin")
    return closed


def traces(folder: Path) -> list[str]:
    """Where somebody of the round is named: in bytes or in names of files and folders."""
    words = [word.encode() for word in (*IDENTITIES, "欧阳评")]
    found = []
    for path in folder.rglob("*"):
        told = str(path.relative_to(folder)).encode()
        told += path.read_bytes() if path.is_file() else b""
        found += [f"{path}: {word.decode()}" for word in words if word in told]
    return found


def destroy(settings: Settings, vault: Engine, review: Engine, round_id: int, **more: object):  # type: ignore[no-untyped-def]
    values = {"reason": "保存期满", "today": TODAY + timedelta(days=365), **BOTH, **more}
    return destroy_vault(settings, vault, review, round_id=round_id, **values)  # type: ignore[arg-type]


def test_nobody_is_found_afterwards(
    settings: Settings, vault: Engine, review: Engine, round_id: int, tmp_path: Path
) -> None:
    closed = fill(settings, vault, review, round_id)
    assert len(traces(settings.data)) > 10
    before = (settings.review / "review.db").stat().st_size
    done = destroy(settings, vault, review, round_id)
    assert traces(settings.data) == []
    assert not round_folder(settings, round_id).exists()
    certificate = certificate_of(done)
    assert certificate["rows"]["entrant"]["rows"] == certificate["files"]["scans"]["files"] == 2
    assert certificate["rows"]["office_event"]["rows"] == 5
    assert certificate["rows"]["expert"]["rows"] == 1
    assert certificate["overwritten"] == 6 and certificate["removed_without_overwriting"] == 0
    hashes = sorted(hashlib.sha256(f"{p.name} {n}".encode()).hexdigest()
                    for n, p in enumerate(PEOPLE))  # fmt: skip
    expected = hashlib.sha256("".join(f"{h}\n" for h in hashes).encode()).hexdigest()
    assert certificate["files"]["scans"]["sha256"] == expected
    with Session(vault) as session, Session(review) as other:
        for table in bound_tables():
            kept = session.execute(select(table)).all()
            assert kept == [] or table.name == "office_event"
        told = session.scalars(select(OfficeEvent)).all()
        assert [(e.action, e.round_id) for e in told][-1] == ("vault.destroy", None)
        assert json.loads(told[-1].details)["certificate"] == done.certificate_sha256
        last = other.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
        assert last is not None and last.action == "destroy_vault"
        assert json.loads(last.details)["certificate"] == done.certificate_sha256
        assert verify_audit(other).whole
        # The review store stays, and can still be archived.
        write_archive(tmp_path / "a.zip", other, closed)
        assert [d.state for d in destructions(session)] == ["done"]
    assert (settings.review / "review.db").stat().st_size >= before
    pdf = certificate_pdf(done)
    assert pdf.startswith(b"%PDF") and pdf == certificate_pdf(done)
    done.certificate = done.certificate.replace("保存期满", "其他")
    with pytest.raises(RuleError, match="校验码"):
        certificate_pdf(done)


def test_tablets_of_the_round_are_signed_out(
    settings: Settings, vault: Engine, review: Engine, round_id: int
) -> None:
    closed = fill(settings, vault, review, round_id)
    with Session(review) as session, session.begin():
        card = issue_card(session, round_id=closed, seat="R01", by="secretary")
        token = sign_in(session, number=card.number, secret=card.pin, device="tablet")
    assert token is not None
    destroy(settings, vault, review, round_id)
    with Session(review) as session:
        assert member_of(session, token) is None
        assert key_of_number(session, card.number) is None


def test_other_rounds_stay(
    settings: Settings, vault: Engine, review: Engine, round_id: int
) -> None:
    fill(settings, vault, review, round_id)
    with Session(vault) as session, session.begin():
        other = make_round(
            session, name="2025", year=2025, policy_name="x", policy="", profile="strict",
            committee_members=9, by="t",
        ).id  # fmt: skip
        codes = dict(zip((1, 2), new_codes(2, []), strict=True))
        put_entrants(
            session, round_id=other, rows=[entrant_row(p) for p in PEOPLE], codes=codes, by="t"
        )
        add_scan(session, settings, entrants_of(session, other)[0], "a.jpg", b"another")
    destroy(settings, vault, review, round_id)
    with Session(vault) as session:
        assert session.get(OfficeRound, round_id) is None
        assert len(entrants_of(session, other)) == 2
        assert (round_folder(settings, other) / "scans" / PEOPLE[0].name / "a.jpg").exists()
    assert len(traces(settings.data)) > 0


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(RuleError) as error:
        work()
    return " ".join(sentence.en for sentence in error.value.sentences)


def test_what_is_in_the_way(
    settings: Settings, vault: Engine, review: Engine, round_id: int
) -> None:
    closed = fill(settings, vault, review, round_id)
    there = traces(settings.data)

    def tried(**more: object) -> str:
        said = refused(lambda: destroy(settings, vault, review, round_id, **more))
        assert traces(settings.data) == there
        return said

    assert "is not over" in tried(today=TODAY + timedelta(days=364))
    assert "two different persons" in tried(confirmed_by="secretary")
    assert "active accounts" in tried(confirmed_by="nobody")
    assert "Give a reason" in tried(reason=" ")
    with Session(vault) as session, session.begin():
        session.add(Job(round_id=round_id, kind="redact", target=1, state="running", created_at=""))
    assert "being redacted" in tried()
    with Session(vault) as session, session.begin():
        session.execute(text("DELETE FROM job"))
        set_retention(session, round_id=round_id, days=None, by="admin")
    assert "no period is set" in tried(today=date(2100, 1, 1))
    with Session(review) as session, session.begin():
        session.get_one(Round, closed).phase = "voting"
    with Session(vault) as session, session.begin():
        set_retention(session, round_id=round_id, days=0, by="admin")
        assert "from 0 to" in refused(
            lambda: set_retention(session, round_id=round_id, days=-1, by="admin")
        )
    assert "not closed" in tried(today=date(2100, 1, 1))


def test_what_is_due(settings: Settings, vault: Engine, review: Engine, round_id: int) -> None:
    closed = fill(settings, vault, review, round_id)
    with Session(vault) as session, Session(review) as other:
        (due,) = destruction_due(session, other)
        assert (due.round_id, due.review_round_id, due.over_on) == (round_id, closed, TODAY)
        assert due.due_on == TODAY + timedelta(days=365)
        assert due.by(due.due_on) and not due.by(due.due_on - timedelta(days=1))
        session.get_one(OfficeRound, round_id).retention_days = None
        (due,) = destruction_due(session, other)
        assert due.due_on is None and not due.by(date(2100, 1, 1))


@pytest.mark.parametrize("step", ["_inventory", "empty_rows", "_remove", "_compact",
                                  "finish_destruction"])  # fmt: skip
def test_one_that_was_cut_short_goes_on(
    settings: Settings, vault: Engine, review: Engine, round_id: int,
    monkeypatch: pytest.MonkeyPatch, step: str,
) -> None:  # fmt: skip
    fill(settings, vault, review, round_id)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(destruction, step, dies)
        with pytest.raises(KeyboardInterrupt):
            destroy(settings, vault, review, round_id)
    # Whoever goes on with it, the two persons who began it stand on the certificate.
    done = destroy(settings, vault, review, round_id, by="x", confirmed_by="x", reason="")
    assert traces(settings.data) == []
    certificate = certificate_of(done)
    assert certificate["asked_by"] == "secretary" and certificate["files"]["scans"]["files"] == 2
    with Session(review) as session:
        acts = session.scalars(select(AuditEvent.action)).all()
        assert acts.count("destroy_vault") == 1
    assert "no such round" in refused(lambda: destroy(settings, vault, review, round_id))


def test_every_table_of_the_vault_is_bound_to_rounds_or_named() -> None:
    assert set(VaultBase.metadata.tables) > NOT_OF_A_ROUND
    for table in bound_tables():
        rows_of_round(table, 1)


def test_files_are_overwritten_before_they_go(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    path = tmp_path / "r" / "a"
    path.write_bytes(b"name" * 1000)
    (tmp_path / "link").hardlink_to(path)
    (tmp_path / "r" / "b").symlink_to(tmp_path / "outside")
    (tmp_path / "outside").write_bytes(b"other")
    assert destruction._remove(tmp_path / "r") == (1, 1)
    assert (tmp_path / "link").read_bytes() == bytes(4000)
    assert (tmp_path / "outside").read_bytes() == b"other"


def test_postgresql(postgresql_server: Server, tmp_path: Path) -> None:
    names = ("vault_d", "review_d")
    postgresql_server.create(*names)
    urls = [postgresql_server.url(name) for name in names]
    here = Settings(data=tmp_path / "pg", vault_database=urls[0], review_database=urls[1])
    prepare_folders(here)
    vault, review = open_store(urls[0]), open_store(urls[1])
    migrate(vault, "vault")
    migrate(review, "review")
    with Session(vault) as session, session.begin():
        round_id = make_round(
            session, name="甲", year=2024, policy_name="x", policy="", profile="strict",
            committee_members=9, by="t",
        ).id  # fmt: skip
        codes = dict(zip((1, 2), new_codes(2, []), strict=True))
        put_entrants(
            session, round_id=round_id, rows=[entrant_row(p) for p in PEOPLE], codes=codes, by="t"
        )
    fill(here, vault, review, round_id)
    done = destroy(here, vault, review, round_id)
    assert certificate_of(done)["rows"]["entrant"]["rows"] == 2
    with Session(vault) as session:
        assert session.scalars(select(Entrant)).all() == []
        assert session.scalar(text("SELECT pg_relation_size('entrant')")) == 0

"""`mangping doctor`: each fault of an installation is found, told apart and given its remedy."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from models.base import open_store
from models.migration import migrate, migrate_down
from tests.postgresql_server import Server
from webapp import doctor, doctor_stores
from webapp.cli import app
from webapp.finding import Finding
from webapp.one_service import Part
from webapp.settings import Settings

posix = pytest.mark.skipif(os.name == "nt", reason="modes of files tell nothing there")


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class HTTPServer6(HTTPServer):
    address_family = socket.AF_INET6


class Healthy(BaseHTTPRequestHandler):
    """Answers as mangping does when it is asked whether it runs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")


def faults(found: list[Finding]) -> dict[str, str]:
    """{name: level} of what is not ok; every one has a remedy in both languages."""
    for finding in found:
        wanted = finding.level != "ok"
        assert bool(finding.remedy.zh) is bool(finding.remedy.en) is wanted, finding
    return {finding.name.en: finding.level for finding in found if finding.level != "ok"}


def of_installation(settings: Settings, part: Part | None = None) -> dict[str, str]:
    return faults([*doctor.folders(settings, part), *doctor_stores.stores(settings, part)])


def test_a_good_installation_has_no_fault_and_nothing_is_made(
    settings: Settings, tmp_path: Path
) -> None:
    assert of_installation(settings) == {}
    absent = Settings(data=tmp_path / "none")
    assert of_installation(absent) == {}
    assert not absent.data.exists()


@posix
def test_an_open_or_missing_folder_is_told(settings: Settings) -> None:
    settings.vault.chmod(0o750)
    settings.blind.chmod(0o705)
    assert of_installation(settings) == {"folder vault": "problem", "folder blind": "problem"}
    settings.vault.chmod(0o700)
    settings.blind.chmod(0o700)
    for left in settings.blind.iterdir():
        left.rmdir()
    settings.blind.rmdir()
    assert of_installation(settings) == {"folder blind": "warning"}


@posix
def test_the_experts_group_may_have_its_two_folders_and_no_other(settings: Settings) -> None:
    shared = settings.model_copy(update={"experts_group": "experts"})
    settings.blind.chmod(0o2750)
    settings.review.chmod(0o2770)
    assert of_installation(shared) == {}
    assert of_installation(settings) == {"folder blind": "problem", "folder review": "problem"}
    settings.blind.chmod(0o2770)
    assert of_installation(shared) == {"folder blind": "problem"}


def test_an_older_store_is_a_warning_and_a_newer_one_a_problem(settings: Settings) -> None:
    engine = open_store(settings.review_url)
    migrate_down(engine, "review", "-1")
    engine.dispose()
    assert of_installation(settings) == {"database review": "warning"}
    with sqlite3.connect(settings.review / "review.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert of_installation(settings) == {"database review": "problem"}
    assert of_installation(settings, Part.RUNNER) == {}


def test_a_database_that_cannot_be_reached_or_read_is_a_problem(settings: Settings) -> None:
    nowhere = "postgresql+psycopg://somebody:secret-word@127.0.0.1:1/none?connect_timeout=5"
    (found,) = doctor_stores.store_findings("vault", nowhere)
    assert found.level == "problem"
    assert "secret-word" not in str(found)
    (settings.vault / "vault.db").write_bytes(b"no database" * 100)
    assert of_installation(settings) == {"database vault": "problem"}
    (found,) = doctor_stores.store_findings("vault", "no address")
    assert found.level == "problem"


def test_a_clock_that_was_set_back_is_a_problem(settings: Settings) -> None:
    later = time.time() + 3600
    os.utime(settings.vault / "vault.db", (later, later))
    assert of_installation(settings) == {"clock": "problem"}


def test_a_port_is_free_or_ours_or_a_problem() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = int(other.getsockname()[1])
        # Somebody listens who is not mangping: the connection is closed without an answer.
        assert faults([doctor.port_finding("127.0.0.1", port)]) == {f"port {port}": "problem"}
    assert doctor.port_finding("127.0.0.1", port).level == "ok"


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_mangping_is_known_at_an_address_of_ipv6() -> None:
    with HTTPServer6(("::1", 0), Healthy) as server:
        threading.Thread(target=server.handle_request).start()
        assert doctor.port_finding("::1", server.server_port).level == "ok"


def test_too_little_memory_says_how_many_workers_fit() -> None:
    assert doctor.memory(4, 16 * 10**9).level == doctor.memory(4, 0).level == "ok"
    found = doctor.memory(8, 4 * 10**9)
    assert found.level == "warning" and "MANGPING_WORKERS=3" in found.remedy.en


def test_pages_for_others_without_https_are_a_warning() -> None:
    assert doctor.https(Settings()) == []
    assert faults(doctor.https(Settings(host="0.0.0.0"))) == {"https": "warning"}
    assert doctor.https(Settings(host="0.0.0.0", secure_cookies=True)) == []


@posix
def test_the_key_of_the_vault_is_private_and_elsewhere(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "vault.key"

    def level(path: Path) -> str:
        return doctor.key_file(settings.model_copy(update={"vault_key": path}))[0].level

    assert doctor.key_file(settings) == []
    assert level(key) == "problem"
    key.write_text("key")
    key.chmod(0o644)
    assert level(key) == "problem"
    key.chmod(0o600)
    assert level(key) == "ok"
    beside = settings.data / "vault.key"
    beside.write_text("key")
    beside.chmod(0o600)
    assert level(beside) == "problem"


def test_the_experts_service_must_not_reach_the_vault(settings: Settings, tmp_path: Path) -> None:
    apart = settings.model_copy(update={"data": tmp_path / "experts"})
    assert doctor.no_vault(apart, {}).level == "ok"
    assert doctor.no_vault(settings, {}).level == "problem"
    found = doctor.no_vault(apart, {"MANGPING_VAULT_DATABASE": "postgresql://u:secret@h/v"})
    assert found.level == "problem" and "secret" not in str(found)


def test_the_command_tells_both_languages_and_its_exit_code(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "is_ours", lambda *_: True)
    monkeypatch.setattr(doctor, "fonts", lambda: WARNED)
    command = ["doctor", "--data", str(settings.data)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "  -> 请处理" in done.output and "  -> mend it" in done.output
    monkeypatch.setattr(doctor, "fonts", lambda: replace(WARNED, level="problem"))
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exit_code == 2
    levels = {entry["name"]["en"]: entry["level"] for entry in json.loads(done.output)}
    assert levels["fonts"] == "problem" and levels["model files"] == "ok"


WARNED = Finding(
    "warning",
    doctor.Sentence("字体", "fonts"),
    doctor.Sentence("旧", "old"),
    doctor.Sentence("请处理", "mend it"),
)


@pytest.fixture
def server(postgresql_server: Server) -> Iterator[str]:
    """A vault on PostgreSQL, and a role that may enter."""
    postgresql_server.create("doctor_vault")
    postgresql_server.run(
        "CREATE ROLE doctor_experts LOGIN",
        "GRANT CONNECT ON DATABASE doctor_vault TO doctor_experts",
        "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC",
    )
    url = postgresql_server.url("doctor_vault")
    engine = open_store(url)
    migrate(engine, "vault")
    engine.dispose()
    yield url
    postgresql_server.run(
        "DROP DATABASE doctor_vault WITH (FORCE)",
        "DROP ROLE doctor_experts",
        "GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="starts a server on a socket")
def test_rights_of_the_experts_role_in_the_vault_are_found(server: str, tmp_path: Path) -> None:
    assert [finding.level for finding in doctor_stores.store_findings("vault", server)] == [
        "ok",
        "ok",
    ]
    experts = server.replace("mangping@", "doctor_experts@")
    base = Settings(data=tmp_path, vault_database=server, review_database=server)
    assert faults(list(doctor_stores.roles(base))) == {"database roles": "warning"}
    (found,) = doctor_stores.store_findings("vault", experts)
    assert found.level == "warning" and "no rights yet" in found.detail.en
    apart = base.model_copy(update={"experts_database": experts})
    assert [finding.level for finding in doctor_stores.roles(apart)] == ["ok"]
    engine = open_store(server)
    with engine.begin() as connection:
        connection.execute(text("GRANT SELECT ON account TO doctor_experts"))
    (found,) = doctor_stores.roles(apart)
    assert found.level == "problem" and "account" in found.detail.en
    with engine.begin() as connection:
        connection.execute(text("GRANT CONNECT ON DATABASE postgres TO PUBLIC"))
        connection.execute(text("REVOKE ALL ON account FROM doctor_experts"))
    (found,) = doctor_stores.roles(apart)
    assert found.level == "problem" and "database postgres" in found.detail.en
    with engine.begin() as connection:
        connection.execute(text("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"))
        connection.execute(text("ALTER ROLE doctor_experts SUPERUSER"))
    told = list(doctor_stores.roles(apart))
    assert {found.level for found in told} == {"problem"}
    assert "superuser" in told[0].detail.en and "administrator's rights" in told[1].detail.en
    engine.dispose()
    same = base.model_copy(update={"experts_database": server})
    assert faults(list(doctor_stores.roles(same))) == {"database roles": "problem"}

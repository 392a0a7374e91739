"""`mangping serve --only`: each part alone, the experts' without the vault; proxies; rights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from flask import Flask
from flask.testing import FlaskClient

from models.base import open_store
from models.errors import RuleError
from models.migration import migrate
from tests.webapp.conftest import form_token
from tests.webapp.serving_process import ROOT, _is_healthy, free_port, wait_until
from webapp.folder_rights import like_parent, readable_like
from webapp.office.blind_folder import copies, place, swap, write_page
from webapp.one_service import CREDENTIALS, proxy_options, refuse_vault, wait_until_migrated
from webapp.page_pictures import picture_file
from webapp.settings import Settings, prepare_folders, review_settings

grp = pytest.importorskip("grp")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and modes of files")


class Started:
    """One part as a service starts it."""

    def __init__(self, folder: Path, part: str, data: Path, **more: str) -> None:
        self.port = free_port()
        option = "--review-port" if part == "review" else "--port"
        self.log = folder / f"{part}-{self.port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.cli", "serve", "--only", part, option]
                + [str(self.port), "--data", str(data)],
                cwd=ROOT,
                env={**os.environ, "MANGPING_LANG": "en", "OMP_NUM_THREADS": "1", **more},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return _is_healthy(f"http://127.0.0.1:{self.port}")


@pytest.fixture
def started() -> Iterator[list[Started]]:
    running: list[Started] = []
    yield running
    for service in running:
        service.process.kill()
        service.process.wait()


def test_office_and_experts_run_apart_and_end_when_told(
    tmp_path: Path, started: list[Started]
) -> None:
    """The experts' view of the installation is a folder that holds theirs alone."""
    data, experts = tmp_path / "data", tmp_path / "experts"
    experts.mkdir()
    for name in ("blind", "review"):
        (experts / name).symlink_to(data / name)
    started.append(Started(tmp_path, "office", data))
    office = started[0]
    wait_until(office.answers, "the office")
    assert office.log.read_text().count("/setup/") == 1
    started.append(Started(tmp_path, "review", experts))
    review = started[1]
    wait_until(review.answers, "the experts' pages")
    for service in started:
        service.process.send_signal(signal.SIGTERM)
    assert [service.process.wait(timeout=60) for service in started] == [0, 0]
    assert "Traceback" not in office.log.read_text() + review.log.read_text()


@pytest.mark.parametrize("given", CREDENTIALS)
def test_the_experts_service_refuses_what_is_the_offices(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data=tmp_path / "experts")
    refuse_vault(settings, {})
    with pytest.raises(typer.Exit) as refused:
        refuse_vault(settings, {given: "postgresql://u:secret@h/v"})
    assert refused.value.exit_code == 2
    said = capsys.readouterr().err
    assert given in said and "secret" not in said
    settings.vault.mkdir(parents=True)
    with pytest.raises(typer.Exit):
        refuse_vault(settings, {})
    assert str(settings.vault) in capsys.readouterr().err


def test_a_part_waits_for_the_tables_and_says_when_they_never_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'vault.db'}"
    with pytest.raises(typer.Exit) as never:
        wait_until_migrated(url, "vault", threading.Event(), patience=0)
    assert never.value.exit_code == 3
    assert "vault" in capsys.readouterr().err
    waiting = threading.Thread(target=wait_until_migrated, args=(url, "vault", threading.Event()))
    waiting.start()
    migrate(open_store(url), "vault")
    waiting.join(timeout=60)
    assert not waiting.is_alive()


def test_only_a_trusted_proxy_is_believed(settings: Settings) -> None:
    """Asked through a real server: who a visitor is, and whether the way was https."""
    import waitress

    app = Flask("probe")

    @app.get("/")
    def who() -> str:
        from flask import request

        carried = "passed on" if "X-Forwarded-For" in request.headers else ""
        return f"{request.remote_addr} {request.scheme} {carried}"

    def asked(trusted: str) -> str:
        given = settings.model_copy(update={"trusted_proxy": trusted})
        port = free_port()
        options = proxy_options(review_settings(given))
        assert options == proxy_options(given)
        server = waitress.create_server(app, host="127.0.0.1", port=port, **options)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = str(answer.read().decode())
        # In its own thread; another's close would take the socket away from under its loop.
        server.trigger.pull_trigger(server.close)
        thread.join(timeout=60)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()
        return said

    assert asked("127.0.0.1") == "192.0.2.7 https passed on"
    # Metrics are for this computer alone, so that a proxy on it must not look like nothing.
    assert asked("") == "127.0.0.1 http passed on"
    assert asked("192.0.2.1") == "127.0.0.1 http "


def test_forms_work_by_https_where_no_referer_is_sent(office: Flask) -> None:
    client: FlaskClient = office.test_client()
    page = client.get("/sign-in", base_url="https://office.example")
    token = form_token(page.get_data(as_text=True))
    sent = {"login": "admin", "password": "correct horse battery", "csrf_token": token}
    done = client.post("/sign-in", data=sent, base_url="https://office.example")
    assert done.status_code == 302
    sent["csrf_token"] = "another"
    assert client.post("/sign-in", data=sent, base_url="https://office.example").status_code == 400


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("shared", [False, True])
def test_released_pages_are_the_experts_groups_or_nobodys(tmp_path: Path, shared: bool) -> None:
    group = grp.getgrgid(os.getgid()).gr_name if shared else ""
    settings = Settings(data=tmp_path / "data", experts_group=group)
    prepare_folders(settings)
    prepare_folders(settings)
    assert mode(settings.data) == mode(settings.vault) == 0o700
    folder, page = (0o750, 0o640) if shared else (0o700, 0o600)
    dossier = settings.blind / "1" / "CODE"
    with copies(settings.blind) as made:
        (made / "CODE").mkdir(mode=0o700)
        write_page(made / "CODE" / "001.jpg", b"page")
        place(made / "CODE", dossier)
        write_page(made / "new.jpg", b"other")
        assert mode(made) == 0o700
        swap(made / "new.jpg", dossier / "001.jpg")
    places = (settings.blind, dossier.parent, dossier)
    assert [mode(path) for path in places] == [folder] * 3
    assert mode(dossier / "001.jpg") == page
    pictures = settings.review / "pictures"
    pictures.mkdir(mode=0o700)
    like_parent(pictures)
    below = picture_file(pictures, "abcd", "thumb").parent
    assert mode(below) == mode(settings.review) == (0o770 if shared else 0o700)


def test_a_group_that_is_none_is_said(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", experts_group="no-such-group")
    with pytest.raises(RuleError) as refused:
        prepare_folders(settings)
    assert "MANGPING_EXPERTS_GROUP" in refused.value.sentences[0].en


def test_a_private_root_opens_nothing_below_it(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "root" / "folder"
    folder.mkdir(parents=True)
    root.chmod(0o700)
    folder.chmod(0o700)
    write_page(folder / "001.jpg", b"page")
    readable_like(folder, root)
    assert (mode(folder), mode(folder / "001.jpg")) == (0o700, 0o600)

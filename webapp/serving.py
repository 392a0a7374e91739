"""`mangping serve`: both apps and the runner, each a process, watched until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from models.base import open_store
from models.errors import RuleError
from redactor.errors import ExitCode, Sentence
from webapp.answering import run_office, run_review
from webapp.kept_process import Kept, keep_all, told_to_stop
from webapp.logs import logs_of
from webapp.one_service import CREDENTIALS, Part, refuse_vault, wait_until_migrated
from webapp.ports import in_url, why_taken
from webapp.settings import Settings, prepare_folders, review_settings


def serve_command(
    host: Annotated[
        str,
        typer.Option(
            envvar="MANGPING_HOST", help="监听地址；平板访问请用 0.0.0.0 / 0.0.0.0 for tablets"
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="MANGPING_PORT", help="办公室端口 / the office's port")
    ] = 8080,
    review_port: Annotated[
        int,
        typer.Option(
            envvar="MANGPING_REVIEW_PORT", help="评委端口，默认为 port+1 / the reviewers' port"
        ),
    ] = 0,
    data: Annotated[
        Path,
        typer.Option(envvar="MANGPING_DATA", help="数据文件夹（勿外传） / private data folder"),
    ] = Path("mangping-data"),
    only: Annotated[
        Part | None, typer.Option(help="只运行一部分，用于系统服务 / one part, for services")
    ] = None,
) -> None:
    """启动网页：办公室、评委与后台处理。 Start the web pages and the runner."""
    settings = Settings(host=host, port=port, review_port=review_port, data=data)
    if only is None:
        serve(settings)
    else:
        serve_only(only, settings)


def serve(settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Runs until Ctrl-C or SIGTERM; a process that dies is started again.

    Exits with 2 when the port is taken, before anything is made.
    """
    refuse_taken_port(settings)
    try:
        link = prepare(settings)
    except RuleError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(int(ExitCode.USAGE)) from None
    stop = told_to_stop()
    for address in _addresses(settings.host, settings.port):
        print(Sentence(f"办公室：{address}/", f"Office: {address}/"), flush=True)
    for address in _addresses(settings.host, settings.port_of_review):
        print(Sentence(f"评委：{address}/", f"Experts: {address}/"), flush=True)
    if link:
        address = _addresses(settings.host, settings.port)[0]
        print(
            Sentence(
                f"首次启动，请用此链接建立管理员（只能使用一次）：{address}/setup/{link}",
                f"First start: make the administrator with this one-time link: "
                f"{address}/setup/{link}",
            ),
            flush=True,
        )
    ready()
    # The others are given them; the experts' process would find them in what it inherits.
    for name in CREDENTIALS:
        os.environ.pop(name, None)
    processes = [
        Kept("office", run_office, settings),
        Kept("review", run_review, review_settings(settings)),
        Kept("runner", run_runner, settings, before=_release_leases),
    ]
    keep_all(processes, stop)


def serve_only(part: Part, settings: Settings) -> None:
    """One part in this process, until SIGTERM. Exits with 2 when its port is taken."""
    if part is not Part.RUNNER:
        office = part is Part.OFFICE
        refuse_taken_port(settings, (settings.port if office else settings.port_of_review,))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if part is Part.OFFICE:
        try:
            link = prepare(settings)
        except RuleError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(int(ExitCode.USAGE)) from None
        if link:
            print(f"{_addresses(settings.host, settings.port)[0]}/setup/{link}", flush=True)
        run_office(settings)
    elif part is Part.REVIEW:
        refuse_vault(settings, dict(os.environ))
        experts = review_settings(settings)
        experts.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        wait_until_migrated(experts.database, "review", threading.Event())
        run_review(experts)
    else:
        wait_until_migrated(settings.vault_url, "vault", threading.Event())
        _release_leases(settings)
        run_runner(settings)


def _release_leases(settings: Settings) -> None:
    """What the runner that died was at is not waited for; nobody waits two minutes for a lease."""
    from models.office_jobs import release_leases

    engine = open_store(settings.vault_url)
    with Session(engine) as session, session.begin():
        release_leases(session, host=socket.gethostname())
    engine.dispose()


def refuse_taken_port(settings: Settings, ports: tuple[int, ...] = ()) -> None:
    """Exits with 2 and a sentence when somebody listens at one of the ports (both) already."""
    for port in ports or (settings.port, settings.port_of_review):
        error = why_taken(settings.host, port)
        if error is not None:
            print(_taken(f"{settings.host}:{port}", error), file=sys.stderr)
            raise typer.Exit(int(ExitCode.USAGE))


def _taken(place: str, error: OSError) -> Sentence:
    return Sentence(
        f"无法在 {place} 上提供网页：{error.strerror}。可能已有一个 mangping serve "
        "在运行；请先结束它，或用 --port、--review-port、--host 另选。",
        f"The pages cannot be served at {place}: {error.strerror}. Perhaps mangping "
        "serve is running already; end it, or choose others with --port, --review-port, --host.",
    )


def _addresses(host: str, port: int) -> list[str]:
    """Where a browser finds the pages; for 0.0.0.0 on this computer and from the others."""
    if host not in ("0.0.0.0", "::"):
        return [f"http://{in_url(host)}:{port}"]
    name = socket.gethostname()
    try:
        known = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        known = []
    outside = {str(entry[4][0]) for entry in known if not str(entry[4][0]).startswith("127.")}
    hosts = ["127.0.0.1", *(sorted(outside) or [name])]
    return [f"http://{found}:{port}" for found in hosts]


def prepare(settings: Settings) -> str | None:
    """Folders and databases made and brought up to date; the administrator's token, if needed.

    RuleError when the experts' database role has rights that it must not have.
    """
    # Here, because the experts' process imports this file and nothing that knows the vault.
    from models.accounts import make_setup_link
    from models.migration import migrate
    from webapp.expert_role import give_experts_their_rights

    prepare_folders(settings)
    migrate(open_store(settings.review_url), "review")
    engine = open_store(settings.vault_url)
    migrate(engine, "vault")
    give_experts_their_rights(settings)
    with Session(engine) as session, session.begin():
        link = make_setup_link(session)
    engine.dispose()
    return link


def run_runner(settings: Settings) -> None:
    """The runner's process."""
    from webapp.runner import main

    with logs_of("runner", settings.logs):
        main(settings)

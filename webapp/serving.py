"""`mangping serve`: both apps and the runner, each a process, watched until Ctrl-C."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from flask import Flask
from sqlalchemy.orm import Session

from models.base import open_store
from models.errors import RuleError
from redactor.errors import ExitCode, Sentence
from webapp.logs import logs_of
from webapp.one_service import CREDENTIALS, Part, proxy_options, refuse_vault, wait_until_migrated
from webapp.settings import ReviewSettings, Settings, prepare_folders, review_settings

THREADS = 8
REVIEW_THREADS = 4
"""Each statement gives Python's lock away and waits to get it back from the other threads."""
REVIEW_CONNECTIONS = 2000 if hasattr(select, "poll") else 480
"""A browser keeps up to six open; a committee has hundreds of tablets. Windows watches 512."""
Work = Callable[[Any], None]
WATCH_SECONDS = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between two starts of a process that dies at once."""


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
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
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
    try:
        while not stop.is_set():
            for process in processes:
                process.keep_alive()
            stop.wait(WATCH_SECONDS)
    finally:
        for process in processes:
            process.end()


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


class Kept:
    """A process that is started again when it dies; ever later when it dies at once.

    `before`: is called here before each start.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        settings: Settings | ReviewSettings,
        before: Work = lambda _: None,
    ) -> None:
        self._name, self._work, self._settings, self._before = name, work, settings, before
        self._process: multiprocessing.process.BaseProcess | None = None
        self._started, self._pause = 0.0, 0.0

    def keep_alive(self) -> None:
        """Starts it when it is not running."""
        now = time.monotonic()
        if self._process is not None:
            if self._process.is_alive() or now < self._started + self._pause:
                return
            died_soon = now - self._started < LONGEST_PAUSE
            self._pause = min(LONGEST_PAUSE, 2 * self._pause) if died_soon else 0.0
        self._started, self._pause = now, self._pause or WATCH_SECONDS
        context = multiprocessing.get_context("spawn")
        self._before(self._settings)
        arguments = (self._work, self._settings)
        self._process = context.Process(target=_run, args=arguments, name=self._name)
        self._process.start()

    def end(self) -> None:
        """Tells it to stop, and makes sure."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _release_leases(settings: Settings) -> None:
    """What the runner that died was at is not waited for; nobody waits two minutes for a lease."""
    from models.office_jobs import release_leases

    engine = open_store(settings.vault_url)
    with Session(engine) as session, session.begin():
        release_leases(session, host=socket.gethostname())
    engine.dispose()


def _run(work: Work, settings: Settings | ReviewSettings) -> None:
    """A process's work; it ends with `mangping serve`, even when that is killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def refuse_taken_port(settings: Settings, ports: tuple[int, ...] = ()) -> None:
    """Exits with 2 and a sentence when somebody listens at one of the ports (both) already."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in ports or (settings.port, settings.port_of_review):
        with socket.socket(family) as trial:
            if os.name != "nt":  # there it would allow what it should find out
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((settings.host, port))
            except OSError as error:
                print(_taken(f"{settings.host}:{port}", error), file=sys.stderr)
                raise typer.Exit(int(ExitCode.USAGE)) from None


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
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}"]
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


def ready_to_answer(app: Flask) -> Flask:
    """The app with its templates compiled, so that no visitor waits for that."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    return app


def run_office(settings: Settings) -> None:
    """The office's process."""
    from webapp.office.app import create_office

    with logs_of("office", settings.logs):
        app = create_office(settings)
        _answer(app, settings, THREADS, max_request_body_size=settings.largest_request)


def run_review(settings: ReviewSettings) -> None:
    """The experts' process."""
    from webapp.review.app import create_review

    _open_files_for(REVIEW_CONNECTIONS)
    with logs_of("review", settings.logs):
        _answer(
            create_review(settings),
            settings,
            REVIEW_THREADS,
            connection_limit=REVIEW_CONNECTIONS,
            asyncore_use_poll=True,  # select() ends at 1024
        )


def _answer(
    app: Flask, settings: Settings | ReviewSettings, threads: int, **options: object
) -> None:
    """Serves an app until the process is told to stop. `options`: waitress's own."""
    import waitress

    waitress.serve(
        ready_to_answer(app),
        host=settings.host,
        port=settings.port,
        threads=threads,
        ident="",
        **options,
        **proxy_options(settings),
    )


def _open_files_for(connections: int) -> None:
    """Lets this process hold as many connections; systems begin with 1024 files in all."""
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 500
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def run_runner(settings: Settings) -> None:
    """The runner's process."""
    from webapp.runner import main

    with logs_of("runner", settings.logs):
        main(settings)

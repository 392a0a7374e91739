"""`mangping serve`: the office's app and the runner, each a process, watched until Ctrl-C."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from models.accounts import make_setup_link
from models.base import open_store
from models.migration import migrate
from redactor.errors import Sentence
from webapp.settings import Settings, prepare_folders

THREADS = 8
WATCH_SECONDS = 1.0


def serve_command(
    host: Annotated[
        str, typer.Option(help="监听地址；平板访问请用 0.0.0.0 / 0.0.0.0 for tablets")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="办公室端口 / the office's port")] = 8080,
    review_port: Annotated[
        int, typer.Option(help="评委端口，默认为 port+1 / the reviewers' port")
    ] = 0,
    data: Annotated[Path, typer.Option(help="数据文件夹（勿外传） / private data folder")] = Path(
        "mangping-data"
    ),
) -> None:
    """启动网页：办公室与后台处理。 Start the web pages and the runner."""
    serve(Settings(host=host, port=port, review_port=review_port, data=data))


def serve(settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Runs until Ctrl-C or SIGTERM; a process that dies is started again."""
    link = prepare(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    context = multiprocessing.get_context("spawn")
    kinds: dict[str, Callable[[Settings], None]] = {"office": run_office, "runner": run_runner}
    running: dict[str, multiprocessing.process.BaseProcess] = {}
    address = f"http://{settings.host}:{settings.port}"
    print(Sentence(f"办公室：{address}/", f"Office: {address}/"), flush=True)
    if link:
        print(
            Sentence(
                f"首次启动，请用此链接建立管理员（只能使用一次）：{address}/setup/{link}",
                f"First start: make the administrator with this one-time link: "
                f"{address}/setup/{link}",
            ),
            flush=True,
        )
    ready()
    try:
        while not stop.is_set():
            for name, work in kinds.items():
                process = running.get(name)
                if process is None or not process.is_alive():
                    running[name] = context.Process(target=work, args=(settings,), name=name)
                    running[name].start()
            stop.wait(WATCH_SECONDS)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(timeout=10)
            if process.is_alive():
                process.kill()


def prepare(settings: Settings) -> str | None:
    """Folders and databases made and brought up to date; the administrator's token, if needed."""
    prepare_folders(settings)
    migrate(open_store(settings.review_url), "review")
    engine = open_store(settings.vault_url)
    migrate(engine, "vault")
    with Session(engine) as session, session.begin():
        link = make_setup_link(session)
    engine.dispose()
    return link


def run_office(settings: Settings) -> None:
    """The office's process."""
    import waitress

    from webapp.office.app import create_office

    waitress.serve(
        create_office(settings),
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        ident="",
        max_request_body_size=settings.largest_request,
    )


def run_runner(settings: Settings) -> None:
    """The runner's process."""
    from webapp.runner import main

    main(settings)

"""How fast scores are kept while a whole committee scores at once, and whether any is lost.

    python -m benchmarks.load [--store sqlite|postgresql] [--reviewers N] [--seconds N]
                              [--pause LEAST MOST] [--processes N]

Starts the experts' server as `mangping serve` does, in a process of its own, on a temporary store
(PostgreSQL: a temporary server with its default settings), and lets locust be the tablets. Each
reviewer opens a dossier, looks at two pages of it and changes a score every LEAST to MOST seconds;
every change is a save. Beside that a tablet asks for the state of its pages every 5 s and of the
meeting every 20 s, as our pages do. A save whose answer is lost is sent again under its own name.
Afterwards every version in the store is compared with what was acknowledged. Exits with 1 when one
of them differs, when a request was refused, or when p95 of a save is over the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

DOSSIERS, PAGES = 10, 4
RAMP_SECONDS = 20
SEAT_DIGITS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--reviewers", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 10.0))
    parser.add_argument("--processes", type=int, help="of the experts' pages; default: as serve")
    parser.add_argument("--limit", type=float, default=150.0, help="ms, of p95 of a save")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="mangping-load-") as name,
        _database(asked.store) as url,
    ):
        return _run(asked, Path(name), url)


def _run(asked: argparse.Namespace, folder: Path, url: str) -> int:
    plan, settings = _furnish(asked, folder, url)
    plan_file, told_file = folder / "plan.json", folder / "told.json"
    plan_file.write_text(json.dumps(plan), "utf-8")
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE, json.dumps(settings)], cwd=ROOT, stderr=log
    )
    try:
        _wait(f"http://127.0.0.1:{settings['port']}/healthz")
        before, load = _cpu(server.pid), os.getloadavg()[0]
        command = [sys.executable, "-m", "benchmarks.load_tablets", str(plan_file), str(told_file)]
        subprocess.run(command, cwd=ROOT, check=True)
        used = _cpu(server.pid) - before
    finally:
        server.terminate()
        server.wait(30)
        log.close()
    told = json.loads(told_file.read_text("utf-8"))
    _print_slowest_seconds(told)
    asks = sum(map(len, told["times"].values()))
    print(
        f"\n{asked.store}, {settings['processes']} processes, {asked.reviewers} reviewers, a "
        f"change every {asked.pause[0]:g} to {asked.pause[1]:g} s; load {load:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after; {os.cpu_count()} cores"
    )
    print(f"server: {used:.1f} CPU-s for {told['all']} requests, {1000 * used / told['all']:.2f} "
          f"CPU-ms each\n")  # fmt: skip
    print("| request | number | a second | p50 ms | p95 ms | p99 ms | longest |")
    print("|---|---|---|---|---|---|---|")
    for kind, times in sorted(told["times"].items()):
        cut = (
            statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
        )
        print(f"| {kind} | {len(times)} | {len(times) / asked.seconds:.1f} | {cut[49]:.0f} | "
              f"{cut[94]:.0f} | {cut[98]:.0f} | {max(times):.0f} |")  # fmt: skip
    print(f"\n{asks} measured; refused: {told['refused'] or 'none'}; sent again: {told['again']}")
    wrong = _compare(url, told["kept"])
    kept = sum(map(len, told["kept"].values()))
    print(f"{kept} saves acknowledged; differing in the store: {wrong or 'none'}")
    with (folder / "server.log").open(encoding="utf-8") as lines:
        usual = ('"level": "info"', '"log": "waitress.queue"')
        sys.stderr.writelines(line for line in lines if not any(word in line for word in usual))
    p95 = statistics.quantiles(told["times"]["save"], n=100)[94]
    return 1 if wrong or told["refused"] or p95 > asked.limit else 0


def _print_slowest_seconds(told: dict[str, Any]) -> None:
    """When saves took longest: a stall of the whole machine stands out from a slow server."""
    seconds: dict[int, list[float]] = {}
    for at, took in told["when"]:
        seconds.setdefault(int(at), []).append(took)
    worst = sorted(seconds.items(), key=lambda item: -max(item[1]))[:6]
    said = ", ".join(f"{at} s: {len(t)} saves up to {max(t):.0f} ms" for at, t in sorted(worst))
    print(f"slowest seconds: {said}")


_SERVE = """
import json, sys
from pathlib import Path
from webapp.answering import run_review
from webapp.settings import ReviewSettings
said = json.loads(sys.argv[1])
run_review(ReviewSettings(**{**said, "blind": Path(said["blind"]), "folder": Path(said["folder"])}))
"""


def _furnish(
    asked: argparse.Namespace, folder: Path, url: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tablets' plan and the server's settings."""
    from argon2 import PasswordHasher
    from sqlalchemy import select, update

    from models import seat_access
    from models.base import open_store
    from models.migration import migrate
    from models.review_access import SeatDevice
    from models.seat_access import SEEN_EVERY_SECONDS
    from tests.webapp.review_round import furnish_review
    from tests.webapp.serving_process import free_port
    from webapp.settings import Settings, review_settings

    # Nobody signs in while it is measured.
    seat_access.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    database = url or f"sqlite:///{folder / 'review.db'}"
    installation = Settings(
        data=folder,
        review_database=database,
        review_port=free_port(),
        review_processes=asked.processes or 0,
    )
    settings = review_settings(installation)
    settings.folder.mkdir()
    store = open_store(database)
    migrate(store, "review")
    started = time.perf_counter()
    made = furnish_review(
        store, settings, dossiers=DOSSIERS, pages=PAGES, seats=asked.reviewers, members=9
    )
    with store.begin() as connection:
        # People sign in over minutes, so their tablets are not noted as seen all at once.
        for number, token in enumerate(connection.execute(select(SeatDevice.token_sha256)).all()):
            at = datetime.now(UTC) - timedelta(seconds=number * 7 % SEEN_EVERY_SECONDS)
            mine = update(SeatDevice).where(SeatDevice.token_sha256 == token[0])
            connection.execute(mine.values(seen_at=at.isoformat(timespec="microseconds")))
    store.dispose()
    print(f"round made in {time.perf_counter() - started:.0f} s", flush=True)
    said = {**vars(settings), "blind": str(settings.blind), "folder": str(settings.folder)}
    said["logs"] = None
    plan = {
        "host": f"http://127.0.0.1:{settings.port}",
        "round": made.round_id,
        "codes": made.codes,
        "tokens": made.tokens,
        "seconds": asked.seconds,
        "ramp": RAMP_SECONDS,
        "pause": list(asked.pause),
    }
    return plan, said


def _compare(url: str, kept: dict[str, list[Any]]) -> list[str]:
    """Where the store's versions of a sheet are not those that were acknowledged, one by one."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from models.base import open_store
    from models.review_sheets import Sheet, SheetScore, SheetVersion

    found = []
    with Session(open_store(url)) as session:
        scores: dict[tuple[int, int], dict[str, int]] = {}
        for row in session.execute(
            select(SheetScore.sheet_id, SheetScore.number, SheetScore.criterion, SheetScore.points)
        ):
            scores.setdefault((row.sheet_id, row.number), {})[row.criterion] = row.points
        rows = session.execute(
            select(SheetVersion.sheet_id, SheetVersion.number, SheetVersion.comment).order_by(
                SheetVersion.sheet_id, SheetVersion.number
            )
        )
        stored: dict[int, list[Any]] = {}
        for sheet_id, number, comment in rows:
            here = scores.get((sheet_id, number), {})
            stored.setdefault(sheet_id, []).append([number, comment, here])
        for sheet in session.scalars(select(Sheet)):
            said = kept.get(f"{sheet.reviewer} {sheet.code}", [])
            there = stored.get(sheet.id, [])
            if said != there or sheet.version != len(there):
                found.append(f"{sheet.reviewer} {sheet.code}: {len(said)}, {len(there)}")
    return found


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    """The URL of an empty database; "" for a file in the run's own folder."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="mangping-load-db-") as folder:
            yield f"sqlite:///{folder}/review.db"
        return
    from tests.postgresql_server import Server

    server = Server(durable=True)
    try:
        yield server.url()
    finally:
        server.remove()


def _wait(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise SystemExit(f"no answer from {url}")


def _cpu(pid: int) -> float:
    import psutil

    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return float(sum(used.user + used.system for used in times))


if __name__ == "__main__":
    sys.exit(main())

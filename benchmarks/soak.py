"""Whether pages are lost, doubled or shown unmasked while every process is killed at random.

    python -m benchmarks.soak [--pages N] [--each N] [--kill-every SECONDS] [--calm SHARE]
                              [--minutes N] [--seed N] [--folder FOLDER]

Starts `mangping serve` as users do and goes the office's whole way over HTTP: first administrator,
round, roster, uploads, redaction with the real reader, release; a tablet reads what is released.
Meanwhile SIGKILL hits the office, the experts' process, the runner, a worker of its pool, or
`mangping serve` itself, which is started anew as a service manager would. The last part of the
pages (`--calm`) goes without kills, so that the memory of processes that live long is seen. In the
end the books are balanced (benchmarks/soak_books.py): it exits with 1 when a page is missing or
double, when a file in BLIND is not one that was proven or shows the planted name, or when the
server answered with an error of its own. After `--minutes` no further file is sent; what was sent
is finished.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.soak_books import Books, balance
from benchmarks.soak_desk import Desk, Tablet
from benchmarks.soak_pages import Sent, people, scans_of
from benchmarks.soak_watch import Installation, MemoryWatch

BLOCK = 5
"""Dossiers between two rounds of matching files to applicants."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--each", type=int, default=20, help="pages of a dossier")
    parser.add_argument("--kill-every", type=float, default=20.0, help="seconds; 0 for never")
    parser.add_argument("--calm", type=float, default=0.3, help="share of pages without kills")
    parser.add_argument("--minutes", type=float, default=600.0, help="for which files are sent")
    parser.add_argument("--queue", type=int, default=100, help="pages that may wait for the runner")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; kept afterwards")
    asked = parser.parse_args()
    if asked.folder:
        asked.folder.mkdir(parents=True)
        return _run(asked, asked.folder)
    with tempfile.TemporaryDirectory(prefix="mangping-soak-") as name:
        return _run(asked, Path(name))


def _run(asked: argparse.Namespace, folder: Path) -> int:
    chance = random.Random(asked.seed)
    dossiers = max(1, asked.pages // asked.each)
    roster = people(dossiers)
    installation = Installation(folder / "data")
    watch = MemoryWatch(installation)
    started = time.monotonic()
    try:
        installation.start()
        desk = Desk(installation)
        desk.open_round(roster, folder)
        watch.start()
        over, calm = threading.Event(), threading.Event()
        tablet = Tablet(installation)
        helpers = [
            threading.Thread(target=_kill, args=(installation, chance, asked, calm, over)),
            threading.Thread(target=_release, args=(desk, tablet, over)),
            threading.Thread(target=_read, args=(tablet, over)),
        ]
        for helper in helpers:
            helper.start()
        try:
            sent = _send(asked, desk, roster, calm, started)
            _wait_for_runner(desk, calm, over)
        finally:
            over.set()
            for helper in helpers:
                helper.join()
        worked = time.monotonic() - started
        desk.release_all()
        books = balance(installation.settings, desk.round_id, sent)
    finally:
        watch.stop()
        installation.stop()
    _tell(asked, books, installation, watch, desk, tablet, worked)
    (folder / "memory.jsonl").write_text(
        "".join(json.dumps(sample) + "\n" for sample in watch.samples), "utf-8"
    )
    return 1 if books.problems or desk.errors or tablet.errors else 0


def _send(
    asked: argparse.Namespace,
    desk: Desk,
    roster: list[Any],
    calm: threading.Event,
    started: float,
) -> list[Sent]:
    """Uploads dossier by dossier, not faster than the runner works; what was acknowledged."""
    sent: list[Sent] = []
    for number, person in enumerate(roster):
        if time.monotonic() - started > asked.minutes * 60:
            break
        if number >= len(roster) * (1 - asked.calm):
            calm.set()
        scans = list(scans_of(person, asked.each))
        desk.upload(scans)
        sent += [scan.sent() for scan in scans]
        if number % BLOCK == BLOCK - 1 or number == len(roster) - 1:
            desk.match()
            print(f"{time.monotonic() - started:6.0f} s  sent {len(sent)}, {desk.standing()}",
                  flush=True)  # fmt: skip
            while desk.waiting() > asked.queue:
                time.sleep(2)
                if time.monotonic() - started > asked.minutes * 60:
                    break
    calm.set()
    desk.match()
    return sent


def _wait_for_runner(desk: Desk, calm: threading.Event, over: threading.Event) -> None:
    """Until nothing waits; what failed because it was killed too often is tried again by hand."""
    said = time.monotonic()
    while True:
        if desk.waiting() == 0:
            if desk.failed() == 0 or not desk.retry():
                return
            continue
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print(f"         {desk.standing()}", flush=True)
        time.sleep(2)


def _kill(
    installation: Installation,
    chance: random.Random,
    asked: argparse.Namespace,
    calm: threading.Event,
    over: threading.Event,
) -> None:
    while asked.kill_every and not over.is_set() and not calm.is_set():
        if over.wait(chance.uniform(0.5, 1.5) * asked.kill_every):
            return
        roles = ("office", "review", "runner", "worker", "worker", "serve")
        if not calm.is_set():
            installation.kill(chance.choice(roles))


def _release(desk: Desk, tablet: Tablet, over: threading.Event) -> None:
    while not over.wait(15):
        desk.release_all()
        tablet.open_dossiers()


def _read(tablet: Tablet, over: threading.Event) -> None:
    while not over.wait(0.5):
        tablet.look()


def _tell(
    asked: argparse.Namespace,
    books: Books,
    installation: Installation,
    watch: MemoryWatch,
    desk: Desk,
    tablet: Tablet,
    worked: float,
) -> None:
    print(f"\n{books.sent} pages sent in {worked / 60:.1f} min, "
          f"{books.sent / worked * 60:.0f} a minute; kills: {dict(installation.kills)}; "
          f"requests sent again: office {desk.again}, tablet {tablet.again}; "
          f"pages read on the tablet: {tablet.seen}")  # fmt: skip
    print(f"books: {json.dumps(books.counts, ensure_ascii=False)}")
    print("\n| process | lives | longest s | first MB | last MB | most MB | MB/h in the calm |")
    print("|---|---|---|---|---|---|---|")
    for row in watch.table():
        print("| " + " | ".join(row) + " |")
    errors = Counter(desk.errors + tablet.errors)
    print(f"\nerrors of the server: {dict(errors) or 'none'}")
    print("not balanced:", *(books.problems or ["nothing"]), sep="\n  ")
    if installation.tracebacks():
        print(f"tracebacks in what it said: {installation.tracebacks()}")


if __name__ == "__main__":
    sys.exit(main())

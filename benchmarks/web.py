"""How long the office's pages take on the server with 100,000 pages in a round.

    python benchmarks/web.py [--pages N] [--limit MS]

Rows are made in a temporary SQLite database; nothing is read or drawn. Each address is asked for
through Flask's test client, without the network. Exits with 1 when a page takes longer than the
limit; a download of the whole round may. CPU time is the reliable figure on a machine that others
use, too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.accounts import create_account, sign_in
from models.base import open_store
from tests.webapp.furnished import Furnished, furnish
from tests.webapp.test_access import known, path_of
from webapp.office.app import COOKIE, create_office
from webapp.serving import prepare
from webapp.settings import Settings

PASSWORD = "correct horse battery"
EACH = 50
"""Pages of an applicant."""
TIMES = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--limit", type=float, default=100.0, help="ms")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder) / "data")
        prepare(settings)
        started = time.perf_counter()
        made, token = _fill(settings, asked.pages)
        seconds = time.perf_counter() - started
        print(f"{asked.pages} pages, {len(made.entrants)} applicants; made in {seconds:.0f} s\n")
        app = create_office(settings)
        client = app.test_client()
        client.set_cookie(COOKIE, token)
        slow = 0
        print(f"{'wall ms':>8} {'CPU ms':>7} {'kB':>6}  address")
        for address in _addresses(client, made):
            wall, cpu, size = _time(client, address)
            export = address.endswith(".xlsx")
            over = "  SLOW" if cpu > asked.limit and not export else ""
            slow += bool(over)
            print(f"{wall:8.1f} {cpu:7.1f} {size:6.1f}  {address}{over}")
    return 1 if slow else 0


def _fill(settings: Settings, pages: int) -> tuple[Furnished, str]:
    engine = open_store(settings.vault_url)
    with Session(engine) as session, session.begin():
        create_account(
            session, login="admin", name="王", role="admin", password=PASSWORD, by="bench"
        )
        token = sign_in(session, login="admin", password=PASSWORD, device="-", address="-")
    made = furnish(engine, settings, entrants=pages // EACH, pages=EACH, pictures=False)
    with Session(engine) as session, session.begin():
        session.execute(text("ANALYZE"))
    engine.dispose()
    return made, str(token)


def _addresses(client: FlaskClient, made: Furnished) -> Iterator[str]:
    """Every page and part about a round, with the filters and the last pages of its queue."""
    for method, rule, _ in known(client.application):
        if method == "GET" and rule.arguments & {"round_id", "entrant_id", "page_id"}:
            yield path_of(rule, made)
    yield "/"
    queue = f"/rounds/{made.round_id}/pages"
    yield f"{queue}?state=all"
    yield f"{queue}?state=review&decision=none"
    following = queue + "?state=all"
    for _ in range(5):  # five pages on, by key
        page = client.get(following).text
        link = page.split('rel="next" href="')
        if len(link) < 2:
            return
        following = link[1].split('"')[0].replace("&amp;", "&")
    yield following


def _time(client: FlaskClient, address: str) -> tuple[float, float, float]:
    """(wall ms, CPU ms, kB), medians after a first call that fills caches."""
    client.get(address)
    walls, cpus = [], []
    for _ in range(TIMES):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = client.get(address)
        size = len(answer.data) / 1000
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return statistics.median(walls), statistics.median(cpus), size


if __name__ == "__main__":
    sys.exit(main())

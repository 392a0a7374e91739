"""What the experts' reader costs the server: the page list, pictures asked for again, new ones.

python benchmarks/reader_pictures.py
CPU time of the whole answer, in this process, on pages of 300 dpi; medians.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.base import open_store
from models.migration import migrate
from models.review_pages import ReleasedPage
from tests.webapp.review.conftest import settings_in
from tests.webapp.review_round import furnish_review
from webapp.review.app import COOKIE, create_review

PAGES, TIMES = 60, 200
SIZE = (2480, 3508)


def page(number: int) -> bytes:
    """A scan: lines of text and the grain of paper."""
    random = np.random.default_rng(number)
    pixels = np.full((SIZE[1], SIZE[0], 3), 245, np.uint8)
    for y in range(300, SIZE[1] - 300, 70):
        cv2.putText(pixels, "ABCDEFG 0123456789 abcdefg xyz" * 2, (200, y), 0, 1.4, (40,) * 3, 3)
    grain = random.normal(0, 3, (*pixels.shape[:2], 1))
    noisy = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def measured(name: str, ask: Callable[[int], object], times: int) -> None:
    took = []
    for at in range(times):
        before = time.process_time()
        ask(at)
        took.append((time.process_time() - before) * 1000)
    took.sort()
    print(f"{name:42} {statistics.median(took):7.1f} ms   p95 {took[int(times * 0.95)]:7.1f} ms")


def main(folder: Path) -> None:
    settings = settings_in(folder)
    settings.folder.mkdir()
    store = open_store(settings.database)
    migrate(store, "review")
    made = furnish_review(store, settings, dossiers=30, pages=PAGES, seats=1)
    code = made.codes[0]
    with Session(store) as session, session.begin():
        for number in range(1, 13):
            data = page(number)
            name = settings.blind / str(made.round_id) / code / f"{number:03d}.jpg"
            name.write_bytes(data)
            row = session.get_one(ReleasedPage, (made.round_id, code, number))
            row.width, row.height = SIZE
            row.sha256 = hashlib.sha256(data).hexdigest()
    client = create_review(settings).test_client()
    client.set_cookie(COOKIE, made.tokens["R01"])
    listed = client.get(f"/d/{code}/pages.json")
    names = [one["name"] for one in listed.json]
    at = f"/d/{code}/pictures/"

    def size(name: str) -> Callable[[int], object]:
        return lambda number: client.get(f"{at}{names[number % 12]}/{name}")

    again = {"If-None-Match": listed.headers["ETag"]}
    measured("page list, unchanged", lambda _: client.get(f"/d/{code}/pages.json", headers=again),
             TIMES)  # fmt: skip
    measured("first picture of a page (makes 3 sizes)", size("1x"), 12)
    measured("picture 1x, made already", size("1x"), TIMES)
    measured("picture 2x, made already", size("2x"), TIMES)
    measured("picture full", size("full"), TIMES)
    tag = {"If-None-Match": f'"{names[0]}-1x"'}
    measured("picture asked for again (304)",
             lambda _: client.get(f"{at}{names[0]}/1x", headers=tag), TIMES)  # fmt: skip
    measured("my dossiers (30 cards)", lambda _: client.get("/"), 50)
    measured("reader's page", lambda _: client.get(f"/d/{code}/"), 50)
    for name in ("thumb", "1x", "2x", "full"):
        sizes = [len(client.get(f"{at}{one}/{name}").data) // 1024 for one in names[:12]]
        print(f"bytes of {name}: {statistics.median(sizes):.0f} kB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mangping-") as made:
        main(Path(made))

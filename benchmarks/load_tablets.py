"""The tablets of benchmarks/load.py: locust users in a process of their own."""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import gevent  # before anything that opens a socket: locust patches the standard library
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.exception import StopUser

ASK_EVERY, MEETING_EVERY = 5.0, 20.0
"""Seconds; webapp/static/reader.js and meeting.js."""
PICTURE = "1x"
BUSY = 503
"""Pictures are being made; the tablet asks again."""
CHANGES = 6
"""Changes of a sheet before the next dossier is opened."""
PATIENCE = 30.0
"""Seconds after the end in which saves whose answer is due may still be acknowledged."""

plan: dict[str, Any] = {}
seats: list[tuple[str, str]] = []
kept: dict[str, list[Any]] = {}
"""Seat and code -> [version, comment, scores] of every save that was acknowledged, in order."""
times: dict[str, list[float]] = {}
when: list[tuple[float, float]] = []
"""(seconds since the start, milliseconds) of every save."""
refused: dict[str, int] = {}
counts = {"all": 0, "again": 0}
clock = {"from": 0.0, "until": 0.0}


class Tablet(FastHttpUser):
    """A reviewer with a tablet. Each has a seat of its own."""

    connection_timeout = network_timeout = 30.0

    def on_start(self) -> None:
        self.seat, self.cookie = seats.pop()
        self.chance = random.Random(self.seat)
        self.numbers = itertools.count(1)
        self.headers = {"Cookie": f"mp_review={self.cookie}"}
        page = self.ask("list", "/")
        self.headers["Cookie"] += "".join(f"; {c.name}={c.value}" for c in self.client.cookiejar)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found, page.text[:500]
        self.headers["X-CSRFToken"] = found.group(1)
        self.code, self.tag = "", ""
        self.asking = [
            gevent.spawn(self.every, ASK_EVERY, self.ask_pages),
            gevent.spawn(self.every, MEETING_EVERY, self.ask_meeting),
        ]

    def every(self, seconds: float, do: Any) -> None:
        gevent.sleep(self.chance.uniform(0, seconds))
        while not over():
            do()
            gevent.sleep(seconds)

    def ask_meeting(self) -> None:
        self.ask("meeting", "/meeting")

    def ask_pages(self) -> None:
        if self.code:
            answer = self.ask("pages", f"/d/{self.code}/pages.json", {"If-None-Match": self.tag})
            self.tag = answer.headers.get("ETag", self.tag) if answer.status_code else self.tag

    def ask(self, kind: str, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.timed(kind, "GET", path, headers={**self.headers, **(headers or {})})

    def timed(self, kind: str, method: str, path: str, **options: Any) -> Any:
        started = time.perf_counter()
        with self.client.request(
            method, path, name=kind, catch_response=True, allow_redirects=False, **options
        ) as answer:
            answer.success()
        if clock["from"] <= time.time() < clock["until"]:
            took = 1000 * (time.perf_counter() - started)
            times.setdefault(kind, []).append(took)
            if kind == "save":
                when.append((time.time() - clock["from"], took))
        counts["all"] += 1
        if answer.status_code not in ((200, 304, BUSY) if kind == "picture" else (200, 304)):
            name = f"{kind} {answer.status_code}"
            refused[name] = refused.get(name, 0) + 1
        return answer

    @task
    def review(self) -> None:
        if over():
            raise StopUser
        self.code = self.chance.choice(plan["codes"])
        page = self.ask("dossier", f"/d/{self.code}/")
        sheet = self.ask("sheet", f"/d/{self.code}/sheet").json()
        names = re.findall(r"\b[0-9a-f]{32}\b", page.text)
        for name in self.chance.sample(sorted(set(names)), 2):
            path = f"/d/{self.code}/pictures/{name}/{PICTURE}"
            while self.ask("picture", path).status_code == BUSY and not over():
                gevent.sleep(1)
        scores = dict(sheet["scores"])
        for _ in range(CHANGES):
            gevent.sleep(self.chance.uniform(*plan["pause"]))
            if over():
                raise StopUser
            self.change(sheet, scores)

    def change(self, sheet: dict[str, Any], scores: dict[str, str]) -> None:
        number = next(self.numbers)
        line = self.chance.choice(sheet["rubric"])
        scores[line["id"]] = f"{self.chance.randrange(0, 2 * int(line['max'])) / 2:g}"
        body = {
            "round": plan["round"],
            "seat": self.seat,
            "base_version": sheet["version"],
            "save_id": f"{self.seat}-{number:06d}",
            "scores": scores,
            "comment": f"change {number}",
            "notes": {},
        }
        for attempt in range(5):
            counts["again"] += attempt > 0
            answer = self.timed(
                "save", "PUT", f"/d/{self.code}/sheet", json=body, headers=self.headers
            )
            if answer.status_code == 200:
                sheet["version"] = answer.json()["version"]
                scaled = {key: round(float(text) * 100) for key, text in scores.items()}
                said = [sheet["version"], body["comment"], scaled]
                kept.setdefault(f"{self.seat} {self.code}", []).append(said)
                return
            gevent.sleep(1)


def over() -> bool:
    return time.time() >= clock["until"]


def main() -> None:
    plan.update(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    seats.extend(plan["tokens"].items())
    reviewers = len(seats)
    environment = Environment(user_classes=[Tablet], events=events, host=plan["host"])
    runner = environment.create_local_runner()
    clock["from"] = time.time() + plan["ramp"]
    clock["until"] = clock["from"] + plan["seconds"]
    runner.start(reviewers, spawn_rate=reviewers / plan["ramp"] * 1.2)
    gevent.sleep(clock["until"] - time.time())
    until = time.time() + PATIENCE
    while runner.user_count and time.time() < until:
        gevent.sleep(0.2)
    runner.quit()
    told = {"kept": kept, "times": times, "when": when, "refused": refused, **counts}
    Path(sys.argv[2]).write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()

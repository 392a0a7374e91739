"""Workers elsewhere: the same bytes as on one machine, also when one is killed in the middle."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from redactor import cluster
from redactor.batch import Order, redact
from redactor.cluster import Cluster, WorkerDied
from redactor.errand import Errand, job_folders, masking_version, run_errand
from redactor.errors import ExitCode, OutputError, UsageError
from redactor.exchange import FORGOTTEN, ROOM, Exchange, Parcel
from redactor.file_job import FileJob, redact_file
from redactor.identity import Identity
from redactor.limits import WorkerLimits
from redactor.profile import STRICT
from redactor.sealed_files import new_secret
from redactor.vault import Vault
from tests.dask_processes import PATIENCE, Dask, running, s3_server
from tests.redactor.errand_work import SECRET, kill_worker, lie, memory_bound, readers, stumble
from tests.redactor.golden.sets import PEOPLE, page_about, save, write_roster

CRASH = {
    "PYTHONPATH": str(Path(__file__).parent / "crash"),
    "CRASH_AT": "redactor.exchange:Exchange.send",
    "CRASH_NTH": "2",
    "CRASH_ROLE": "any",
    "CRASH_HOW": "self",
}
"""Dies when it gives back the second file of a page."""
BUCKET = "scans"


@dataclass(frozen=True)
class Place:
    """What one machine makes of a small set, and a scheduler whose first worker was killed.

    `disturbed`: the run in which that happened; `published`: what it had in BLIND meanwhile.
    """

    dask: Dask
    alone: Order
    disturbed: Order
    published: list[dict[str, bytes]]
    died: int


def on_cluster(alone: Order, dask: Dask, out: Path, exchange: str = "") -> Order:
    """The same run on a cluster, with the same blind codes."""
    shutil.copytree(alone.vault, out / "vault", ignore=lambda *_: KEPT)
    blind, vault = out / "blind", out / "vault"
    return replace(alone, blind=blind, vault=vault, executor=dask.address, exchange=exchange)


KEPT = (
    "cache", "staging", "records", "review", "thumbnails", "copies", "key.xlsx", "report.json",
    "report.html", "quality.xlsx",
)  # fmt: skip
"""All of a vault but the codes."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("cluster")
    for number, name in ((1, "01诸葛晓岚"), (2, "01诸葛晓岚"), (3, "02李建国")):
        save(page_about(name[2:], number), folder / "scans" / name / f"证书{number}.jpg")
    roster = write_roster(folder / "花名册.csv", PEOPLE[:2])
    alone = Order(
        folder / "scans", roster, folder / "blind", folder / "vault", STRICT, 1, False, "jpg"
    )
    redact(alone, lambda done, total: None)
    with s3_server(BUCKET) as s3, pytest.MonkeyPatch.context() as patch:
        for name, value in s3.items():
            patch.setenv(name, value)
        with running(folder / "dask") as dask:
            order = on_cluster(alone, dask, folder / "disturbed", f"s3://{BUCKET}/office")
            doomed = dask.add_worker("doomed", **CRASH, CRASH_COUNT=str(folder / "count"))
            with ThreadPoolExecutor(1) as pool:
                # Alone until it dies, so that it is sure to have a page.
                heir = pool.submit(lambda: (doomed.wait(PATIENCE), dask.add_worker("steady")))
                published: list[dict[str, bytes]] = []
                redact(order, lambda done, total: published.append(content(order.blind)))
                died, _ = heir.result(PATIENCE)
            yield Place(dask, alone, order, published, died)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pages_of(order: Order) -> list[dict[str, Any]]:
    """What the report says of each page, but for the time that it took."""
    report = json.loads((order.vault / "report.json").read_text("utf-8"))
    return [{**page, "seconds": 0} for page in report["pages"]]


def same_as_alone(place: Place, order: Order) -> None:
    assert content(order.blind) == content(place.alone.blind)
    assert pages_of(order) == pages_of(place.alone)
    for folder in ("cache", "copies", "thumbnails"):
        assert content(order.vault / folder) == content(place.alone.vault / folder)
    assert not (order.vault / "exchange").exists()


def test_a_worker_killed_in_the_middle_changes_no_byte(place: Place) -> None:
    """It died when it had given back a half of what it made of its first page."""
    assert place.died == -signal.SIGKILL
    same_as_alone(place, place.disturbed)
    assert place.published == [{}] * 4, "nothing is published before all is done"
    assert everything(Exchange(f"s3://{BUCKET}/office", new_secret())) == []


def test_a_folder_of_the_vault_is_the_exchange_where_none_is_named(
    place: Place, tmp_path: Path
) -> None:
    order = on_cluster(place.alone, place.dask, tmp_path)
    assert redact(order, lambda done, total: None).exit_code == ExitCode.OK
    same_as_alone(place, order)


def test_readings_go_out_so_that_nothing_is_read_twice(place: Place, tmp_path: Path) -> None:
    """Another profile matches anew what an earlier run has read."""
    order = on_cluster(place.alone, place.dask, tmp_path)
    redact(order, lambda done, total: None)
    before = {path: path.stat().st_mtime_ns for path in (order.vault / "cache").rglob("*.npz")}
    again = replace(order, profile=replace(STRICT, padded=True), resume=True)
    assert redact(again, lambda done, total: None).exit_code == ExitCode.OK
    assert before == {
        path: path.stat().st_mtime_ns for path in (order.vault / "cache").rglob("*.npz")
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
def test_workers_elsewhere_have_bounds_as_well(place: Place) -> None:
    assert place.disturbed.blind.exists(), "the steady worker has done errands"
    assert set(place.dask.client.run(memory_bound).values()) == {WorkerLimits().memory}


def everything(exchange: Exchange) -> list[str]:
    """Keys of all objects of ours."""
    return [entry["path"] for entries in exchange._store.list(ROOM) for entry in entries]


def job_about(tmp_path: Path, number: int = 1) -> FileJob:
    vault = Vault(tmp_path / f"vault{number}")
    vault.create(resume=False)
    path = save(page_about(SECRET, number), tmp_path / f"{SECRET}{number}.jpg")
    return FileJob(
        path, path.name, "论文", 1, "K7QF-3M", Identity(1, ()), STRICT, "jpg",
        vault.staging, vault.thumbnails, vault.cache, vault.copies, "ab",
    )  # fmt: skip


@pytest.fixture
def workers(place: Place, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(place.dask.address, (tmp_path / "exchange").as_uri())
    yield made
    made.shutdown()


def test_the_models_are_loaded_once_in_a_worker_which_keeps_no_file(
    place: Place, workers: Cluster, tmp_path: Path
) -> None:
    pages = [workers.submit(readers, job_about(tmp_path, n)).result(PATIENCE) for n in (1, 2)]
    assert [record.source_page for (record,) in pages] == [1, 1]
    assert not list(place.dask.folder.glob("steady/*/*/errand-*"))
    assert len({record.prints for (record,) in pages} - {os.getpid()}) == 1


def test_a_page_that_is_not_its_records_enters_no_vault(workers: Cluster, tmp_path: Path) -> None:
    job = job_about(tmp_path)
    with pytest.raises(OutputError, match="--resume"):
        workers.submit(lie, job).result(PATIENCE)
    assert content(job.staging) == {}


def test_an_error_on_a_worker_ends_the_run_and_tells_nobody_else(
    place: Place, workers: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="ValueError") as error:
        workers.submit(stumble, job_about(tmp_path)).result(PATIENCE)
    assert SECRET not in str(error.value)
    assert SECRET not in place.dask.logs()


@pytest.mark.skipif("MANGPING_ALL_CRASHES" not in os.environ, reason="starts two workers more")
def test_a_file_that_kills_its_workers_is_left_out(
    place: Place, workers: Cluster, tmp_path: Path
) -> None:
    """The scheduler of these tests gives up at the second death; of three workers one is left."""
    for name in ("first", "second"):
        place.dask.add_worker(name)
    with pytest.raises(WorkerDied):
        workers.submit(kill_worker, job_about(tmp_path)).result(PATIENCE)
    (record,) = workers.submit(redact_file, job_about(tmp_path, 2)).result(PATIENCE)
    assert record.staged is not None


def test_a_file_that_is_gone_fails_alone(workers: Cluster, tmp_path: Path) -> None:
    job = job_about(tmp_path)
    job.path.unlink()
    (record,) = workers.submit(redact_file, job).result(PATIENCE)
    assert (record.state, record.staged) == ("failed", None)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "localhost", "http://127.0.0.1:8786"])
def test_no_scheduler_means_nothing_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    blind, vault = tmp_path / "out" / "blind", tmp_path / "out" / "vault"
    order = replace(place.alone, blind=blind, vault=vault, executor=address)
    with pytest.raises(UsageError, match=r"tcp://|dask"):
        redact(order, lambda done, total: None)
    assert not (tmp_path / "out").exists()


def errand(tmp_path: Path, **changes: Any) -> Errand:
    job = job_about(tmp_path)
    secret = new_secret()
    exchange = Exchange((tmp_path / "exchange").as_uri(), secret)
    asked = Errand(
        redact_file, job, (), job_folders(job), exchange.url, secret,
        (exchange.send(job.path.read_bytes(), "a/source", "source"),), "a/out", "zh",
        masking_version(),
    )  # fmt: skip
    return replace(asked, **changes)


def test_what_a_scheduler_shows_of_an_errand_names_nobody(tmp_path: Path) -> None:
    asked = errand(tmp_path)
    assert SECRET in asked.job.relative
    assert SECRET not in repr(asked)
    assert asked.secret not in repr(asked)
    assert pickle.loads(pickle.dumps(asked)) == asked


def test_a_worker_of_another_version_does_nothing(tmp_path: Path) -> None:
    delivery = run_errand(errand(tmp_path, version="0"))
    assert delivery.records == []
    assert delivery.error is not None
    assert "version" in delivery.error.sentence.en


@pytest.fixture(params=["folder", "s3"])
def exchange(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Exchange:
    url = f"s3://{BUCKET}/{tmp_path.name}"
    return Exchange(url if request.param == "s3" else (tmp_path / "交换 区").as_uri(), new_secret())


def test_an_exchange_holds_nothing_that_can_be_read(exchange: Exchange) -> None:
    data = SECRET.encode() * 10
    parcel = exchange.send(data, f"{ROOM}/a/b", "b")
    assert exchange.read(parcel) == data
    assert SECRET.encode() not in bytes(exchange._store.get(parcel.key).bytes())
    with pytest.raises(OutputError, match="--resume"):
        Exchange(exchange.url, new_secret()).read(parcel)


def test_a_file_that_was_changed_or_exchanged_is_refused(exchange: Exchange) -> None:
    one, two = (exchange.send(text, f"{ROOM}/a/{text!r}", "b") for text in (b"1", b"2"))
    with pytest.raises(OutputError):
        exchange.read(replace(one, key=two.key))
    exchange._store.put(one.key, b"")
    with pytest.raises(OutputError):
        exchange.read(one)
    exchange.remove([one.key, two.key, two.key])
    with pytest.raises(OutputError):
        exchange.read(two)


def test_a_sweep_takes_its_own_run_and_what_is_old(exchange: Exchange) -> None:
    for key in (f"{ROOM}/a/1", f"{ROOM}/b/1"):
        exchange.send(b"", key, "1")
    exchange._store.put("thesis", b"mine")
    exchange.sweep("", FORGOTTEN)
    exchange.sweep("a")
    assert everything(exchange) == [f"{ROOM}/b/1"]
    assert bytes(exchange._store.get("thesis").bytes()) == b"mine"


@pytest.mark.parametrize("place_", ["4/a", "0/../a", "0/a/b/c", "/etc/a", "0/.a", "a", "0//a"])
def test_no_file_is_put_where_none_belongs(place_: str, tmp_path: Path) -> None:
    folders = [tmp_path] * 4
    with pytest.raises(OutputError):
        cluster._target(Parcel("k", place_, ""), folders)
    assert cluster._target(Parcel("k", "0/ab-1.jpg", ""), folders) == tmp_path / "ab-1.jpg"


@pytest.mark.parametrize("url", ["no url", "nothing://a/b"])
def test_an_exchange_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="s3://"):
        Exchange(url, new_secret())

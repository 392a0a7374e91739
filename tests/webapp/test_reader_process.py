"""What strangers send is decoded in a process without network, with little memory and time; the
office's own process decodes none of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from models.errors import RuleError
from redactor.errors import UnreadablePage
from redactor.limits import WorkerLimits
from redactor.loading import count_pages
from tests.webapp import strange_work
from webapp.office.reader_process import ENDED, MEMORY, TOO_MUCH, ReaderProcess, read_apart
from webapp.settings import Settings

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="no means for it elsewhere")


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    made = ReaderProcess()
    yield made
    if made._pool is not None:
        made._pool.shutdown()


@LINUX
def test_it_has_no_network_and_little_memory_and_goes_on(reader: ReaderProcess) -> None:
    pytest.importorskip("pyseccomp", exc_type=ImportError)
    assert reader.read(strange_work.networks) == [13, 13]
    with pytest.raises(UnreadablePage) as caught:
        reader.read(strange_work.fill, MEMORY)
    assert caught.value.sentence.zh == TOO_MUCH.zh
    assert WorkerLimits().memory > MEMORY
    assert reader.read(strange_work.fill, 1000) == 1000


def test_it_stops_what_takes_too_long_and_goes_on(
    reader: ReaderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANGPING_PAGE_SECONDS", "0.5")
    with pytest.raises(UnreadablePage) as caught:
        reader.read(strange_work.spin)
    assert caught.value.sentence.zh == TOO_MUCH.zh
    assert reader.read(strange_work.process_number) != os.getpid()


def test_a_file_that_ends_it_is_refused_and_the_next_is_read(reader: ReaderProcess) -> None:
    with pytest.raises(UnreadablePage) as caught:
        reader.read(strange_work.end)
    assert caught.value.sentence.zh == ENDED.zh
    assert reader.read(strange_work.fill, 1) == 1


@LINUX
def test_ended_while_idle_it_is_started_again(reader: ReaderProcess) -> None:
    first = reader.read(strange_work.process_number)
    pool = reader._pool
    assert pool is not None
    os.kill(first, signal.SIGKILL)
    until = time.monotonic() + 120
    while not pool._broken and time.monotonic() < until:
        time.sleep(0.01)
    assert reader.read(strange_work.process_number) not in (first, os.getpid())


def test_every_sentence_of_an_error_comes_back(settings: Settings) -> None:
    with pytest.raises(RuleError) as caught:
        read_apart(settings, strange_work.refuse)
    assert [sentence.en for sentence in caught.value.sentences] == ["one", "two"]


def test_a_request_that_parses_a_file_itself_fails_its_test(
    settings: Settings, office: Flask, tmp_path: Path, parsed_in_requests: list[str]
) -> None:
    """tests/webapp/conftest.py watches every request of every test for it."""
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40)).save(path)
    with office.test_request_context("/somewhere"):
        assert read_apart(settings, count_pages, path) == 1
        assert parsed_in_requests == []
        assert count_pages(path) == 1
    assert parsed_in_requests == ["GET /somewhere: _opened"]
    parsed_in_requests.clear()

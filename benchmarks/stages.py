"""Says where a page's CPU time goes, stage by stage, without a profiler's own cost.

The functions named in STAGES are wrapped for the time of a measurement. Time counts for the
innermost stage; inside the second look at the masked page it counts for "verify, STAGE".
"""

from __future__ import annotations

import functools
import importlib
import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redactor.applicant import Applicant
from redactor.identity import Identity, identity_of
from redactor.loading import load_page
from redactor.masking import encode
from redactor.pipeline import redact_page
from redactor.profile import STRICT
from redactor.proof import prove
from redactor.reading import shared_reader

VERIFY = "verify"
STAGES = {
    "load": ("benchmarks.stages.load_page",),
    "orient": ("redactor.reading.Reader.classify", "redactor.upright._best_turn"),
    "detect": ("redactor.reading.Reader.detect",),
    "recognise": ("redactor.reading.Reader.recognise",),
    "cut lines": ("redactor.reading.crop_line", "redactor.reading.split_rows"),
    "place characters": ("redactor.reading.place_characters",),
    "layers": (
        "redactor.upright.find_layers",
        "redactor.upright.find_seals",
        "redactor.upright.seal_layers",
    ),
    "cells": ("redactor.upright.find_cells",),
    "text finders": (
        "redactor.search.find_text",
        "redactor.search.find_labels",
        "redactor.search.find_letterheads",
    ),
    "codes": ("redactor.search.find_codes", "redactor.search.find_printed_numbers"),
    "seals": (
        "redactor.search.find_seals",
        "redactor.search.find_embossed",
        "redactor.search.find_twins",
        "redactor.search.seal_findings",
        "redactor.pipeline.lift_seals",
        "redactor.pipeline.describe",
    ),
    "pictures, faces": (
        "redactor.search.find_pictures",
        "redactor.search.find_faces",
        "redactor.search.find_empty_photo_frames",
    ),
    "hands, prints": (
        "redactor.search.find_handwriting",
        "redactor.search.find_fingerprints",
        "redactor.search.find_arabic_script",
    ),
    "mask": ("redactor.pipeline.fit", "redactor.pipeline.paint"),
    "quality": ("redactor.pipeline.assess",),
    VERIFY: ("redactor.pipeline.second_look",),
    "encode": ("benchmarks.stages.encode",),
    "prove": ("benchmarks.stages.prove",),
}
READING = ("orient", "detect", "recognise", "cut lines", "place characters", "layers", "cells")
VISUAL = ("codes", "seals", "pictures, faces", "hands, prints")


def somebody() -> Identity:
    """An applicant with all fields, so that matching has all its terms to look for."""
    return identity_of(
        Applicant(
            1,
            1,
            "阿布都热合曼·买买提",
            "巴音郭楞蒙古自治州林业和草原局",
            id_number="652801198503151236",
            phones=("13900001234",),
            emails=("abdurahman@example.com",),
            former_units=("新疆维吾尔自治区第三地质大队",),
        ),
        STRICT.identity_settings(),
    )


def whole(
    path: Path,
    number: int,
    identity: Identity,
) -> Any:
    """One page's whole way: load, read, find, mask, encode, prove."""
    source = load_page(path, number)
    page = redact_page(source, identity, STRICT, shared_reader)
    data = encode(page.masked, "jpg", source.dpi)
    prove(data, page.masked, [finding.quad for finding in page.findings])
    return page


class Stopwatch:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = time.process_time()

    def enter(self, stage: str) -> None:
        self._book()
        self._open.append(stage)

    def leave(self) -> None:
        self._book()
        self._open.pop()

    def _book(self) -> None:
        now = time.process_time()
        stage = self._open[-1] if self._open else "rest"
        if VERIFY in self._open and stage != VERIFY:
            stage = f"{VERIFY}, {stage}"
        self.seconds[stage] += now - self._since
        self._since = now


@contextmanager
def watched() -> Iterator[Stopwatch]:
    """Measures all stages of the process as long as it is open.

    Raises:
        AttributeError: a function of STAGES is not there any more; mend the table.
    """
    watch = Stopwatch()
    undo: list[tuple[Any, str, Any]] = []
    try:
        for stage, paths in STAGES.items():
            for path in paths:
                owner, name = _owner(path)
                undo.append((owner, name, getattr(owner, name)))
                setattr(owner, name, _wrapped(getattr(owner, name), stage, watch))
        yield watch
    finally:
        for owner, name, original in reversed(undo):
            setattr(owner, name, original)


def _owner(path: str) -> tuple[Any, str]:
    """(module or class, attribute) of a dotted path."""
    where, name = path.rsplit(".", 1)
    try:
        return importlib.import_module(where), name
    except ModuleNotFoundError:
        module, kind = where.rsplit(".", 1)
        return getattr(importlib.import_module(module), kind), name


def _wrapped(function: Callable[..., Any], stage: str, watch: Stopwatch) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        watch.enter(stage)
        try:
            return function(*values, **named)
        finally:
            watch.leave()

    @functools.wraps(function)
    def steps(*values: Any, **named: Any) -> Iterator[Any]:
        work = function(*values, **named)
        while True:
            watch.enter(stage)
            try:
                step = next(work)
            except StopIteration:
                return
            finally:
                watch.leave()
            yield step

    return steps if inspect.isgeneratorfunction(function) else call

"""Test only: makes a process fail at the N-th entry of a named function, parent or worker alike.

Python imports a module of this name at start, so a folder on PYTHONPATH is enough and production
code needs no hook. Settings are environment variables:

CRASH_AT     module:qualified.name, e.g. redactor.masking:encode or os:fsync
CRASH_NTH    which entry, counted over all processes of the role; "+" behind it: that and all later
CRASH_ROLE   parent, worker or any
CRASH_HOW    self: SIGKILL this process; all: this one and its parent; full: the disk is full
CRASH_COUNT  a file that grows by a byte with each entry; <file>.pids lists the workers
"""

from __future__ import annotations

import errno
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

MODULE, _, NAME = os.environ.get("CRASH_AT", ":").partition(":")


def is_worker() -> bool:
    """Whether this is a worker of a pool; its parent is known once it has begun to work."""
    return multiprocessing.parent_process() is not None


def entry(arguments: Sequence[Any]) -> None:
    """Counts an entry and fails when it is the one."""
    role = "worker" if is_worker() else "parent"
    if os.environ["CRASH_ROLE"] not in ("any", role):
        return
    counter = Path(os.environ["CRASH_COUNT"])
    with counter.open("ab") as file:
        file.write(b".")
    count, wanted = counter.stat().st_size, os.environ["CRASH_NTH"]
    number = int(wanted.rstrip("+"))
    if not (count == number or (count > number and wanted.endswith("+"))):
        return
    if (MODULE, NAME) == ("os", "fsync"):
        # The moment at which a file is whole but has no name yet: make it half a file.
        os.ftruncate(arguments[0], os.fstat(arguments[0]).st_size // 2)
    if os.environ["CRASH_HOW"] == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if os.environ["CRASH_HOW"] == "all" and is_worker():
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def arm(module: ModuleType) -> None:
    """Puts the counter before the function."""
    *owners, name = NAME.split(".")
    owner: Any = functools.reduce(getattr, owners, module)
    original: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(original)
    def counted(*arguments: Any, **named: Any) -> Any:
        entry(arguments)
        return original(*arguments, **named)

    setattr(owner, name, counted)


class Finder(importlib.abc.MetaPathFinder):
    """Arms the module as soon as it is loaded, before anyone can take the function from it."""

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            arm(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if MODULE in sys.modules:
    arm(sys.modules[MODULE])
elif MODULE:
    sys.meta_path.insert(0, Finder())
if MODULE and any("spawn_main" in argument for argument in sys.orig_argv):
    with Path(os.environ["CRASH_COUNT"] + ".pids").open("a") as pids:
        pids.write(f"{os.getpid()}\n")

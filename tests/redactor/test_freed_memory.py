"""Freed memory must be kept, or a page costs a seventh more; results cannot tell, faults can."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from redactor.freed_memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
blocks = lambda: [len(b"x" * (n << 20)) for n in (40, 7, 40, 3)]
blocks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    blocks()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Memory pages that a process had to get anew for blocks it had already used."""
    command = [sys.executable, "-c", FAULTS, how]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no mallopt")
def test_memory_is_used_again_without_asking_the_system() -> None:
    assert faults("keep") < 1_000 < 10_000 < faults("leave")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from redactor.freed_memory import keep_freed_memory

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()

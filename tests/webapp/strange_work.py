"""What a file might make its reader do; run in the reader's process."""

from __future__ import annotations

import os
import socket

from models.errors import RuleError, Sentence


def process_number() -> int:
    return os.getpid()


def networks() -> list[int]:
    """The error numbers of trying to make a socket of each family; 0 where it was made."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.socket(family).close()
            found.append(0)
        except OSError as error:
            found.append(error.errno or -1)
    return found


def fill(size: int) -> int:
    return len(bytearray(size))


def spin() -> None:
    while True:
        sum(range(1000))


def end() -> None:
    os._exit(1)


def refuse() -> None:
    raise RuleError([Sentence("一", "one"), Sentence("二", "two")])

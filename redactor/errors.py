"""One error tree: every error carries a sentence (what, where, remedy) and an exit code."""

from __future__ import annotations

import locale
import os
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `mangping redact` (CONTRACT.md)."""

    OK = 0
    REVIEW = 1
    USAGE = 2
    FAILED = 3
    INTERRUPTED = 130


@dataclass(frozen=True)
class Sentence:
    """A message in Simplified Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


def language() -> str:
    """'zh' or 'en': MANGPING_LANG first, then the locale; Chinese when neither says English."""
    said = (os.environ.get(name) for name in ("MANGPING_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    # getlocale calls the plain C.UTF-8 of a server "en_US", so it is asked last.
    chosen = next((value for value in said if value), None) or locale.getlocale()[0] or ""
    return "en" if chosen.lower().startswith("en") else "zh"


class RedactorError(Exception):
    """Root of all errors that a user can act on."""

    exit_code = ExitCode.FAILED

    def __init__(self, zh: str, en: str) -> None:
        self.sentence = Sentence(zh, en)
        super().__init__(zh, en)

    def __str__(self) -> str:
        return str(self.sentence)


class UsageError(RedactorError):
    """The command or its input cannot be used at all; nothing was written."""

    exit_code = ExitCode.USAGE


class UnreadablePage(RedactorError):
    """A file or a page of it could not be loaded; the rest of the batch goes on."""


class ProofError(RedactorError):
    """An encoded page is not what it should be; it was thrown away."""


class OutputError(RedactorError):
    """Outputs cannot be written at all (disk full, no permission); the batch stops."""

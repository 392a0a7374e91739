"""Errors of the rules and the review store: sentences in two languages, all problems at once."""

from __future__ import annotations

import locale
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sentence:
    """A message in Simplified Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if _language() == "zh" else self.en


def _language() -> str:
    """'zh' or 'en': MANGPING_LANG first, then the locale; Chinese when neither says English."""
    said = (os.environ.get(name) for name in ("MANGPING_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    # getlocale calls the plain C.UTF-8 of a server "en_US", so it is asked last.
    chosen = next((value for value in said if value), None) or locale.getlocale()[0] or ""
    return "en" if chosen.lower().startswith("en") else "zh"


class RuleError(Exception):
    """Root of the errors that a person can act on; `sentences` holds every problem found."""

    def __init__(self, sentences: Sentence | Sequence[Sentence]) -> None:
        found = (sentences,) if isinstance(sentences, Sentence) else tuple(sentences)
        if not found:
            raise ValueError("an error needs at least one sentence")
        self.sentences = found
        super().__init__(*found)

    def __str__(self) -> str:
        return "\n".join(str(sentence) for sentence in self.sentences)

    def __reduce__(self) -> tuple[Any, ...]:
        """Passes between processes whole; an exception's `args` would not make it again."""
        return type(self), (self.sentences,)

"""Sentences in a column: both languages are kept, because whoever reads them chooses later."""

from __future__ import annotations

import json

from models.errors import Sentence


def keep_sentence(sentence: Sentence) -> str:
    """A sentence as text for a column."""
    return json.dumps({"zh": sentence.zh, "en": sentence.en}, ensure_ascii=False)


def kept_sentence(text: str) -> Sentence:
    """The sentence of a column; a plain text, as the runner writes it, stands for both."""
    try:
        said = json.loads(text)
        return Sentence(str(said["zh"]), str(said["en"]))
    except (ValueError, TypeError, KeyError):
        return Sentence(text, text)

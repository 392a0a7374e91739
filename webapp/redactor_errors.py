"""What the redactor says of a file or a key, as an error of the web's own."""

from __future__ import annotations

from models.errors import RuleError, Sentence
from redactor.errors import RedactorError


def sentence_of(error: RedactorError) -> Sentence:
    """The redactor's sentence; it knows no type of its siblings."""
    return Sentence(error.sentence.zh, error.sentence.en)


def rule_error(error: RedactorError) -> RuleError:
    """To be raised in its place, and told to who asked."""
    return RuleError(sentence_of(error))

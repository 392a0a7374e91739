"""Why a tally was not made: every problem at once, each with its place and its remedy."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import RuleError, Sentence

__all__ = ["InputError", "PolicyError", "Problem", "RuleError", "Sentence"]


@dataclass(frozen=True)
class Problem:
    """One thing to mend: `place` says where (sheet, row, column; path; line), `what` the rest."""

    place: Sentence
    what: Sentence

    def sentence(self) -> Sentence:
        if not self.place.zh:
            return self.what
        return Sentence(f"{self.place.zh}：{self.what.zh}", f"{self.place.en}: {self.what.en}")


class ScoringError(RuleError):
    """Root of the errors of policies and tallies; `problems` keeps them apart."""

    def __init__(self, problems: Problem | list[Problem] | tuple[Problem, ...]) -> None:
        found = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.problems = found
        super().__init__([problem.sentence() for problem in found])


class PolicyError(ScoringError):
    """A policy file cannot be read, breaks the schema, or lacks what the arithmetic needs."""


class InputError(ScoringError):
    """A round cannot be tallied as it stands; nothing was written."""


NOWHERE = Sentence("", "")


def problem(zh: str, en: str, place: Sentence = NOWHERE) -> Problem:
    """A problem from its two sentences."""
    return Problem(place, Sentence(zh, en))

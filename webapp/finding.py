"""One line of the doctor's, with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.errors import Sentence

Level = Literal["ok", "warning", "problem"]
_NOTHING = Sentence("", "")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's. `remedy` is empty when `level` is ok."""

    level: Level
    name: Sentence
    detail: Sentence
    remedy: Sentence = _NOTHING

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

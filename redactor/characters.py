"""Where each character of a recognised line stands: from decoder columns to boxes (pure).

The rule is the measured one: centres are regressed over neighbouring Han characters, because a
decoder's columns jitter by up to 0.2 em; an edge lies half an em from a Han centre, a little more
towards other characters; the first and last edge are those of the detected line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 6
"""Neighbours on each side that take part in a regression."""
TOWARDS_HAN, TOWARDS_OTHER = 0.5, 0.6
"""Half width of a Han character in em, towards a Han neighbour and towards anything else."""


@dataclass(frozen=True)
class Decoded:
    """A recognised line: one entry per character.

    `centres`: position of each character along the line, as a fraction 0..1 of its length.
    """

    text: str
    centres: tuple[float, ...]
    scores: tuple[float, ...]
    others: tuple[tuple[tuple[str, float], ...], ...]

    @property
    def score(self) -> float:
        """Mean probability of the characters, 0 for an empty line."""
        return float(np.mean(self.scores)) if self.scores else 0.0


def is_han(char: str) -> bool:
    """Whether a character is a full-width ideograph."""
    return "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or char == "〇"


def extents(decoded: Decoded, length: float, thickness: float) -> list[tuple[float, float]]:
    """(start, end) of every character as fractions 0..1 of the line's length.

    `length` and `thickness`: size of the line along and across its reading direction, pixels.
    """
    n = len(decoded.text)
    if n == 0:
        return []
    han = np.array([is_han(c) for c in decoded.text])
    raw = np.array(decoded.centres) * length
    em = _em(raw, han, thickness)
    centres = _regressed(raw, han, em)
    starts, ends = np.empty(n), np.empty(n)
    for i in range(n):
        starts[i] = 0.0 if i == 0 else _edge(centres, han, em, i, -1)
        ends[i] = length if i == n - 1 else _edge(centres, han, em, i, +1)
    return [
        (float(np.clip(a / length, 0, 1)), float(np.clip(max(b, a + 1) / length, 0, 1)))
        for a, b in zip(starts, ends, strict=True)
    ]


def _em(centres: np.ndarray, han: np.ndarray, thickness: float) -> float:
    """Median distance of neighbouring Han centres; the line's thickness when there are none."""
    gaps = np.diff(centres)[han[1:] & han[:-1]]
    gaps = gaps[(gaps > 0.5 * thickness) & (gaps < 1.6 * thickness)]
    return float(np.median(gaps)) if len(gaps) else 0.85 * thickness


def _regressed(centres: np.ndarray, han: np.ndarray, em: float) -> np.ndarray:
    """Centres of Han characters, straightened over evenly set neighbours."""
    smooth = centres.copy()
    n = len(centres)
    for start, end in _even_runs(centres, han, em):
        for i in range(start, end):
            low, high = max(start, i - REACH), min(end, i + REACH + 1)
            if high - low >= 3:
                slope, offset = np.polyfit(np.arange(low, high), centres[low:high], 1)
                smooth[i] = slope * i + offset
    return np.maximum.accumulate(smooth) if n else smooth


def _even_runs(centres: np.ndarray, han: np.ndarray, em: float) -> list[tuple[int, int]]:
    """Index ranges of Han characters that follow each other at about one em."""
    runs: list[tuple[int, int]] = []
    start = 0
    for i in range(1, len(centres) + 1):
        together = (
            i < len(centres)
            and han[i]
            and han[i - 1]
            and 0.6 * em < centres[i] - centres[i - 1] < 1.4 * em
        )
        if not together:
            if han[start]:
                runs.append((start, i))
            start = i
    return runs


def _edge(centres: np.ndarray, han: np.ndarray, em: float, i: int, side: int) -> float:
    """The edge of character `i` towards its neighbour at `side` (-1 or +1)."""
    other = i + side
    gap = abs(centres[other] - centres[i])
    if not han[i]:
        if han[other]:
            return float(centres[other] - side * min(TOWARDS_HAN * em, gap * 0.6))
        return float(centres[i] + side * min(gap / 2, 0.5 * em))
    reach = TOWARDS_HAN if han[other] and gap < 1.3 * em else TOWARDS_OTHER
    return float(centres[i] + side * min(reach * em, max(gap * 0.62, 0.45 * em)))

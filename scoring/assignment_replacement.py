"""Who takes a dossier over when an expert is recused: whoever may see it and has least to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from scoring.assignment_conflicts import Dossier, Reviewer, allowed_reviewers


def replacements(
    dossier: Dossier,
    reviewers: Sequence[Reviewer],
    *,
    taken: Collection[str],
    loads: Mapping[str, int],
) -> list[str]:
    """Ids of reviewers who may take `dossier`, the best first: lowest load, then id.

    `taken`: those who have it, had it or are recused from it. `loads`: dossiers per reviewer, 0
    where missing. Conflicts, specialties and capacities hold as in `assign`.
    """
    open_to = allowed_reviewers(reviewers, [dossier])[dossier.code]
    limits = {reviewer.id: reviewer.capacity for reviewer in reviewers}
    able = [
        person
        for person in open_to
        if person not in taken and _has_room(limits[person], loads.get(person, 0))
    ]
    return sorted(able, key=lambda person: (loads.get(person, 0), person))


def _has_room(capacity: int | None, load: int) -> bool:
    return capacity is None or load < capacity

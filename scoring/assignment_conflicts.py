"""Who may not see which dossier, and why: conflicts of interest and specialties."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.errors import Sentence

Ground = Literal["same_unit", "former_unit", "declared", "family", "specialty"]

# The marks that scanners and people write for the interpunct of long names.
_INTERPUNCTS = frozenset("·•・．.﹒‧∙")


@dataclass(frozen=True)
class Dossier:
    """What the office knows of a dossier. Names and units stay on the office's side of the wall.

    `specialty` empty: any reviewer may judge it. `units` and `former_units` hold full names and
    short forms alike.
    """

    code: str
    specialty: str = ""
    name: str = ""
    units: tuple[str, ...] = ()
    former_units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reviewer:
    """A reviewer. `specialties` None: all of them; `capacity` None: no limit (dossiers >= 0).

    `declared` are codes that the reviewer declared or was recused from; `family` are the names of
    relatives on the list given by the office.
    """

    id: str
    specialties: frozenset[str] | None = None
    units: tuple[str, ...] = ()
    former_units: tuple[str, ...] = ()
    declared: frozenset[str] = frozenset()
    family: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True)
class Reason:
    """Why a reviewer may not see a dossier; the sentence names units, so it is for the office."""

    ground: Ground
    sentence: Sentence


def why_not(reviewer: Reviewer, dossier: Dossier) -> tuple[Reason, ...]:
    """Every reason why `reviewer` may not see `dossier`; empty when there is none.

    Names and units are compared after Unicode NFKC, without spaces, interpuncts and case.
    """
    return _reasons(_ReviewerKeys.of(reviewer), _DossierKeys.of(dossier))


def allowed_reviewers(
    reviewers: Iterable[Reviewer], dossiers: Iterable[Dossier]
) -> dict[str, list[str]]:
    """Code -> ids of the reviewers who may see it, in the order given."""
    keyed = [_ReviewerKeys.of(reviewer) for reviewer in reviewers]
    return {
        dossier.code: [reviewer.reviewer.id for reviewer in keyed if _may_see(reviewer, keys)]
        for dossier in dossiers
        for keys in (_DossierKeys.of(dossier),)
    }


def comparable(text: str) -> str:
    """A name or unit as it is compared; empty when nothing is left."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(ch for ch in folded if not ch.isspace() and ch not in _INTERPUNCTS)


def _keys(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(key for text in texts if (key := comparable(text)))


@dataclass(frozen=True)
class _DossierKeys:
    dossier: Dossier
    name: str
    specialty: str
    units: frozenset[str]
    former: frozenset[str]

    @classmethod
    def of(cls, dossier: Dossier) -> _DossierKeys:
        return cls(
            dossier,
            comparable(dossier.name),
            comparable(dossier.specialty),
            _keys(dossier.units),
            _keys(dossier.former_units),
        )


@dataclass(frozen=True)
class _ReviewerKeys:
    reviewer: Reviewer
    specialties: frozenset[str] | None
    units: frozenset[str]
    former: frozenset[str]
    family: frozenset[str]

    @classmethod
    def of(cls, reviewer: Reviewer) -> _ReviewerKeys:
        specialties = reviewer.specialties
        return cls(
            reviewer,
            None if specialties is None else _keys(specialties),
            _keys(reviewer.units),
            _keys(reviewer.former_units),
            _keys(reviewer.family),
        )


def _may_see(reviewer: _ReviewerKeys, dossier: _DossierKeys) -> bool:
    """The same tests as `_reasons` without the sentences: it runs for every pair of a round."""
    return not (
        reviewer.units & dossier.units
        or reviewer.units & dossier.former
        or reviewer.former & dossier.units
        or reviewer.former & dossier.former
        or dossier.dossier.code in reviewer.reviewer.declared
        or (dossier.name and dossier.name in reviewer.family)
        or _other_specialty(reviewer, dossier)
    )


def _other_specialty(reviewer: _ReviewerKeys, dossier: _DossierKeys) -> bool:
    return (
        reviewer.specialties is not None
        and dossier.specialty != ""
        and dossier.specialty not in reviewer.specialties
    )


def _reasons(reviewer: _ReviewerKeys, dossier: _DossierKeys) -> tuple[Reason, ...]:
    who, code = reviewer.reviewer.id, dossier.dossier.code
    found: list[Reason] = []

    def add(ground: Ground, zh: str, en: str) -> None:
        zh_all = f"评委 {who} 不能评审 {code}：{zh}。"
        found.append(Reason(ground, Sentence(zh_all, f"{who} may not review {code}: {en}.")))

    same = reviewer.units & dossier.units
    if same:
        named = "、".join(sorted(same))
        add("same_unit", f"同一单位（{named}）", f"same unit ({named})")
    former = (
        reviewer.units & dossier.former
        | reviewer.former & dossier.units
        | reviewer.former & dossier.former
    )
    if former:
        named = "、".join(sorted(former))
        add("former_unit", f"曾在同一单位（{named}）", f"a former unit in common ({named})")
    if code in reviewer.reviewer.declared:
        add("declared", "评委已申报回避", "declared or recorded recusal")
    if dossier.name and dossier.name in reviewer.family:
        add("family", "申报人在该评委的亲属名单上", "the applicant is on the list of relatives")
    if _other_specialty(reviewer, dossier):
        specialty = dossier.dossier.specialty
        add("specialty", f"不评{specialty}专业", f"does not judge the specialty {specialty}")
    return tuple(found)

"""Which classes of identifying marks are masked: the two shipped profiles and their switches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from redactor.errors import UsageError
from redactor.identity import DEFAULT_TITLES, IdentitySettings
from redactor.page import Kind


@dataclass(frozen=True)
class Profile:
    """`kinds`: classes to mask. `others`: also marks that are not known to be the applicant's.

    `titles`: surname with a title (张工) is sought, too. `faces`: bar over the eyes, or the face.
    `seals`: painted over, or their ink lifted off the paper where that can be proven. `padded`:
    masks of names are lengthened over blank paper, so that they do not tell how long a name is.
    """

    name: str
    kinds: frozenset[Kind]
    others: bool
    titles: bool
    faces: Literal["eyes", "full"] = "eyes"
    seals: Literal["solid", "lift"] = "solid"
    padded: bool = False

    @property
    def settings(self) -> str:
        """Everything that is set, the same in every process: a set's own repr is not."""
        return repr(replace(self, kinds=frozenset())) + "|" + ",".join(sorted(self.kinds))

    def identity_settings(self) -> IdentitySettings:
        """What of a roster row is looked for under this profile."""
        return IdentitySettings(
            kinds=self.kinds, titles=DEFAULT_TITLES if self.titles else (), romanised=True
        )


STRICT = Profile("strict", frozenset(Kind), others=True, titles=True)
"""Every class of DOMAIN.md section 2; the default, because leaking is the worse error."""
NOTICE = Profile(
    "notice",
    frozenset({Kind.NAME, Kind.UNIT, Kind.DOCUMENT_NUMBER, Kind.SEAL, Kind.SIGNATURE, Kind.EYES}),
    others=False,
    titles=False,
)
"""To the letter of the 2024 notice: own name, own units with seals and letterheads, eyes."""
PROFILES = {profile.name: profile for profile in (STRICT, NOTICE)}


def profile_named(name: str) -> Profile:
    """The shipped profile of that name; UsageError for any other."""
    if name not in PROFILES:
        raise UsageError(
            f"没有名为“{name}”的方案；可用的方案是 strict（全部遮盖）和 notice（按通知遮盖）。",
            f'There is no profile "{name}"; use strict (mask all) or notice (as the notice says).',
        )
    return PROFILES[name]

"""What the pages of a dossier showed that is sought by its looks on all of them."""

from __future__ import annotations

from dataclasses import dataclass

from redactor.finders.photo_twins import PhotoPrint
from redactor.finders.seal_twins import SealPrint


@dataclass(frozen=True, eq=False)
class Prints:
    """Looks of the seals and portraits that were found on one page, or on several."""

    seals: tuple[SealPrint, ...] = ()
    portraits: tuple[PhotoPrint, ...] = ()

    def __len__(self) -> int:
        return len(self.seals) + len(self.portraits)


NO_PRINTS = Prints()

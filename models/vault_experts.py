"""Tables of the committee: who sits on which seat, and how dossiers are given out.

Experts' names are confidential, so they stand in the vault alone; the review store knows seats.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import VaultBase


class Expert(VaultBase):
    """Who sits on a seat ("R01"). Lists are separated by ；: former units, specialties, relatives.

    `specialties` "": all of them. `capacity` None: no limit to the number of dossiers.
    """

    __tablename__ = "expert"
    __table_args__ = (CheckConstraint("capacity >= 0", name="capacity"),)

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True
    )
    seat: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(200), default="")
    former_units: Mapped[str] = mapped_column(Text, default="")
    specialties: Mapped[str] = mapped_column(Text, default="")
    relatives: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    capacity: Mapped[int | None]


class AssignmentRule(VaultBase):
    """How dossiers of a round are given out: to `reviews` experts each; the seed breaks ties."""

    __tablename__ = "assignment_rule"
    __table_args__ = (CheckConstraint("reviews >= 1", name="reviews"),)

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    reviews: Mapped[int]
    by_specialty: Mapped[bool] = mapped_column(default=True)
    seed: Mapped[int]

"""Table of the runners that are at work, each with the time at which it last said so."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import VaultBase


class RunnerBeat(VaultBase):
    """A sign of life. `name`: of the runner, its host and process id."""

    __tablename__ = "runner_beat"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[str] = mapped_column(String(40))

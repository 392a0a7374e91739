"""Tables of the office's people: accounts, signed-in devices, one-time links, what was done."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, VaultBase
from models.review import one_of

ROLES = ("admin", "clerk", "secretary")


class Account(VaultBase):
    """A person of the office. `password_hash`: argon2id, with its parameters."""

    __tablename__ = "account"
    __table_args__ = (one_of("role", ROLES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(50), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[str] = mapped_column(String(40))


class SignIn(VaultBase):
    """A signed-in device. Only the sha256 of its cookie is kept; deleting the row signs it out."""

    __tablename__ = "sign_in"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    device: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[str] = mapped_column(String(40))
    seen_at: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[str] = mapped_column(String(40))


class SetupLink(VaultBase):
    """The one-time link with which the first administrator chooses a password."""

    __tablename__ = "setup_link"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[str] = mapped_column(String(40))
    used_at: Mapped[str | None] = mapped_column(String(40))


class OfficeEvent(AppendOnly, VaultBase):
    """Who did what and when. `details`: JSON. `page_id`: set when it was done to a page."""

    __tablename__ = "office_event"
    __table_args__ = (Index("ix_office_event_round", "round_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(50))
    round_id: Mapped[int | None]
    page_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[str] = mapped_column(Text, default="{}")

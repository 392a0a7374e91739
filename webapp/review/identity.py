"""Holds PINs and passwords against cards before a request takes the store's write lock.

Their hashes are made to take a while, and everybody who writes would wait for it.
"""

from __future__ import annotations

from flask import current_app
from sqlalchemy.orm import Session

from models.base import looking
from models.seat_access import Member, Tried, key_of_member, key_of_number, try_secret


def tried(who: Member | str, secret: str) -> Tried:
    """A secret held against the card of a member or of a number. To be called before `review()`."""
    with Session(looking(current_app.extensions["review"])) as session:
        key = key_of_number(session, who) if isinstance(who, str) else key_of_member(session, who)
    return try_secret(key, secret)

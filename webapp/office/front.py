"""The first page after signing in: the rounds, and what waits in each."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy import select

from models.vault_accounts import ROLES
from models.vault_rounds import OfficeRound
from webapp.office.app import vault
from webapp.security import allow

pages = Blueprint("front", __name__)


@pages.route("/")
@allow(*ROLES)
def front_page() -> str:
    rounds = vault().scalars(select(OfficeRound).order_by(OfficeRound.id.desc()))
    return render_template("front.html", rounds=list(rounds))

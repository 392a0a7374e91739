"""The experts' own way into PostgreSQL: its rights are given anew after every migration."""

from __future__ import annotations

import sys

from sqlalchemy import make_url

from models.base import open_store
from models.errors import RuleError, Sentence
from models.review_grants import close_to_others, grant_experts
from webapp.settings import Settings

_OWNERS_RIGHTS = Sentence(
    "提示：未设置 MANGPING_EXPERTS_DATABASE，评委进程使用办公室的数据库角色。请见 "
    "docs/POSTGRESQL.md。",
    "Note: MANGPING_EXPERTS_DATABASE is not set, so the experts' process uses the office's "
    "database role. See docs/POSTGRESQL.md.",
)
_NO_OWN_ROLE = Sentence(
    "MANGPING_EXPERTS_DATABASE 应为 MANGPING_REVIEW_DATABASE 的同一 PostgreSQL 数据库，但用另一角色"
    "（用户名）。请改正，见 docs/POSTGRESQL.md。",
    "MANGPING_EXPERTS_DATABASE must be the PostgreSQL database of MANGPING_REVIEW_DATABASE with "
    "another role (user name). Correct it; see docs/POSTGRESQL.md.",
)


def give_experts_their_rights(settings: Settings) -> None:
    """Grants for the role of `experts_database`; RuleError when it must not serve the experts."""
    office = make_url(settings.review_url)
    is_postgresql = office.get_backend_name() == "postgresql"
    if not settings.experts_database:
        if is_postgresql:
            print(_OWNERS_RIGHTS, file=sys.stderr)
        return
    experts = make_url(settings.experts_database)
    role = experts.username
    same = (experts.drivername, experts.database) == (office.drivername, office.database)
    if not is_postgresql or not same or role is None or role == office.username:
        raise RuleError(_NO_OWN_ROLE)
    if make_url(settings.vault_url).get_backend_name() == "postgresql":
        vault = open_store(settings.vault_url)
        with vault.begin() as connection:
            close_to_others(connection)
        vault.dispose()
    review = open_store(settings.review_url)
    with review.begin() as connection:
        grant_experts(connection, role)
    review.dispose()

"""PostgreSQL that restarts or hands over: dead connections are not used, losses known as such.

A connection is looked at before it is used, without asking the server: a server that ends says so
or closes the socket, so bytes or an end that nobody asked for mean that it is dead. This costs a
look of the operating system, where a question (`pool_pre_ping`) would cost each save two round
trips. A machine that vanishes without a word is found by TCP within about half a minute.
"""

from __future__ import annotations

import select
from typing import Any

from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError

_TIMES = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds, the others seconds
}
"""libpq's settings for connections over a network; the URL may say otherwise."""
_AWAY = ("08", "57P", "53300")
"""SQLSTATEs of a broken connection, a server that ends or starts, and no connection left."""


def connection_times(url: str) -> dict[str, int]:
    """What a new connection to `url` is told about waiting; nothing to other databases."""
    known = make_url(url)
    if known.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in _TIMES.items() if name not in known.query}


def leave_dead_connections(engine: Engine) -> None:
    """Lets the pool of a PostgreSQL engine make a new connection in place of a dead one."""
    event.listen(engine, "checkout", _refuse_dead)


def store_is_away(error: BaseException | None) -> bool:
    """Whether PostgreSQL could not be reached or broke off; the same may work in a moment.

    Whether a commit was kept that broke off is not known then.
    """
    if not isinstance(error, DBAPIError):
        return False
    # SQLite's errors have no such attribute; None: libpq's own, the server said nothing.
    state = getattr(error.orig, "sqlstate", "none")
    broke = error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
    return (state is None and broke) or str(state).startswith(_AWAY)


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    if connection.closed or _has_input(connection.fileno()):
        raise DisconnectionError("the server has ended this connection")


def _has_input(number: int) -> bool:
    if not hasattr(select, "poll"):  # Windows; elsewhere `select` knows small numbers only
        return bool(select.select([number], [], [], 0)[0])
    look = select.poll()
    look.register(number, select.POLLIN)
    return bool(look.poll(0))

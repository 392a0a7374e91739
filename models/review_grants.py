"""What PostgreSQL lets the experts' process do: a role of its own with the least rights.

The owner of the review database makes and changes its tables (migrations) and gives these rights
anew after each. What is not listed is refused, so evidence is added to and never changed, votes go
in and are never read, and no row tells more than the pages show.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, text

from models.audit import AuditEvent, AuditHead
from models.base import ReviewBase
from models.errors import RuleError, Sentence
from models.review import Candidate, PolicySnapshot, Recusal, Reviewer, Round
from models.review_access import AccessEvent, SeatCard, SeatDevice
from models.review_ballots import Ballot, BallotItem, Receipt, Vote, VoterRoll
from models.review_pages import PageReport, PageSettlement, ReleasedPage
from models.review_sheets import DefenceScore, Sheet, SheetNote, SheetScore, SheetVersion

_READ = ("SELECT",)
_READ_AND_ADD = ("SELECT", "INSERT")
# PostgreSQL locks a row (FOR SHARE) only for roles that may change a column of it. Other rows refer
# to every round and ballot by this one, so that no round in use can be changed through it.
_READ_AND_LOCK = ("SELECT", "UPDATE (id)")

RIGHTS: dict[type[ReviewBase], tuple[str, ...]] = {
    Round: _READ_AND_LOCK,
    PolicySnapshot: _READ,
    Candidate: _READ,
    Reviewer: _READ,
    Recusal: _READ_AND_ADD,
    Sheet: ("SELECT", "UPDATE (state, version, reason)"),
    SheetVersion: _READ_AND_ADD,
    SheetScore: _READ_AND_ADD,
    SheetNote: _READ_AND_ADD,
    DefenceScore: _READ_AND_ADD,
    Ballot: _READ_AND_LOCK,
    BallotItem: _READ,
    VoterRoll: ("SELECT", "UPDATE (has_voted)"),
    Vote: ("INSERT",),
    Receipt: _READ_AND_ADD,
    AuditHead: ("SELECT", "UPDATE (number, hash)"),
    AuditEvent: _READ_AND_ADD,
    SeatCard: ("SELECT", "UPDATE (password_hash, failures, locked_until)"),
    SeatDevice: ("SELECT", "INSERT", "UPDATE (seen_at)", "DELETE"),
    AccessEvent: ("SELECT (id)", "INSERT"),
    ReleasedPage: ("SELECT", "UPDATE (frozen)"),
    PageReport: _READ_AND_ADD,
    PageSettlement: _READ,
}
"""The rights of the experts' role; none on every other table."""


def grant_experts(connection: Connection, role: str) -> None:
    """Gives `role` its rights on the review store, and takes all others; as the owner.

    In the caller's transaction, so that a running process never lacks them. RuleError with
    everything that is wrong with the role.
    """
    problems = unfit_for_experts(connection, role)
    if problems:
        raise RuleError(problems)
    quote = connection.dialect.identifier_preparer.quote
    who, database = quote(role), quote(_current_database(connection))
    for statement in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {who}",
        f"GRANT CONNECT ON DATABASE {database} TO {who}",
        f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {who}",
        f"GRANT USAGE ON SCHEMA public TO {who}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {who}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {who}",
        *(
            f"GRANT {', '.join(rights)} ON {quote(table.__tablename__)} TO {who}"
            for table, rights in RIGHTS.items()
        ),
        *(
            f"GRANT USAGE ON SEQUENCE {quote(f'{table.__tablename__}_id_seq')} TO {who}"
            for table, rights in RIGHTS.items()
            if "INSERT" in rights and _counts(table.__table__)
        ),
        # So that it can wait until the office has brought the tables up to date.
        f"GRANT SELECT ON alembic_version TO {who}",
    ):
        connection.exec_driver_sql(statement)


def close_to_others(connection: Connection) -> None:
    """Lets only the owner connect to this database; the vault's."""
    database = connection.dialect.identifier_preparer.quote(_current_database(connection))
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")


def _counts(table: object) -> bool:
    """Whether the table's ids are numbers that the database counts up."""
    return isinstance(table, Table) and table.autoincrement_column is not None


def _current_database(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT current_database()")))


def unfit_for_experts(connection: Connection, role: str) -> list[Sentence]:
    """Why a role must not serve the experts."""
    asked = {"role": role}
    found = connection.execute(
        text(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls "
            "FROM pg_roles WHERE rolname = :role"
        ),
        asked,
    ).scalar_one_or_none()
    if found is None:
        return [
            Sentence(
                f"PostgreSQL 中没有角色 {role}。请按 docs/POSTGRESQL.md 建立。",
                f"PostgreSQL has no role {role}. Make it as docs/POSTGRESQL.md says.",
            )
        ]
    problems = []
    if found:
        problems.append(
            Sentence(
                f"角色 {role} 有管理权限。请为评委另建一个普通角色。",
                f"The role {role} has administrator's rights. Make a plain role for the experts.",
            )
        )
    groups = connection.scalars(
        text(
            "SELECT g.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
            "JOIN pg_roles g ON g.oid = m.roleid WHERE r.rolname = :role ORDER BY 1"
        ),
        asked,
    ).all()
    if groups:
        named = ", ".join(groups)
        problems.append(
            Sentence(
                f"角色 {role} 属于 {named}，会继承其权限。请执行：REVOKE {named} FROM {role}",
                f"The role {role} is a member of {named} and has its rights. Run: "
                f"REVOKE {named} FROM {role}",
            )
        )
    owns = connection.scalar(
        text(
            "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid "
            "WHERE d.deptype = 'o' AND r.rolname = :role"
        ),
        asked,
    )
    if owns:
        problems.append(
            Sentence(
                f"角色 {role} 拥有数据库对象。数据库和表应归办公室的角色所有。",
                f"The role {role} owns databases or tables. They belong to the office's role.",
            )
        )
    others = connection.scalars(
        text(
            "SELECT datname FROM pg_database WHERE datallowconn AND datname <> current_database() "
            "AND has_database_privilege(:role, oid, 'CONNECT') ORDER BY 1"
        ),
        asked,
    ).all()
    problems += [
        Sentence(
            f"角色 {role} 能连接数据库 {name}。请由管理员执行："
            f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, {role}",
            f"The role {role} may connect to the database {name}. An administrator runs: "
            f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, {role}",
        )
        for name in others
        if not found
    ]
    return problems

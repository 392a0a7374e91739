"""Receipts of ballots, and ballots on paper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_receipt_ballot_id")),
        sa.PrimaryKeyConstraint("ballot_id", "code", name=op.f("pk_receipt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paper_entry",
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.CheckConstraint("papers >= 0", name=op.f("ck_paper_entry_papers")),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_paper_entry_ballot_id")
        ),
        sa.PrimaryKeyConstraint("ballot_id", "number", name=op.f("pk_paper_entry")),
    )
    op.create_table(
        "paper_count",
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("yes", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("abstain", sa.Integer(), nullable=False),
        sa.Column("spoiled", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "yes >= 0 AND no >= 0 AND abstain >= 0 AND spoiled >= 0",
            name=op.f("ck_paper_count_votes"),
        ),
        sa.ForeignKeyConstraint(
            ["ballot_id", "code"],
            ["ballot_item.ballot_id", "ballot_item.code"],
            name=op.f("fk_paper_count_ballot_id_code"),
        ),
        sa.ForeignKeyConstraint(
            ["ballot_id", "number"],
            ["paper_entry.ballot_id", "paper_entry.number"],
            name=op.f("fk_paper_count_ballot_id_number"),
        ),
        sa.PrimaryKeyConstraint("ballot_id", "number", "code", name=op.f("pk_paper_count")),
    )
    # SQLite makes the table anew, and must not give it a row number in passing.
    with op.batch_alter_table("voter_roll", table_kwargs={"sqlite_with_rowid": False}) as roll:
        roll.add_column(
            sa.Column("means", sa.String(length=10), server_default="tablet", nullable=False)
        )
        roll.create_check_constraint(op.f("ck_voter_roll_means"), "means IN ('tablet', 'paper')")
        roll.create_check_constraint(
            op.f("ck_voter_roll_paper"), "means = 'tablet' OR NOT has_voted"
        )


def downgrade() -> None:
    with op.batch_alter_table("voter_roll", table_kwargs={"sqlite_with_rowid": False}) as roll:
        roll.drop_constraint(op.f("ck_voter_roll_paper"), type_="check")
        roll.drop_constraint(op.f("ck_voter_roll_means"), type_="check")
        roll.drop_column("means")
    op.drop_table("paper_count")
    op.drop_table("paper_entry")
    op.drop_table("receipt")

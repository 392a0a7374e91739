"""Ballots, rulings, tallies and the audit chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_event")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "ballot",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_ballot_state")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_ballot_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
    )
    op.create_table(
        "tally",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("confirmed_by", sa.String(length=100), nullable=True),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_tally_round_id")),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_tally")),
    )
    op.create_table(
        "ballot_item",
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("recused", sa.Integer(), nullable=False),
        sa.Column("yes", sa.Integer(), nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("abstain", sa.Integer(), nullable=True),
        sa.Column("spoiled", sa.Integer(), nullable=True),
        sa.CheckConstraint("recused >= 0", name=op.f("ck_ballot_item_recused")),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_item_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_ballot_item_round_id_code"),
        ),
        sa.PrimaryKeyConstraint("ballot_id", "code", name=op.f("pk_ballot_item")),
    )
    op.create_table(
        "ruling",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=50), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "code"],
            ["candidate.round_id", "candidate.code"],
            name=op.f("fk_ruling_round_id_code"),
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_ruling_round_id")),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_ruling")),
    )
    op.create_table(
        "voter_roll",
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("reviewer", sa.String(length=20), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("has_voted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_voter_roll_ballot_id")),
        sa.ForeignKeyConstraint(
            ["round_id", "reviewer"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_voter_roll_round_id_reviewer"),
        ),
        sa.PrimaryKeyConstraint("ballot_id", "reviewer", name=op.f("pk_voter_roll")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vote",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ballot_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("choice", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "choice IN ('yes', 'no', 'abstain', 'spoiled')", name=op.f("ck_vote_choice")
        ),
        sa.ForeignKeyConstraint(
            ["ballot_id", "code"],
            ["ballot_item.ballot_id", "ballot_item.code"],
            name=op.f("fk_vote_ballot_id_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("vote")
    op.drop_table("voter_roll")
    op.drop_table("ruling")
    op.drop_table("ballot_item")
    op.drop_table("tally")
    op.drop_table("ballot")
    op.drop_table("audit_head")
    op.drop_table("audit_event")

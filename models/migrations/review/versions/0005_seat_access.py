"""Cards of the seats, signed-in tablets, and what happened at the experts' door."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seat_card",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.String(length=40), nullable=False),
        sa.Column("issued_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "seat"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_seat_card_round_id_seat"),
        ),
        sa.PrimaryKeyConstraint("round_id", "seat", name=op.f("pk_seat_card")),
        sa.UniqueConstraint("number", name=op.f("uq_seat_card_number")),
    )
    op.create_table(
        "seat_device",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "seat"],
            ["reviewer.round_id", "reviewer.seat"],
            name=op.f("fk_seat_device_round_id_seat"),
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_seat_device")),
    )
    op.create_index("ix_seat_device_seat", "seat_device", ["round_id", "seat"])
    op.create_table(
        "access_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_event")),
    )
    op.create_index("ix_access_event_round_id", "access_event", ["round_id"])


def downgrade() -> None:
    op.drop_index("ix_access_event_round_id", "access_event")
    op.drop_table("access_event")
    op.drop_index("ix_seat_device_seat", "seat_device")
    op.drop_table("seat_device")
    op.drop_table("seat_card")

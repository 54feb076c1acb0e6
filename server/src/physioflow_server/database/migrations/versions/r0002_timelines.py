"""Timelines, collected tombstones, and what revoked laptops hand in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "epochs",
        sa.Column("clinic_id", sa.String(36), sa.ForeignKey("clinics.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.String(36), nullable=False),
        sa.Column("forked_at", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("clinic_id", "epoch"),
    )
    # The timeline that a clinic is on is the first that is known of.
    op.execute(
        "INSERT INTO epochs (clinic_id, number, epoch, forked_at, began_at) "
        "SELECT id, 1, epoch, 0, created_at FROM clinics"
    )
    op.create_table(
        "buried",
        sa.Column("clinic_id", sa.String(36), sa.ForeignKey("clinics.id"), primary_key=True),
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "quarantine",
        sa.Column("clinic_id", sa.String(36), sa.ForeignKey("clinics.id"), primary_key=True),
        sa.Column("device_id", sa.String(64), primary_key=True),
        sa.Column("op_id", sa.String(36), primary_key=True),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "user_id"], ["users.clinic_id", "users.id"]),
        sa.ForeignKeyConstraint(["clinic_id", "device_id"], ["devices.clinic_id", "devices.id"]),
    )

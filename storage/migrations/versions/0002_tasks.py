"""Tasks that wait for a part, and what the administrator has said about a part. Only adds."""

import sqlalchemy as sa
from alembic import op

from storage.types import Instant

revision = "0002"
down_revision = "0001"

PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("seq", PLACE, nullable=False),
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=9), nullable=False),
        sa.Column("event", PLACE, nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("actor_name", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_task")),
        sa.UniqueConstraint("code", name=op.f("uq_task_code")),
    )
    op.create_index(
        "ix_task_live",
        "task",
        ["part", "seq"],
        unique=False,
        sqlite_where=sa.text("status IN ('waiting', 'aside')"),
        postgresql_where=sa.text("status IN ('waiting', 'aside')"),
    )
    op.create_table(
        "part",
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_part")),
    )
    layout = op.create_table(
        "layout",
        sa.Column("oldest", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("oldest", name=op.f("pk_layout")),
    )
    op.bulk_insert(layout, [{"oldest": "0001"}])

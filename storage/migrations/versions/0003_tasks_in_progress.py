"""Tasks that are in progress are live too: their index is made anew to hold them. Nothing else changes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LIVE = sa.text("status IN ('waiting', 'in-progress', 'aside')")


def upgrade() -> None:
    op.drop_index("ix_task_live", "task")
    op.create_index("ix_task_live", "task", ["part", "seq"], sqlite_where=LIVE, postgresql_where=LIVE)

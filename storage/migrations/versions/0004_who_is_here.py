"""The index on names goes: no question was ever answered by it, for people are looked for in any case.

It cost every new recipient a page of the disk. The version before does without it as well.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_recipient_name", "recipient")

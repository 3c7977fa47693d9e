"""No question was ever answered by the index on names: people are looked for by the beginning of a name in any
case. It cost every new recipient a page of the disk. Versions before work without it as well."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_recipient_name", "recipient")

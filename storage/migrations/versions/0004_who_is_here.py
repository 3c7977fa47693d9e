"""Whoever comes on another day than booked is found by when they came, and by when they were given the dose.

The index on names goes: no question was ever answered by it, for people are looked for in any case, and it
cost every new recipient a page of the disk. The version before does without it as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CAME = sa.text("checked_in_at IS NOT NULL")
GIVEN = sa.text("kind IN ('given')")


def upgrade() -> None:
    op.drop_index("ix_recipient_name", "recipient")
    op.create_index(
        "ix_injection_came", "injection", ["checked_in_at"], sqlite_where=CAME, postgresql_where=CAME
    )
    op.create_index("ix_ledger_given", "ledger", ["at"], sqlite_where=GIVEN, postgresql_where=GIVEN)

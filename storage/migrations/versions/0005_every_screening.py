"""Every screening of a visit is kept, with the reason of one that overrules another. Only adds.

The version before goes on writing the last one where it always was, and leaves the others alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("injection", sa.Column("screenings", sa.Text(), server_default="[]", nullable=False))

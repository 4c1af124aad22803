"""What admins were told of troubles, so that a restart or another process does not tell it again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; nothing was told yet."""
    op.create_table(
        "troubles",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )

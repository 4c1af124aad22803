"""The five requests a second that all processes may send to the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no place is taken yet."""
    op.create_table(
        "feed_requests",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("until", sa.Float(), nullable=False),
    )

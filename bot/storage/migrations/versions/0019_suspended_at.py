"""What /stop removed, and since when chats are suspended."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. For chats that are suspended already, the time counts from the first hour of this version."""
    op.add_column("chats", sa.Column("unfollowed", sa.Text(), nullable=False, server_default=""))
    op.add_column("chats", sa.Column("suspended_at", sa.Float(), nullable=True))

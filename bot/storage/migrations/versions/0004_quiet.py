"""Quiet hours of a chat, and what it has seen of an alert, revision by revision."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; nobody has quiet hours yet."""
    op.add_column("chats", sa.Column("quiet", sa.String(), nullable=False, server_default=""))
    op.add_column("entries", sa.Column("history", sa.Text(), nullable=False, server_default=""))

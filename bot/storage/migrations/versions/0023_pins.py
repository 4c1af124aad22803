"""Whether a chat's match cards are pinned."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Until now every card was pinned where the chat allowed it."""
    op.add_column("chats", sa.Column("pins", sa.Boolean(), nullable=False, server_default=sa.true()))

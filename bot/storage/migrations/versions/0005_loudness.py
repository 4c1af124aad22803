"""How loud a chat hears each kind, and whether it waits for confirmation."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; everything sounds as it did, and nobody waits."""
    op.add_column("chats", sa.Column("ring", sa.Text(), nullable=False, server_default=""))
    op.add_column("chats", sa.Column("silent", sa.Text(), nullable=False, server_default=""))
    op.add_column("chats", sa.Column("waits", sa.Boolean(), nullable=False, server_default=sa.false()))

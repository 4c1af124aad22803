"""The public name of a channel, and the channel that an administrator is setting up in his private chat."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Nobody is setting up a channel, and the name is learnt when it is next set up."""
    op.add_column("chats", sa.Column("username", sa.String(), nullable=False, server_default=""))
    op.add_column("chats", sa.Column("channel", sa.BigInteger(), nullable=True))
    op.add_column("chats", sa.Column("channel_until", sa.Float(), nullable=True))

"""The matches of which so much came that a chat was offered to mute some of it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. Nothing was offered before."""
    op.add_column("chats", sa.Column("mute_offers", sa.Text(), nullable=False, server_default=""))

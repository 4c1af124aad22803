"""Match cards and pictures: which chats ask for some, whether a message is pinned, and how often it was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; no chat has asked for any."""
    op.add_column("chats", sa.Column("extras", sa.Boolean(), nullable=False, server_default=sa.false()))
    asking = {"sqlite_where": sa.text("extras = 1"), "postgresql_where": sa.text("extras")}
    op.create_index("chats_with_extras", "chats", ["chat_id", "topic"], **asking)
    op.add_column("entries", sa.Column("pin", sa.String(), nullable=False, server_default=""))
    op.add_column("entries", sa.Column("sent", sa.Integer(), nullable=False, server_default="0"))

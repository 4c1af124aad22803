"""When Telegram is asked for suspended chats again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Chats that are suspended already are added when it is read."""
    op.create_table(
        "suspensions",
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
    )
    op.create_index("suspensions_by_time", "suspensions", ["next_at"])

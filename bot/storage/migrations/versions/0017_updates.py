"""Which updates of Telegram are being handled, and which were, by all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing is being handled."""
    op.create_table(
        "updates",
        sa.Column("update_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("other_chat", sa.BigInteger()),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("at", sa.Float(), nullable=False),
    )
    op.create_index("updates_by_chat", "updates", ["chat_id"])
    op.create_index("updates_by_age", "updates", ["at"])

"""Which groups became supergroups, and their new ids: a configuration goes on naming the old ones."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Moves from before are learnt again when Telegram refuses the next message to the old id."""
    op.create_table(
        "moved_chats",
        sa.Column("old_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("new_id", sa.BigInteger(), nullable=False),
    )

"""Whether a chat's language was chosen, or learnt from who speaks there."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; none was chosen before."""
    op.add_column("chats", sa.Column("language_chosen", sa.Boolean(), nullable=False, server_default=sa.false()))

"""Whether people of a group may ask to be mentioned, and who has."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Nobody has asked yet."""
    op.add_column("chats", sa.Column("mentions", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("chats", sa.Column("mentioned", sa.Text(), nullable=False, server_default=""))

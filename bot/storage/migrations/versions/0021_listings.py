"""How chats know each fixture, so that what changes while Touchline is down is told too."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. How a fixture was listed before is not known, so the first listing tells nothing."""
    op.add_column("standings", sa.Column("listing", sa.Text(), nullable=False, server_default=""))
    op.add_column("standings", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))

"""Whether what waits for a chat makes a sound: it leaves before what does not."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark. What waits already keeps its place among silent news."""
    op.add_column("entries", sa.Column("next_rings", sa.Boolean(), nullable=False, server_default=sa.false()))

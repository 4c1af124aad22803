"""What copies of a message show whose answers were lost."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of messages from before, no copy is known."""
    op.add_column("entries", sa.Column("copies", sa.Text(), nullable=False, server_default=""))

"""What a message is about, to notice a revision that is about something else."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. Of messages that were sent before, only the severity is known."""
    op.add_column("entries", sa.Column("subject", sa.Text(), nullable=False, server_default=""))

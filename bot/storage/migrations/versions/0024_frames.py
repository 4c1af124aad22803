"""The frames that brought alerts, for the console."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Frames of alerts before were not kept."""
    op.create_table(
        "frames",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("action_id", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_index("frames_by_age", "frames", ["received_at"])

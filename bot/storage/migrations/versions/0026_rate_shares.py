"""Which part of the messages a second each process may send."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rate_shares",
        sa.Column("process", sa.String(), primary_key=True),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("is_sender", sa.Boolean(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
    )

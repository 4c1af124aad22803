"""How many messages were paid for on a day, and which part of those that are free each process may send."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and the columns of the shares."""
    op.create_table(
        "paid_messages",
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("spent_limit", sa.Integer(), nullable=True),
    )
    op.add_column("rate_shares", sa.Column("unpaid_share", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rate_shares", sa.Column("unpaid_wanted", sa.Integer(), nullable=False, server_default="0"))

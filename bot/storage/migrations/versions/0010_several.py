"""Several processes: leases, whose chats are whose, and the one allowance."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; nobody holds anything yet."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False, server_default=""),
    )
    op.create_index("leases_by_holder", "leases", ["holder"])
    op.create_table(
        "claims",
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("sender", sa.String(), nullable=False),
    )
    op.create_index("claims_by_sender", "claims", ["sender"])
    op.create_table(
        "allowance",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("closed_until", sa.Float(), nullable=False),
    )

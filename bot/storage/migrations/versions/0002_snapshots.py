"""How each match stood when its feed was last read, and how each fixture was last listed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what survives a restart; positions without a snapshot were never used."""
    op.drop_table("positions")
    op.create_table(
        "positions",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "standings",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("collection_status", sa.String(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )

"""How matches stand, for summaries that are sent or corrected later."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. The state of a match in play is stored at its next change."""
    op.create_table(
        "match_states",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_index("match_states_by_age", "match_states", ["updated_at"])

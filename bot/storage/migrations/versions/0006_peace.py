"""Peace and tastes: mutes of single matches, buttons, spoilers, grouped bursts, and what each subscription wants for itself."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; everything comes as it did, with a button below."""
    op.add_column("chats", sa.Column("muted_matches", sa.Text(), nullable=False, server_default=""))
    op.add_column("chats", sa.Column("buttons", sa.Boolean(), nullable=False, server_default=sa.true()))
    for name in ("spoilers", "bursts", "scorers", "tasted"):
        op.add_column("chats", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("chats", sa.Column("burst_at", sa.Float(), nullable=True))
    op.add_column("subscriptions", sa.Column("taste", sa.Text(), nullable=False, server_default=""))
    muting = sa.text("muted_matches != ''")
    op.create_index("chats_muting", "chats", ["chat_id"], sqlite_where=muting, postgresql_where=muting)
    op.create_table(
        "grouped",
        sa.Column("burst", sa.String(), primary_key=True),
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("action_id", sa.String(), primary_key=True),
    )
    op.create_index("grouped_by_action", "grouped", ["fixture_id", "action_id"])

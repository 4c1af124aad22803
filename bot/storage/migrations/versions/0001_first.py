"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "alerts",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("action_id", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("born", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False, server_default=""),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False, server_default=""),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("spreading", sa.Boolean(), nullable=False),
        sa.Column("first_chat", sa.BigInteger(), nullable=True),
        sa.Column("first_topic", sa.BigInteger(), nullable=True),
        sa.Column("first_done", sa.Boolean(), nullable=False),
        sa.Column("told_chat", sa.BigInteger(), nullable=True),
        sa.Column("told_topic", sa.BigInteger(), nullable=True),
        sa.Column("told_done", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_index("alerts_by_age", "alerts", ["updated_at"])
    op.create_index("alerts_spreading", "alerts", ["spreading"])
    op.create_table(
        "chats",
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("topic", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("suspended_why", sa.String(), nullable=False, server_default=""),
        sa.Column("all_kinds", sa.Boolean(), nullable=False),
        sa.Column("kinds_on", sa.Text(), nullable=False),
        sa.Column("kinds_off", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("delay", sa.Integer(), nullable=False),
        sa.Column("muted_until", sa.Float(), nullable=True),
        sa.Column("fixed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("action_id", sa.String(), primary_key=True),
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("topic", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rings", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("gravity", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("restored", sa.Boolean(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("reply_rings", sa.Boolean(), nullable=False),
    )
    op.create_index("entries_by_chat", "entries", ["chat_id", "topic"])
    op.create_index("entries_waiting", "entries", ["status", "due_at"])
    op.create_table(
        "positions",
        sa.Column("fixture_id", sa.String(), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "subscriptions",
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("topic", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("scope", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
    )
    op.create_index("subscriptions_by_key", "subscriptions", ["scope", "key", "chat_id", "topic"])

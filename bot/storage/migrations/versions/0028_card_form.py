"""What a chat's match cards are: text, picture or rich message."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Until now every card was text."""
    op.add_column("chats", sa.Column("card_form", sa.Text(), nullable=False, server_default="text"))

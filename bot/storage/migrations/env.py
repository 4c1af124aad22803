"""Alembic's entry: the connection is given by bot.storage.migrate, and all steps are one transaction."""

from alembic import context

from bot.storage.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with connection.begin():
    context.run_migrations()

"""SQLite and PostgreSQL: drivers, tables, migrations and repositories. Start at `database.Database`."""

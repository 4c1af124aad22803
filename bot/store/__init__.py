"""The database: one narrow repository a noun."""

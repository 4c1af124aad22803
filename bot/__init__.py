"""Touchline, a Telegram bot for live football: everything that waits, connects, stores or sends. Start at `app`."""

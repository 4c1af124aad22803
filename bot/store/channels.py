"""What processes on one database tell each other: the names of the notifications."""

from __future__ import annotations

NEWS = "touchline_news"
"""Alerts were put."""
CHATS = "touchline_chats"
"""Somebody follows something else, or chats were suspended, resumed or moved."""
RULES = "touchline_rules"
"""Other rules are in effect."""
LEASES = "touchline_leases"
"""A lease became free."""
ENTRIES = "touchline_entries"
"""Something waits for the chats of the sender that is named."""

"""How fast messages may leave: Telegram's limits, each process's share of them, paid messages, and a pause when all fails."""

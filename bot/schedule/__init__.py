"""Which fixtures to follow, and when."""

"""A real match in a minute, in a terminal."""

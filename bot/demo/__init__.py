"""A match in a minute, from the simulator to a chat drawn in the terminal. Start at `play.play_demo`."""

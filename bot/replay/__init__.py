"""Runs recordings through the real line: `replay`, comparison of rules, and the dry run. Start at `replay.replay_recording`."""

"""Replays recordings: `replay`, the comparison of rules, and the dry run. Start at `replay.replay_match`."""

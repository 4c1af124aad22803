"""Matches as values: packets, actions, scores, periods, and how one packet changes a match. Start at `advance.advance`."""

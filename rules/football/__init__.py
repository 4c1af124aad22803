"""Matches as values: packets, actions, scores and periods, and how one packet changes a match.

Start at `advance.advance`, which makes a `match.Moment` of a `match.Match` and a packet.
"""

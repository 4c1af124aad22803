"""Rules at work: which fire for a moment of a match, and the alerts that they make. Start at `evaluate.evaluate`."""

"""Pictures of a match for the chat: score, scorers, cards and substitutions along a time line."""

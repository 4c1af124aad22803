"""Finds what can be followed by what a person types: beginnings, nicknames, initials, and names with a typing mistake."""

"""Reads what people type: whole sentences without a slash, durations, hours and days, places and time zones, in six languages."""

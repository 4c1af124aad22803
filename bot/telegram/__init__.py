"""Delivery: the courier, Telegram's limits and its answers."""

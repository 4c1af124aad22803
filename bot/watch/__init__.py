"""Touchline seen from outside: health, metrics, and what its admins are told."""

"""The rooms of a running Touchline: what every process has, and what each role adds to it."""

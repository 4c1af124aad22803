"""What Touchline knows of football and of rules. Pure and synchronous; never imports `bot`."""

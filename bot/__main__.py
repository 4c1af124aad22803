"""`python -m bot` is `touchline`."""

from bot.cli import main

main()

"""The languages that the bot speaks, and its words in them."""

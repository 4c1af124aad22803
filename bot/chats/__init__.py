"""What people say to the bot, and who may say it."""

"""From a delivery to a Telegram message, within Telegram's limits. Start at `sender.Sender`."""

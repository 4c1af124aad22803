"""The durable buffer between matches and Telegram: who gets which news, and what became of it. Start at `outbox.Outbox`."""

"""What people write and press in Telegram, and what they are answered. Start at `handlers.Handlers`; each feature is a module.

`features` has one module for each thing that a chat can do."""

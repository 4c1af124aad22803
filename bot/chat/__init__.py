"""Answers what people write and press in Telegram.

Follow a command from `handlers.Handlers.on_command` over `routing.Router` to its feature, whose functions are pure: they take a
`dialogue.ChatContext` and return a `dialogue.DialogueResult`. `services.ChatServices` loads the one and applies the other.
`application.FEATURES` lists every feature."""

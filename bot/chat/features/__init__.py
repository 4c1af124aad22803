"""One module for each thing that a chat can do: its commands, buttons, texts and dialogue, with one FEATURE at its end.

A new feature is a new module here and one line in `bot.chat.application.FEATURES`. Start with `mute`, a usual one."""

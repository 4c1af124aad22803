"""One module for each thing that a chat can do: its command, buttons, texts and dialogue, registered in one table."""

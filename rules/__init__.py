"""Football: what happened, what it means, and which words tell it. Pure and synchronous; never imports `bot`."""

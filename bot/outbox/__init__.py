"""The only buffer and the only durable place: what is to be told to whom, and what was."""

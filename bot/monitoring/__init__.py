"""Health, metrics, incidents, and the messages to the admins about them. Start at `monitor.Monitor`."""

"""Health, metrics, incidents and what the admins are told of them. Start at `monitor.Monitor`."""

"""Several processes on one database: leases on matches and roles, claims on chats. Start at `lease_manager.LeaseManager`."""

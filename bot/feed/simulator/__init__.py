"""The vendor's side of the feed on loopback: plays recordings and scenarios, with seeded faults. Start at `server.Simulator`."""

"""The vendor's side: frames, connections, REST, recordings and a simulator of it all."""

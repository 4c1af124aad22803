"""The world: everything that waits, connects, stores or sends."""

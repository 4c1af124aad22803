"""One process from start to stop: wires the packages together and runs the roles. Start at `application.run_until_stopped`."""

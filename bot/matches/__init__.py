"""From a fixture to alerts in the outbox: schedules, follows and evaluates matches. Start at `pipeline.Pipeline`."""

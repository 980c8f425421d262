"""A running session: feed, engine, alerts and snapshots together, as the monitor is handed it."""

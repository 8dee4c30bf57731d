"""A replicated key-value store in a channel: its messages are the log, and everybody replays them to the same state."""

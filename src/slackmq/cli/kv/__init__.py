"""`slackmq kv`: the key-value store of a channel from a shell, one file a subcommand."""

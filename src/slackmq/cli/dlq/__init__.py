"""`slackmq dlq`: dead letters, one file a subcommand."""

"""Everything that speaks to Slack, and the only room that does."""

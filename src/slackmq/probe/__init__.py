"""What the queue takes for granted about Slack, tried out on a channel of one's own."""

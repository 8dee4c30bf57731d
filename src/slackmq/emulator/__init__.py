"""A Slack workspace on this machine. It knows Slack, knows nothing of queues, and imports none of our rooms."""

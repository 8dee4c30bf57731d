"""Slack is the broker: a job queue and highly available bots in a Slack channel."""

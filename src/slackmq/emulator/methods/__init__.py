"""Slack's methods as pure functions of the workspace, one file a family."""

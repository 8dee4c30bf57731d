"""Replicas of a slack-machine bot, of which one handles each post, and a storage backend that they share."""

from slackmq.integrations.slack_machine.replicas import exactly_one
from slackmq.integrations.slack_machine.storage import SlackMQStorage

__all__ = ["SlackMQStorage", "exactly_one"]

"""Slack's mark-up back to what a person typed, and plain text to mark-up."""

from __future__ import annotations

import re

from slackmq.message import Mrkdwn

__all__ = ["escape", "mention", "plain", "shown"]

# Slack stores "<", ">" and "&" of a text as entities, so a bare "<…>" is always its own mark-up:
# docs.slack.dev/messaging/formatting-message-text. "@", "#" and "!" open mentions, which stay as they are.
_LINK = re.compile(r"<(?![@#!])(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")
_USER = re.compile(r"[UW][A-Z0-9]{6,}")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_CHARACTER = {"amp": "&", "lt": "<", "gt": ">"}


def plain(text: str) -> str:
    """The text as it was typed: entities and links undone, mentions ("<@U…>", "<#C…>", "<!here>") left alone.

    A link becomes its label, or its target if it has none, without the "mailto:" or "tel:" that Slack put before it.
    """
    return _ENTITY.sub(lambda found: _CHARACTER[found[1]], _LINK.sub(_typed, text))


def escape(text: str) -> str:
    """The text as mark-up that Slack shows character by character, without links or mentions by accident."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(who: str) -> str:
    """A user id as mark-up that shows the person's name; "" if it is none."""
    return f"<@{who}>" if _USER.fullmatch(who) else ""


def shown(text: str) -> str:
    """The text as mark-up: a `Mrkdwn` as it is, any other escaped."""
    return str(text) if isinstance(text, Mrkdwn) else escape(text)


def _typed(found: re.Match[str]) -> str:
    return found["label"] or re.sub(r"^(?:mailto|tel):", "", found["target"])

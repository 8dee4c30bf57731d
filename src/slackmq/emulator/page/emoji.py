"""Emoji by Slack's short names, as the page shows them; what has no character is shown as :name:."""

from __future__ import annotations

from slackmq.emulator.emoji import standard

__all__ = ["QUICK", "character"]

QUICK = ("+1", "white_check_mark", "x", "eyes", "tada", "heart", "thinking_face", "raised_hands")
"""The ones offered at a click."""


def character(name: str) -> str:
    """Show an emoji by its short name, skin tone dropped; an unknown one stays as :name:."""
    return standard().get(name.partition("::")[0], f":{name}:")

"""Emoji by Slack's short names, as the page shows them; what has no character is shown as :name:."""

from __future__ import annotations

from slackmq.emulator.emoji import standard

__all__ = ["COMMON", "QUICK", "character"]

QUICK = ("+1", "white_check_mark", "x", "eyes", "tada", "heart", "thinking_face", "raised_hands")
"""The ones offered at a click."""

_NAMES = (
    "joy smile wink thinking_face sob rage sunglasses sleeping "
    "+1 -1 clap wave pray muscle ok_hand point_up "
    "white_check_mark x warning question exclamation hourglass lock key "
    "tada rocket fire sparkles bulb eyes heart star "
    "bug wrench hammer package memo calendar bell zap "
    "coffee pizza cat dog seedling sunny rainbow house"
)


def character(name: str) -> str:
    """Show an emoji by its short name, skin tone dropped; an unknown one stays as :name:."""
    return standard().get(name.partition("::")[0], f":{name}:")


COMMON = tuple((name, character(name)) for name in _NAMES.split() if name in standard())
"""The ones in the picker, each with its character."""

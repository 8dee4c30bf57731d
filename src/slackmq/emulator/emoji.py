"""The standard emoji by the short names that Slack knows, each with the character it stands for."""

from __future__ import annotations

import re
from pkgutil import get_data
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_emoji", "standard"]

_SKIN_TONE = re.compile(r"::skin-tone-[2-6]$")
# Read together with the code, so that no call ever waits for the disk.
_TABLE = (get_data("slackmq.emulator", "emoji.txt") or b"").decode()
_STANDARD = dict(line.split(" ", 1) for line in _TABLE.splitlines())


def standard() -> Mapping[str, str]:
    """Short name without colons -> character.

    The names are those of Slack's own open emoji table (github.com/iamcal/emoji-data, MIT).
    """
    return _STANDARD


def is_emoji(name: str) -> bool:
    """True if a reaction may bear this name: a standard emoji, perhaps with a skin tone ("+1::skin-tone-3")."""
    return name in _STANDARD or _SKIN_TONE.sub("", name) in _STANDARD

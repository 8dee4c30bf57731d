"""The standard emoji by the short names that Slack knows, each with the character it stands for."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_emoji", "standard"]

_SKIN_TONE = re.compile(r"::skin-tone-[2-6]$")


@cache
def standard() -> Mapping[str, str]:
    """Short name without colons -> character. Read from `emoji.txt` beside this file, once.

    The names are those of Slack's own open emoji table (github.com/iamcal/emoji-data, MIT).
    """
    lines = files("slackmq.emulator").joinpath("emoji.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def is_emoji(name: str) -> bool:
    """True if a reaction may bear this name: a standard emoji, perhaps with a skin tone ("+1::skin-tone-3")."""
    return name in standard() or _SKIN_TONE.sub("", name) in standard()

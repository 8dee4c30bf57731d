"""Moments in an app's own words, as "{date_long} at {time}", in the time of the machine that draws them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["dated"]

_TOKEN = re.compile(r"\{([a-z_]+)\}")
_FORMS = {
    "date": "%B {0.day}, %Y",
    "date_num": "%Y-%m-%d",
    "date_long": "%A, %B {0.day}, %Y",
    "date_short": "%b {0.day}, %Y",
    "date_pretty": "%B {0.day}, %Y",
    "date_long_pretty": "%A, %B {0.day}, %Y",
    "date_short_pretty": "%b {0.day}, %Y",
    "date_slash": "%m/%d/%Y",
    "day_divider_pretty": "%A, %B {0.day}",
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
    "ago": "%B {0.day}, %Y, %H:%M",
}
"""Slack's words (docs.slack.dev, "Formatting message text", date formatting) -> how they are drawn here."""


def dated(timestamp: object, form: str, fallback: str) -> str:
    """Write a moment.

    Args:
        timestamp: seconds since 1970.
        form: words with tokens in braces; unknown ones stay.
        fallback: what to write if the timestamp is none.
    """
    try:
        moment = datetime.fromtimestamp(int(str(timestamp)), tz=UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return fallback

    def written(found: re.Match[str]) -> str:
        known = _FORMS.get(found[1])
        return moment.strftime(known.format(moment)) if known else found[0]

    return _TOKEN.sub(written, form)

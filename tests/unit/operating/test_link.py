"""How people name a message."""

from __future__ import annotations

import pytest

from slackmq.errors import ConfigurationError
from slackmq.operating.link import Place, place_of


@pytest.mark.parametrize(
    ("named", "channel", "place"),
    [
        ("1700000000.123456", "#jobs", Place(channel="#jobs", ts="1700000000.123456")),
        ("https://x.slack.com/archives/C123/p1700000000123456", None, Place(channel="C123", ts="1700000000.123456")),
        (
            "https://x.slack.com/archives/C123/p1700000009000000?thread_ts=1700000000.123456&cid=C123",
            None,
            Place(channel="C123", ts="1700000000.123456"),
        ),
    ],
)
def test_a_link_or_a_timestamp_names_a_message(named: str, channel: str | None, place: Place) -> None:
    assert place_of(named, channel) == place


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("1700000000.123456", "--channel"),
        ("#jobs", "Copy link"),
        ("https://x.slack.com/archives/C123", "Copy link"),
        ("file:///archives/C123/p1700000000123456", "Copy link"),
        ("", "Copy link"),
    ],
)
def test_what_names_no_message_is_refused_with_what_to_give(named: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        place_of(named)
    assert says in refused.value.remedy

"""A replica in Node beside two in Python: each post is handled by one of the three."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.judge import needs, running

from .test_bolt import replicas

if TYPE_CHECKING:
    from .conftest import Troupe

pytestmark = needs("node")


def test_a_replica_in_node_shares_the_posts_with_two_in_python(troupe: Troupe) -> None:
    replicas(troupe, 2)
    app = troupe.slack.app
    facts = {"base_url": troupe.slack.url, "bot_token": app.bot_token, "app_token": app.app_token}
    with running("node", "replica.js", **facts) as node:
        assert node.says(within=120) == {"listening": True}
        troupe.until(lambda: len(troupe.slack.connections()) == 3)
        posts = [troupe.say(f"toggle {number}") for number in range(12)]
        troupe.until(lambda: all("white_check_mark" in troupe.marks(ts) for ts in posts), within=120)
    answers = [row["text"] for ts in posts for row in troupe.slack.messages("#jobs", thread=ts)[1:]]
    assert len(answers) == 12
    assert set(answers) == {"switched", "toggled by node"}
    assert answers.count("switched") == len(troupe.ran)
    assert all(troupe.marks(ts) == {"clock1", "white_check_mark"} for ts in posts)

"""Replicas of bots of several frameworks, what befalls them, and the verdict on their answers."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import slackmq
from slackmq.errors import ConfigurationError
from slackmq.testing import QUICK, NotStarted
from slackmq.testing.answers import Posted, Said, answer_of, tally

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from slackmq.testing import Replicas, TestApp, Workspace

BOLT = """
import os
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

app = App(client=WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACKMQ_URL"]))

@app.message("toggle")
def toggle(message, say):
    if "slow" in message["text"]:
        __import__("threading").Event().wait(3)
    say(text="done", **({} if "aloud" in message["text"] else {"thread_ts": message["ts"]}))

SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()
"""


async def own() -> None:
    """A bot of this library: the first attempt at something slow never ends."""
    app = slackmq.App("#jobs", timing=QUICK)

    @app.listen(r"toggle(?P<what>.*)")
    def toggle(what: str, job: slackmq.Job) -> str:
        if "slow" in what and job.attempt == 1:
            threading.Event().wait(60)
        return f"toggled{what}"

    async with app:
        await app.worker().run()


def silent() -> None:
    print(f"{os.environ['SLACKMQ_URL']} is of no interest", flush=True)  # noqa: T201  # the test reads it
    sys.exit(3)


@pytest.fixture
def bolt(tmp_path: Path) -> list[str]:
    path = tmp_path / "bot.py"
    path.write_text(BOLT, encoding="utf-8")
    return [sys.executable, str(path)]


def test_a_post_that_a_killed_replica_had_in_hand_is_answered_by_another(replicas: Replicas) -> None:
    with replicas(3, own) as fleet:
        dead = fleet.kill_one(holding=fleet.post("toggle slow", says="toggled slow"))
        for number in range(4):  # a replica that is killed between an answer and its mark would leave two
            fleet.post(f"toggle {number}", says=f"toggled {number}")
        assert not dead.alive
        assert sum(replica.alive for replica in fleet.replicas) == 2
        found = fleet.expect_one_answer_each(within=60)
        assert (found.posts, found.lost, found.repeated) == (5, 0, 0)


def test_a_frozen_replica_is_overtaken_and_says_nothing_when_it_goes_on(replicas: Replicas) -> None:
    with replicas(2, own) as fleet:
        frozen = fleet.freeze_one(holding=fleet.post("toggle slow"))
        fleet.expect_one_answer_each(within=60)
        frozen.thaw()
        assert frozen.alive
        fleet.post("toggle again")
        fleet.expect_one_answer_each()


def test_a_replica_without_network_is_overtaken_and_comes_back(replicas: Replicas) -> None:
    with replicas(2, own) as fleet:
        alone = fleet.unplug_one(holding=fleet.post("toggle slow"))
        fleet.expect_one_answer_each(within=60)
        assert alone.alive
        fleet.restart(within=60)
        assert fleet.cut() > 0
        fleet.post("toggle again")
        fleet.expect_one_answer_each()


def test_lost_events_and_answers_lose_no_post(replicas: Replicas) -> None:
    with replicas(2, own) as fleet:
        fleet.slack.arm(event_loss=0.5, lost_answer=0.2, methods=["reactions.add"], seed=3)
        for number in range(6):
            fleet.post(f"toggle {number}", says=f"toggled {number}")
        fleet.expect_one_answer_each(within=60)
        assert fleet.slack.suffered


def test_a_killed_fleet_works_on_what_was_posted_meanwhile_when_it_is_restarted(replicas: Replicas) -> None:
    with replicas(2, own) as fleet:
        fleet.kill_one()
        fleet.kill_one()
        with pytest.raises(NotStarted, match="No replica is alive"):
            fleet.kill_one()
        fleet.post("toggle one")
        fleet.restart()
        fleet.expect_one_answer_each()


def test_an_unprotected_bot_whose_replica_is_killed_with_a_post_in_hand_is_caught(
    replicas: Replicas, bolt: list[str]
) -> None:
    with replicas(2, bolt) as fleet:
        fleet.kill_one(told_of=fleet.post("toggle slow"))
        with pytest.raises(AssertionError, match=r"1 posts, 1 without an answer(.|\n)*no answer: toggle slow"):
            fleet.expect_one_answer_each(within=4)


@pytest.mark.slack_workspace(apps=["left", "right"])
@pytest.mark.parametrize("text", ["toggle", "toggle aloud"])
def test_two_apps_that_both_answer_are_caught(
    replicas: Replicas, bolt: list[str], slack_workspace: Workspace, text: str
) -> None:
    with replicas(2, bolt, apps=slack_workspace.apps) as fleet:
        fleet.post(text)
        with pytest.raises(AssertionError, match="1 answers too many"):
            fleet.expect_one_answer_each()
        fleet.expect_one_answer_each(repeats=1)


def test_a_bot_that_does_not_start_is_told_with_what_it_printed(replicas: Replicas) -> None:
    def told(app: TestApp) -> Mapping[str, str]:
        return {"SLACKMQ_URL": f"{app.url}?own"}

    with pytest.raises(NotStarted, match=r"has ended: http://127.0.0.1:\d+/api/\?own is of no interest"):
        enter(replicas, told)


def enter(replicas: Replicas, told: object) -> None:
    with replicas(1, silent, env=told):  # type: ignore[arg-type]
        pass


def test_a_bot_that_says_when_it_listens_is_waited_for(replicas: Replicas, bolt: list[str]) -> None:
    with pytest.raises(NotStarted, match="did not connect"), replicas(1, bolt, ready="never printed", within=5):
        pass
    with replicas(1, bolt, ready="Bolt app is running") as fleet:
        assert "Bolt app is running" in fleet.replicas[0].log


def test_what_another_process_cannot_find_is_refused(replicas: Replicas) -> None:
    with pytest.raises(ConfigurationError, match="cannot be called in another process"), replicas(1, lambda: None):
        pass
    with pytest.raises(ConfigurationError, match="names no app"), replicas(1, "home"):
        pass


def test_an_app_named_by_module_and_name_is_worked_by_the_command(replicas: Replicas, tmp_path: Path) -> None:
    (tmp_path / "small_home.py").write_text(
        'import slackmq\napp = slackmq.App("#jobs")\n@app.listen("ping")\ndef ping() -> str:\n    return "pong"\n',
        encoding="utf-8",
    )
    with replicas(2, "small_home:app", cwd=tmp_path) as fleet:
        fleet.post("ping", says="pong")
        fleet.expect_one_answer_each()
        assert fleet.replicas[0].stop() == 0
        fleet.post("ping", says="pong")
        fleet.expect_one_answer_each()


def told_by(bot: str, **event: object) -> Said | None:
    return answer_of({"type": "message", "channel": "C1", "user": bot, "ts": "2.0", **event}, channel="C1", bots={"U1"})


def test_a_note_is_no_answer_and_neither_are_people_edits_and_other_channels() -> None:
    def note(kind: str) -> dict[str, object]:
        return {"event_type": "slackmq_note", "event_payload": {"note": kind}}

    assert told_by("U1", text="hi", thread_ts="1.0") == Said(thread="1.0", text="hi")
    assert told_by("U1", text="hi", metadata=note("answer")) == Said(thread="", text="hi")
    assert told_by("U1", metadata=note("attempt")) is None
    assert told_by("U2") is None
    assert told_by("U1", subtype="message_changed") is None
    assert told_by("U1", channel="C2") is None


def test_answers_in_the_channel_count_for_posts_that_have_none_in_their_thread() -> None:
    posts = [Posted(ts=f"{number}.0", text="hello") for number in (1, 2, 3)]
    in_thread, aloud = Said(thread="1.0", text="hi"), Said(thread="", text="hi")
    found = tally(posts, [in_thread, aloud])
    assert (found.lost, found.repeated) == (1, 0)
    assert found.lines == ("no answer: 1 of these: hello", "no answer: 1 of these: hello")
    assert tally(posts, [in_thread, aloud, aloud]).lines == ()
    assert tally(posts, [in_thread, in_thread, aloud, aloud, aloud]).repeated == 2


def test_an_answer_counts_only_for_the_post_that_it_is_said_to_be_of() -> None:
    posts = [Posted(ts="1.0", text="a", says="A"), Posted(ts="2.0", text="b", says="B")]
    found = tally(posts, [Said(thread="", text="A"), Said(thread="", text="A")])
    assert (found.lost, found.repeated) == (1, 1)

"""The bot of `slackmq demo retrofit`, as it was and with one line more, and the two acts in which it is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from textwrap import indent
from typing import TYPE_CHECKING

from slackmq.cli import house

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ACTS", "BEGUN", "LISTENER", "READY", "TIMING", "Act", "Run", "answer_to", "bot", "order", "runs"]

_HEAD = """import os, time

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

app = App(client=WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACKMQ_URL"]))
"""
"""As Bolt's own documentation begins; the base URL alone is there for a Slack of this machine."""
_LISTENER = """
@app.message("deploy ")
def deploy(message, say):
    what = message["text"].removeprefix("deploy ")
    print("deploying", what, flush=True)
    time.sleep(2)
    say(text=f"{what} is out", thread_ts=message["ts"])
"""
LISTENER = indent(_LISTENER.strip(), "    ")
"""What the bot does, to be shown."""
TIMING = replace(house.TIMING, quiet=timedelta(seconds=2))
"""Shorter than as shipped, so that a takeover can be watched; with four replicas each reads the channel every 8 s."""
_IMPORTS = "from slackmq.integrations.bolt import exactly_one\nfrom slackmq.cli.retrofit import TIMING\n"
_START = '\nSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()\n'
BEGUN = "deploying "
"""What the bot prints when it begins, for whoever wants to kill it in the middle."""
READY = "Bolt app is running"
"""What Bolt prints when it listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A way to run one bot twice, and what is wrong with it.

    Attributes:
        name: how the tally calls it.
        about: what is done, in a sentence.
        apps: how many apps there are; the two processes take turns in being them.
        line: what is added.
        kills: whether one process is killed while it is at work.
        meanwhile: why it takes its time with the line.
    """

    name: str
    about: str
    apps: int
    line: str
    kills: bool
    meanwhile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An act, with the line or without it.

    Attributes:
        act: the act.
        line: whether the line is there.
        channel: where it happens, with "#".
        apps: names of the apps as which its processes run.
    """

    act: Act
    line: bool
    channel: str
    apps: tuple[str, ...]

    @property
    def added(self) -> str:
        """The line, whether it is there or not."""
        return self.act.line.format(channel=self.channel)


ACTS: Sequence[Act] = (
    Act(
        name="two apps, both hear everything",
        about="The bot is installed twice, as two apps, so that one may fail. Slack tells both of each message, "
        "and both answer.",
        apps=2,
        line='exactly_one(app, "{channel}", claim="pin", timing=TIMING)',
        kills=False,
        meanwhile="both reach for each message; a pin, which both see, says whose it is (Slack allows 20 a minute)",
    ),
    Act(
        name="one app, one of two processes killed",
        about="The bot is one app in two processes. Slack tells one of them of each message, it acknowledges at once, "
        "and is killed at work (kill -9). Slack believes that all is well.",
        apps=1,
        line='exactly_one(app, "{channel}", timing=TIMING)',
        kills=True,
        meanwhile="the other process reads what was left, waits until its claims have lapsed "
        f"({TIMING.lease.total_seconds():g} s here, 60 s as shipped), and takes over",
    ),
)


def runs() -> list[Run]:
    """All runs in their order; no two share a channel or an app, so that nothing of one is seen in another."""
    found: list[Run] = []
    for act in ACTS:
        for line in (False, True):
            number = sum(len(run.apps) for run in found)
            apps = tuple(f"deployer-{number + each}" for each in range(1, act.apps + 1))
            name = "killed" if act.kills else "twice"
            found.append(Run(act=act, line=line, channel=f"#{name}-{'after' if line else 'before'}", apps=apps))
    return found


def bot(run: Run) -> str:
    """The program of a run."""
    line = f"{_IMPORTS}\n{run.added}\n" if run.line else ""
    return f"{_HEAD}{_LISTENER}{line}{_START}"


def order(number: int) -> str:
    """What people write."""
    return f"deploy service-{number}"


def answer_to(text: str) -> str:
    """What the bot answers to it."""
    return f"{text.removeprefix('deploy ')} is out"

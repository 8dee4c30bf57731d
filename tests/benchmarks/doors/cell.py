"""Cell: four replicas of one door's bot, of one app or of four, at rest beside the unguarded bot, and in a storm."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.doors.door import ANSWER, Form
from tests.benchmarks.doors.verdict import claim_calls, effects_in, ends_of, judged, writes_on
from tests.benchmarks.latency import Latency
from tests.clients.manifests import BOT_EVENTS, BOT_SCOPES, chatbot

from slackmq.claiming.marks import Marks
from slackmq.testing import Replicas, workspace
from slackmq.testing.answers import answer_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Generator

    from tests.benchmarks.doors.door import Door
    from tests.benchmarks.doors.verdict import Verdict

    from slackmq.emulator.server import Done
    from slackmq.testing import Fleet, TestApp, Workspace

__all__ = ["REPLICAS", "Calm", "Cell"]

REPLICAS = 4
MISFORTUNES = ("raise", "kill", "hang", "raise", "late", "stop", "raise", "broken")
"""In turn: fail once, die at work, work longer than a lease, die after the effect, stand still, fail always."""
_LEASES = {"auto": 4.0, "pin": 12.0}
"""Seconds, by way to claim. Four apps that take turns at a pin need longer until a takeover is agreed on."""
_STANDSTILL = 1.5
"""Leases for which a process is stopped."""
_PACES = {"auto": 0.1, "pin": 0.2}
"""Seconds from one post of the storm to the next: most of the time most replicas are to be at work."""
_REST = 0.05
"""Seconds from one end to the next post at rest."""
_LOOK = 0.05
"""Seconds between two looks."""
_WARM = 8
"""Messages to either bot that do not count: they load what is loaded at a first message."""
_MEETING = 2.0
"""Seconds after each of these in which bots of several apps get to know each other, by whose pin it bears."""
_STARTING = 120.0
_SETTLING = 240.0
"""Seconds after the last post in which everything must have ended."""
_QUIET = 3.0
"""Seconds after that in which nothing more must happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """What a message costs where nothing goes wrong.

    Attributes:
        bare: from post to answer, of the unguarded bot.
        ours: of the guarded one.
        claims: calls for claims a message.
        writes: calls of the guarded bot about a message, by method.
        bare_answers: answers of the unguarded bot to a message.
    """

    bare: Latency
    ours: Latency
    claims: float
    writes: Counter[str]
    bare_answers: float


class Cell:
    """One door, one or four apps.

    Args:
        door: which framework's bot.
        apps: how many apps the replicas belong to; several claim by pins.
        messages: how many in the storm.
        laps: how many at rest, to either bot.
    """

    def __init__(self, door: Door, apps: int, *, messages: int, laps: int) -> None:
        self._door = door
        self._apps = apps
        self._messages = messages
        self._laps = laps
        self._way = "auto" if apps == 1 else "pin"
        self.lease = _LEASES[self._way]

    def calm(self) -> Calm:
        """Post to either bot in turn, one message at a time."""
        with ExitStack() as stack:
            slack = stack.enter_context(workspace(channels=("general", "jobs", "bare"), apps=()))
            fleets = [stack.enter_context(self._fleet(slack, guarded=guarded, lease=None)) for guarded in (False, True)]
            watches = [stack.enter_context(_Watch(fleet).listening()) for fleet in fleets]
            for lap in range(-_WARM, self._laps):
                for watch in watches:
                    watch.lap(f"toggle calm{lap + _WARM} light", counts=lap >= 0)
                threading.Event().wait(_MEETING if lap < 0 and self._apps > 1 else _REST)
            bare, ours = watches
            calls = slack.calls()
            return Calm(
                bare=Latency.of(bare.samples),
                ours=Latency.of(ours.samples),
                claims=claim_calls(calls, ours.posts) / self._laps,
                writes=writes_on(calls, ours.posts),
                bare_answers=bare.answers / (self._laps + _WARM),
            )

    def storm(self) -> Verdict:
        """Post while handlers fail, hang, and are killed; judge what is left."""
        with ExitStack() as stack:
            slack = stack.enter_context(workspace(channels=("general", "jobs"), apps=()))
            fleet = stack.enter_context(self._fleet(slack, guarded=True, lease=self.lease))
            keeper = _Keeper(fleet, self.effects, self.lease)
            posts: dict[str, str] = {}
            for text in texts(self._messages):
                posts[text] = fleet.post(text)
                keeper.keep(_PACES[self._way])
            keeper.keep(_SETTLING, until=lambda: keeper.over(posts))
            keeper.keep(_QUIET)
            return judged(
                posts,
                effects_in(self.effects),
                ends=ends_of(slack.messages("#jobs")),
                answered=[ts for ts in posts.values() if _answers(slack, ts)],
                calls=slack.calls(),
                lease=self.lease,
            )

    @contextmanager
    def _fleet(self, slack: Workspace, *, guarded: bool, lease: float | None) -> Generator[Fleet]:
        channel = "#jobs" if guarded else "#bare"
        apps = [_app(slack, f"{channel[1:]}{number}", channel) for number in range(1, self._apps + 1)]
        with tempfile.TemporaryDirectory(prefix="slackmq-doors-") as name:
            folder = Path(name)
            self.effects = folder / "effects"
            form = Form(guarded=guarded, way=self._way, lease=lease, admin=slack.person().id)
            bot = self._door.write(form, folder)
            environment = {"EFFECTS": str(self.effects), "LEASE": str(self.lease)}
            with Replicas(slack)(
                REPLICAS,
                bot.command,
                channel=channel,
                apps=apps,
                env=environment,
                cwd=folder,
                ready=bot.ready,
                within=_STARTING,
            ) as fleet:
                yield fleet


def texts(messages: int) -> list[str]:
    """What is posted: every sixth message meets a misfortune, of few messages every third."""
    every = 6 if messages >= 6 * len(MISFORTUNES) else 3
    kinds = [
        MISFORTUNES[number // every % len(MISFORTUNES)] if number % every == every - 1 else "calm"
        for number in range(messages)
    ]
    return [f"toggle {kind}{number} light" for number, kind in enumerate(kinds)]


def _app(slack: Workspace, name: str, channel: str) -> TestApp:
    manifest = chatbot(BOT_SCOPES, BOT_EVENTS)
    manifest["display_information"]["name"] = manifest["features"]["bot_user"]["display_name"] = name
    return slack.install(manifest, channels=[channel])


def _answers(slack: Workspace, ts: str) -> int:
    return sum(ANSWER in row["text"] for row in slack.messages("#jobs", thread=ts)[1:])


class _Watch:
    """Measures from a post to its first answer, and waits until all is quiet again."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._guarded = fleet.channel == "#jobs"
        self._channel = fleet.slack.channel(fleet.channel)
        self._answered = threading.Event()
        self._marked = threading.Event()
        self._stopped = 0.0
        self.samples: list[float] = []
        self.posts: set[str] = set()
        self.answers = 0

    @contextmanager
    def listening(self) -> Generator[_Watch]:
        """Hear what bots do while inside."""
        slack = self._fleet.slack
        slack.run(slack.house.server.listen, self._heard)
        try:
            yield self
        finally:
            slack.run(slack.house.server.ignore, self._heard)

    def _heard(self, done: Done) -> None:
        bots = {replica.app.bot_user for replica in self._fleet.replicas}
        for event in done.outcome.events:
            answer = answer_of(event.inner, channel=self._channel, bots=bots)
            if answer is not None and ANSWER in answer.text:
                self.answers += 1
                if not self._answered.is_set():
                    self._stopped = time.perf_counter()
                    self._answered.set()
        if done.method == "reactions.add" and done.args.get("name") == Marks().done:
            self._marked.set()

    def lap(self, text: str, *, counts: bool) -> None:
        """One message."""
        self._answered.clear()
        self._marked.clear()
        begun = time.perf_counter()
        ts = self._fleet.post(text)
        assert self._answered.wait(30), f"{text} has no answer in {self._fleet.channel}"
        if counts:
            self.samples.append(self._stopped - begun)
            self.posts.add(ts)
        if self._guarded:
            assert self._marked.wait(30), f"{text} is not marked done"


class _Keeper:
    """Starts replicas again that died, and lets those go on that stand still."""

    def __init__(self, fleet: Fleet, effects: Path, lease: float) -> None:
        self._fleet = fleet
        self._effects = effects
        self._standstill = lease * _STANDSTILL
        self._stopped: dict[int, float] = {}
        self._seen = 0

    def keep(self, seconds: float, *, until: Callable[[], bool] = bool) -> None:
        """Do so for a while, or until something is so."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline and not until():
            self._look()
            threading.Event().wait(_LOOK)

    def over(self, posts: dict[str, str]) -> bool:
        """Whether every message has ended, and nobody stands still."""
        return not self._stopped and len(ends_of(self._fleet.slack.messages("#jobs"))) >= len(posts)

    def _look(self) -> None:
        lines: list[dict[str, Any]] = effects_in(self._effects)
        now = time.perf_counter()
        self._stopped |= {line["by"]: now for line in lines[self._seen :] if line["what"] == "stopped"}
        self._seen = len(lines)
        for replica in self._fleet.replicas:
            if not replica.alive:
                self._stopped.pop(replica.pid, None)
                replica.start()
            elif now - self._stopped.get(replica.pid, now) > self._standstill:
                del self._stopped[replica.pid]
                os.kill(replica.pid, signal.SIGCONT)

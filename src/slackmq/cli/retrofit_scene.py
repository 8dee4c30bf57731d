"""What happens in `slackmq demo retrofit`: an ordinary Bolt bot in two processes, as it was and with one line more."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import cycle
from typing import TYPE_CHECKING, Any

from slackmq.cli.ls import printable
from slackmq.cli.retrofit import ACTS, BEGUN, LISTENER, READY, answer_to, bot, order, runs
from slackmq.cli.retrofit_tally import Outcome, sentences, wrong
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.slack.refusals import refusal
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from slackmq.cli.children import Child, Children
    from slackmq.cli.neighbour import Neighbour
    from slackmq.cli.retrofit import Run

__all__ = ["APPS", "RetrofitScene", "need_bolt"]

APPS = tuple(app for run in runs() for app in run.apps)
_MESSAGES = 6
_PROCESSES = 2
_AT_WORK = 2
"""So many messages a process has begun when it is killed."""
_LOOK = 0.1
_QUIET = 3.0
"""Seconds without a further answer after which none will follow."""
_PATIENCE = {False: 8.0, True: 60.0}
"""Seconds without an answer after which nobody waits any longer, without the line and with it: it needs a claim to
lapse before somebody else takes over."""
_LINE = 160


def need_bolt() -> None:
    """See that the bot of this demo can run.

    Raises:
        ConfigurationError: Bolt is not installed.
    """
    if find_spec("slack_bolt") is None:
        raise ConfigurationError(
            "This demo's bot is written with Bolt for Python, which is not installed here.",
            remedy="Install it: pip install 'slackmq[bolt]'; in a clone: make demo ARGS=retrofit.",
        )


@dataclass(slots=True, kw_only=True)
class RetrofitScene:
    """A run of the demo in progress.

    Attributes:
        workspace: where it happens.
        children: the processes.
        folder: where the bots' programs are written.
        outcomes: what became of the runs so far.
        faults: what did not come out.
    """

    workspace: Neighbour
    children: Children
    folder: Path
    outcomes: list[Outcome] = field(default_factory=list["Outcome"])
    faults: list[str] = field(default_factory=lambda: ["it did not come to its end in time"])
    _bots: list[Child] = field(default_factory=list["Child"])
    _begun: float = field(default_factory=SYSTEM.monotonic)

    async def play(self) -> None:
        """The whole of it."""
        self._say(f"An ordinary bot, written with Bolt:\n\n{LISTENER}")
        for run in runs():
            if not run.line:
                self._say(f"Act {ACTS.index(run.act) + 1}. {run.act.about}")
            else:
                self._say(f"The same bot with one line at its end, and its imports:\n\n    {run.added}\n")
            self.outcomes.append(await self._run(run))
        self.faults = wrong(self.outcomes)

    def verdict(self) -> list[str]:
        """The tally, in words."""
        return sentences(self.outcomes, self.faults)

    async def obey(self) -> None:
        """Offer the processes on the page to be killed, and kill those that somebody chose there; never ends."""
        while True:
            running = {child.name: child for child in self._bots if child.running}
            for name in await self.workspace.killed(sorted(running)):
                running[name].kill()
            await SYSTEM.sleep(_LOOK)

    async def _run(self, run: Run) -> Outcome:
        channel = await self._furnish(run)
        for child in self._bots:  # those of the last run stay, for whoever holds the page open and types
            child.kill()
        self._bots = await self._start(run)
        person = self.workspace.users[0].token
        posts: dict[str, str] = {}
        for number in range(1, _MESSAGES + 1):
            text = order(number)
            posts[(await self._call(person, "chat.postMessage", {"channel": channel, "text": text}))["ts"]] = text
        self._tell(f"people write {_MESSAGES} messages in {run.channel}: {order(1)} … {order(_MESSAGES)}")
        killed = run.act.kills and await self._kill()
        if run.line:
            self._tell(run.act.meanwhile)
        answers = await self._answers(run, channel, posts)
        outcome = Outcome(run=run, answers=[answers[ts] for ts in posts], killed=killed)
        self._tell(f"{len(posts)} messages, {sum(outcome.answers)} answers: {outcome.words}")
        return outcome

    async def _furnish(self, run: Run) -> str:
        """A channel of its own for the run, with its bots in it."""
        made = await self._call(self.workspace.users[0].token, "conversations.create", {"name": run.channel[1:]})
        channel = str(made["channel"]["id"])
        for name in run.apps:
            await self._call(self.workspace.app(name).bot_token, "conversations.join", {"channel": channel})
        return channel

    async def _start(self, run: Run) -> list[Child]:
        """Start the processes, and wait until they listen."""
        program = self.folder / f"{run.channel[1:]}.py"
        program.write_text(bot(run), encoding="utf-8")
        started: list[Child] = []
        for number, name in zip(range(1, _PROCESSES + 1), cycle(run.apps), strict=False):
            app = self.workspace.app(name)
            env = {
                "SLACKMQ_URL": self.workspace.base_url,
                "SLACK_BOT_TOKEN": app.bot_token,
                "SLACK_APP_TOKEN": app.app_token,
                "PYTHONUNBUFFERED": "1",
            }
            started.append(self.children.start(f"{run.channel[1:]}-{number}", [], env, program=program))
        while not all(READY in child.output() for child in started):
            for child in started:
                if not child.running:
                    raise ConfigurationError(f"A bot did not start: {child.last_words()}")
            await SYSTEM.sleep(_LOOK)
        self._tell(f"{_PROCESSES} processes listen, as {' and '.join(run.apps)}")
        return started

    async def _kill(self) -> bool:
        """Kill the process that comes to work first; False if none does."""
        deadline = SYSTEM.monotonic() + _PATIENCE[True]
        while SYSTEM.monotonic() < deadline:
            for child in self._bots:
                if child.output().count(BEGUN) >= _AT_WORK:
                    child.kill()
                    begun = child.output().count(BEGUN)
                    self._tell(f"KILLED    {child.name} (kill -9): it had acknowledged and begun {begun} of them")
                    return True
            await SYSTEM.sleep(_LOOK / 2)
        return False

    async def _answers(self, run: Run, channel: str, posts: Mapping[str, str]) -> Counter[str]:
        """Wait until no further answer will come; returns how many there are to each message."""
        bots = {self.workspace.app(name).bot_user_id for name in run.apps}
        seen: Counter[str] = Counter()
        since = SYSTEM.monotonic()
        while True:
            found = _counted(await self.workspace.record(), channel, bots, posts)
            now = SYSTEM.monotonic()
            if found != seen:
                seen, since = found, now
            if now - since > (_QUIET if all(seen[ts] for ts in posts) else _PATIENCE[run.line]):
                return seen
            await SYSTEM.sleep(_LOOK)

    async def _call(self, token: str, method: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        wire = SdkWire(token=token, url=self.workspace.base_url)
        try:
            reply = await wire.call(method, args)
        finally:
            await wire.aclose()
        if not reply.body.get("ok"):
            raise refusal(method, reply.body)
        return reply.body

    def _tell(self, line: str) -> None:
        self._say(f"{SYSTEM.monotonic() - self._begun:6.1f} s  {printable(line, _LINE)}", before="")

    def _say(self, text: str, *, before: str = "\n") -> None:
        sys.stdout.write(f"{before}{text}\n")
        sys.stdout.flush()


def _counted(
    calls: Sequence[Mapping[str, Any]], channel: str, bots: set[str], posts: Mapping[str, str]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for call in calls:
        args: Mapping[str, Any] = call["args"]
        thread = str(args.get("thread_ts"))
        said = call["method"] == "chat.postMessage" and call["ok"] and args.get("channel") == channel
        if said and call["user"] in bots and thread in posts and args.get("text") == answer_to(posts[thread]):
            found[thread] += 1
    return found

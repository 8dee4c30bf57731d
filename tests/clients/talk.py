"""A person who types to a bot until it answers, and sees what it says."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any, Self

from slack_sdk import WebClient
from slack_sdk.rtm_v2 import RTMClient

if TYPE_CHECKING:
    import subprocess

    from slackmq.emulator.launch import About


class Talk:
    """What the first person types and hears, while inside `with`.

    Args:
        about: where the workspace is.
        bot: the program that shall answer.
        by: user id of the bot.
        channel: where.

    Attributes:
        newest: ts of the bot's newest message.
    """

    def __init__(self, about: About, *, bot: subprocess.Popen[str], by: str, channel: str = "jobs") -> None:
        self.newest = ""
        self._bot = bot
        self._by = by
        self._channel = next(each.id for each in about.channels if each.name == channel)
        self._seen: queue.Queue[dict[str, Any]] = queue.Queue()
        self._person: Any = WebClient(about.users[0].token, base_url=about.base_url)
        self._watcher: Any = RTMClient(token=about.users[0].token, base_url=about.base_url)
        self._watcher.message_listeners.append(lambda _, event: self._seen.put(event))

    def __enter__(self) -> Self:
        self._watcher.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._watcher.close()

    def types(self, text: str, *answers: str) -> None:
        """Type a message, again every second until the bot says something, and wait until it has said all these.

        Bots say to nobody that they are ready, so what they say twice is no fault of theirs.
        """
        wanted = set(answers)
        while wanted == set(answers):
            self._person.chat_postMessage(channel=self._channel, text=text)
            wanted.discard(self._heard(1.0))
            assert self._bot.poll() is None, "the bot has ended"
        self.hears(*wanted)

    def hears(self, *answers: str) -> None:
        """Wait until the bot has said all these, ten seconds at most for each."""
        wanted, said = set(answers), [""]
        while wanted:
            said.append(self._heard(10.0))
            assert said[-1], f"still to be said: {wanted}; was said: {said}"
            wanted.discard(said[-1])

    def _heard(self, within: float) -> str:
        """The next message or emoji of the bot, "" if there was none within so many seconds."""
        while True:
            try:
                event = self._seen.get(timeout=within)
            except queue.Empty:
                return ""
            if event.get("user") == self._by and event.get("type") in {"message", "reaction_added"}:
                self.newest = str(event["ts"]) if event["type"] == "message" else self.newest
                return str(event.get("text", event.get("reaction")))

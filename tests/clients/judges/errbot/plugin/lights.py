"""A plugin of errbot as its docs write one."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import TYPE_CHECKING

from errbot import BotPlugin, botcmd, re_botcmd
from errbot.backends.base import REACTION_ADDED

if TYPE_CHECKING:
    import re

    from errbot.backends.base import Identifier, Message, Reaction


def tell(**said: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"tell: {json.dumps(said)}\n")  # in one piece: errbot has several threads
    sys.stdout.flush()


class Lights(BotPlugin):
    """Lights."""

    def callback_connect(self) -> None:
        """It is connected and has read which rooms there are."""
        tell(rooms=sorted(room.name for room in self.rooms()))

    @re_botcmd(pattern=r"^toggle (\w+) light", prefixed=False)
    def toggle(self, msg: Message, match: re.Match[str]) -> str:
        """Answer in the thread, and react."""
        self._bot.add_reaction(msg, "white_check_mark")
        tell(sender=msg.frm.fullname, room=msg.to.name, domain=msg.frm.domain)
        return f"{match[1]} toggled"

    @botcmd
    def who(self, msg: Message, args: str) -> str:
        """Answer a command with the prefix."""
        tell(asked=args, direct=msg.is_direct)
        return "**lights**"

    @botcmd
    def card(self, msg: Message, args: str) -> None:
        """Send a card and a file."""
        self.send_card(to=msg.frm, title="Lights", body=args, fields=(("hall", "on"),))
        self.send_stream_request(msg.frm, BytesIO(b"hall,on\n"), name="lights.csv")

    def callback_mention(self, msg: Message, people: list[Identifier]) -> None:
        """Tell who is named."""
        tell(mentioned=[str(each) for each in people], text=msg.body)

    def callback_reaction(self, reaction: Reaction) -> None:
        """Tell of a reaction."""
        if reaction.action == REACTION_ADDED:
            tell(reaction=reaction.reaction_name, by=reaction.reactor.fullname)

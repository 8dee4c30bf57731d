"""A bot of slack-machine as its docs write one. It has no setting for Slack's address: the default is replaced here."""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from machine import Machine, core
from machine.plugins.base import MachineBasePlugin
from machine.plugins.decorators import action, command, listen_to, modal, modal_closed, process, respond_to
from machine.utils.collections import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from machine.plugins.block_action import BlockAction
    from machine.plugins.command import Command
    from machine.plugins.message import Message
    from machine.plugins.modals import ModalClosure, ModalSubmission

FACTS = json.loads(sys.argv[1])


def tell(**said: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"tell: {json.dumps(said)}\n")
    sys.stdout.flush()


def plain(text: str) -> dict[str, str]:
    """A text of Block Kit."""
    return {"type": "plain_text", "text": text}


FIELD = {"type": "plain_text_input", "action_id": "name"}
BRIGHTNESS = {"type": "number_input", "action_id": "much", "is_decimal_allowed": False, "initial_value": "7"}
DAY = {"type": "datepicker", "action_id": "day"}
BOXES = {"type": "checkboxes", "action_id": "boxes", "options": [{"text": plain("Hall"), "value": "hall"}]}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Lights"),
    "submit": plain("Set"),
    "close": plain("Never mind"),
    "notify_on_close": True,
    "blocks": [
        {"type": "input", "block_id": name, "label": plain(name), "element": element, "optional": True}
        for name, element in {"name": FIELD, "much": BRIGHTNESS, "day": DAY, "boxes": BOXES}.items()
    ],
}
GO = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "42"}


class Lights(MachineBasePlugin):
    """Lights."""

    async def init(self) -> None:
        """Tell what was read at the start; all of it went through the models."""
        tell(
            users={user.name: user.profile.real_name for user in self.users.values()},
            channels=sorted(channel.identifier for channel in self.channels.values()),
            bot=self.bot_info["user_id"],
        )

    @listen_to(r"^toggle (?P<light>\w+) light")
    async def toggle(self, message: Message, light: str) -> None:
        """toggle: a light."""
        await message.reply(f"{light} toggled", in_thread=True)
        await message.react("white_check_mark")
        await message.pin_message()
        tell(sender=message.sender.name, channel=message.channel.name, text=message.text)

    @respond_to(r"^who are you")
    async def who(self, message: Message) -> None:
        """who are you: it says so."""
        await message.reply("lights", ephemeral=True)
        await message.reply_dm("lights")
        await message.say("Go?", blocks=[{"type": "actions", "block_id": "row", "elements": [GO]}])
        tell(asked=message.text, direct=message.is_dm)

    @process("reaction_added")
    async def reacted(self, event: dict[str, object]) -> None:
        """Tell of a reaction."""
        tell(reaction=event["reaction"])

    @command("/deploy")
    async def deploy(self, command: Command) -> AsyncGenerator[str]:
        """Answer at once, then in the channel."""
        yield f"setting {command.text}"
        await command.say("set", ephemeral=False)
        tell(command=command.command, sender=command.sender.name, channel=command.channel.name)

    @action("go", "row")
    async def go(self, clicked: BlockAction) -> None:
        """Open the form, and say so over the response_url."""
        await clicked.say("opened", ephemeral=False)
        view = (await clicked.open_modal(FORM))["view"]
        tell(clicked=clicked.triggered_action.value, by=clicked.user.name, view=view["id"])

    @modal("form")
    async def submitted(self, form: ModalSubmission) -> None:
        """Tell what was filled in."""
        values = form.view.state.model_dump(mode="json")["values"]
        tell(submitted={block: next(iter(fields.values())) for block, fields in values.items()})

    @modal_closed("form")
    async def closed(self, form: ModalClosure) -> None:
        """Tell that it was closed."""
        tell(closed=form.view.callback_id)


async def main() -> None:
    """Run until ended."""
    core.AsyncWebClient = partial(core.AsyncWebClient, base_url=FACTS["base_url"])
    settings = {
        "SLACK_APP_TOKEN": FACTS["app_token"],
        "SLACK_BOT_TOKEN": FACTS["bot_token"],
        "PLUGINS": ["__main__.Lights"],
        "HTTP_PROXY": None,
        "TZ": "UTC",
        "LOGLEVEL": "INFO",
        "LOG_HANDLED_MESSAGES": True,
    }
    await Machine(CaseInsensitiveDict(settings)).run()


if __name__ == "__main__":
    asyncio.run(main())

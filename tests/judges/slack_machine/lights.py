"""A plugin as users of slack-machine write it."""

from machine.plugins.base import MachineBasePlugin
from machine.plugins.decorators import action, command, listen_to, respond_to


class Lights(MachineBasePlugin):
    """Lights."""

    @listen_to(r"toggle (?P<light>\w+) light")
    async def toggle(self, msg, light):
        """toggle <light> light: switch it over."""
        await msg.say(f"{light} toggled by {msg.sender.name} in #{msg.channel.name}", thread_ts=msg.ts)
        await msg.react("white_check_mark")

    @respond_to(r"buttons")
    async def buttons(self, msg):
        """buttons: show one."""
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "42"}
        await msg.say("press", blocks=[{"type": "actions", "block_id": "row", "elements": [button]}])

    @action(action_id="go", block_id=None)
    async def go(self, pressed):
        """A button was pressed."""
        await pressed.say(f"went with {pressed.triggered_action.value}")

    @command("/deploy")
    async def deploy(self, asked):
        """/deploy what."""
        await asked.say(f"deploying {asked.text}")

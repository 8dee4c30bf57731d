"""What slack-machine loads to have posts claimed; it has its own package, and this file is read only by it."""

from machine.plugins.base import MachineBasePlugin

from slackmq.integrations.slack_machine.replicas import Replicas


class ExactlyOne(MachineBasePlugin):
    """Lets one of all replicas handle each post."""

    async def init(self) -> None:
        """Connect, before the first event comes."""
        await Replicas(self._client, self.settings).open()

"""What errbot loads; it has its own package, and this file is read only by it."""

import sys
from typing import Any

from slackv3 import slackv3

from slackmq.integrations.errbot.replicas import Counted, Replicas


class SlackMQBackend(slackv3.SlackBackend):
    """errbot's Slack backend; a command is claimed before anything here sees it."""

    def __init__(self, config: Any) -> None:
        self._replicas = Replicas(self)
        super().__init__(config)

    @property
    def thread_pool(self) -> Counted:
        """Where commands run; what is put here is counted."""
        return self._counted

    @thread_pool.setter
    def thread_pool(self, pool: Any) -> None:
        """Put a new one there, as errbot does for commands of its admins."""
        self._counted = Counted(pool)

    def connect_callback(self) -> None:
        """Plug-ins are loaded first: only then it is known what is a command."""
        super().connect_callback()
        self._replicas.open()

    def callback_message(self, msg: Any) -> None:
        """A message, to commands and plug-ins, if it is for this replica."""
        self._replicas.handle(msg, super().callback_message)

    def callback_mention(self, msg: Any, people: Any) -> None:
        """A message that names people, to plug-ins, if it is for this replica."""
        if not self._replicas.is_lost(msg):
            super().callback_mention(msg, people)

    def send_simple_reply(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """An answer; the one about an exception is sent while that is being handled."""
        self._replicas.failed(msg, sys.exc_info()[1])
        super().send_simple_reply(msg, *args, **kwargs)

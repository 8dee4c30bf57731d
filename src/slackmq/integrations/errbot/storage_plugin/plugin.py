"""What errbot loads; it has its own package, and this file is read only by it."""

from errbot.storage.base import StoragePluginBase

from slackmq.integrations.errbot import ChannelStorage, Cupboard


class SlackMQStoragePlugin(StoragePluginBase):
    """Opens namespaces in a channel."""

    def __init__(self, bot_config: object) -> None:
        super().__init__(bot_config)
        self._cupboard = Cupboard(self._storage_config)

    def open(self, namespace: str) -> ChannelStorage:
        """What a plugin keeps."""
        return self._cupboard.open(namespace)

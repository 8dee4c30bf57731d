"""A backend for errbot, of whose replicas one handles each command, and a storage that they share."""

from slackmq.integrations.errbot.replicas import BACKEND_FOLDER
from slackmq.integrations.errbot.storage import FOLDER, ChannelStorage, Cupboard

__all__ = ["BACKEND_FOLDER", "FOLDER", "ChannelStorage", "Cupboard"]

"""The same library for code that does not await: queues and stores over an event loop on a thread of its own."""

from __future__ import annotations

from slackmq.sync.queue import Lease, Queue, Worker
from slackmq.sync.store import Store

__all__ = ["Lease", "Queue", "Store", "Worker"]

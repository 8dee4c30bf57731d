"""The queue: posting jobs, contending for them, keeping and ending claims."""

from slackmq.queue.lease import Lease
from slackmq.queue.queue import AsyncQueue
from slackmq.queue.standing import Standing

__all__ = ["AsyncQueue", "Lease", "Standing"]

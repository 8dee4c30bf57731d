"""Worker: claims, hands over, keeps claims alive, stops gently."""

from __future__ import annotations

from slackmq.worker.worker import GIVING_UP, AsyncWorker

__all__ = ["GIVING_UP", "AsyncWorker"]

"""Slack is the broker: a job queue, a key-value store and highly available bots in Slack channels.

Every name here is loaded when it is first used, so `import slackmq` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slackmq.app import App as App
    from slackmq.approval import Approval as Approval
    from slackmq.dead import DeadLetter as DeadLetter
    from slackmq.depends import Depends as Depends
    from slackmq.errors import ApprovalLate as ApprovalLate
    from slackmq.errors import ConfigurationError as ConfigurationError
    from slackmq.errors import Denied as Denied
    from slackmq.errors import Reject as Reject
    from slackmq.errors import Retry as Retry
    from slackmq.errors import SlackMQError as SlackMQError
    from slackmq.handlers import Handlers as Handlers
    from slackmq.home.home import Home as Home
    from slackmq.integrations.classic import slackmq as slackmq
    from slackmq.job import Job as Job
    from slackmq.kv.batch import Batch as Batch
    from slackmq.kv.entry import Change as Change
    from slackmq.kv.entry import Entry as Entry
    from slackmq.kv.secret import Secret as Secret
    from slackmq.kv.store import AsyncStore as AsyncStore
    from slackmq.message import Claim as Claim
    from slackmq.message import Message as Message
    from slackmq.message import Mrkdwn as Mrkdwn
    from slackmq.message import Outcome as Outcome
    from slackmq.message import Receipt as Receipt
    from slackmq.options import Backoff as Backoff
    from slackmq.options import Rate as Rate
    from slackmq.policy import Timing as Timing
    from slackmq.queue import AsyncQueue as AsyncQueue
    from slackmq.queue.controls import Controls as Controls
    from slackmq.slack.connect import Settings as Settings
    from slackmq.slack.connect import connect as connect
    from slackmq.sync import Queue as Queue
    from slackmq.sync import Store as Store
    from slackmq.sync import Worker as Worker
    from slackmq.task import Task as Task
    from slackmq.worker import AsyncWorker as AsyncWorker

_ROOMS = {
    # functions, and what they get, answer and raise
    "App": "app",
    "Handlers": "handlers",
    "Task": "task",
    "Job": "job",
    "Depends": "depends",
    "Mrkdwn": "message",
    "Controls": "queue.controls",
    "Approval": "approval",
    "Denied": "errors",
    "ApprovalLate": "errors",
    "Home": "home.home",
    "Retry": "errors",
    "Reject": "errors",
    "SlackMQError": "errors",
    "ConfigurationError": "errors",
    # one floor down: queues and workers, for code that awaits and for code that does not
    "connect": "slack.connect",
    "Settings": "slack.connect",
    "AsyncQueue": "queue",
    "AsyncWorker": "worker",
    "Queue": "sync",
    "Worker": "sync",
    # state: a channel as a key-value store
    "AsyncStore": "kv.store",
    "Store": "sync",
    "Batch": "kv.batch",
    "Entry": "kv.entry",
    "Change": "kv.entry",
    "Secret": "kv.secret",
    # the library of 2019 under its old name
    "slackmq": "integrations.classic",
    # what flows
    "Message": "message",
    "Claim": "message",
    "Receipt": "message",
    "Outcome": "message",
    "DeadLetter": "dead",
    # how long, how often
    "Timing": "policy",
    "Backoff": "options",
    "Rate": "options",
}

__all__ = list(_ROOMS)  # pyright: ignore[reportUnsupportedDunderAll]  # one list; a test holds it against the imports


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'slackmq' has no attribute {name!r}")
    value: object = getattr(import_module(f"slackmq.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_ROOMS]

"""A Slack inside your tests: started in an instant, spoken to as a person, read as it really is.

`workspace()` for code that does not await, `async_workspace()` for code that does, and the pytest fixtures
`slack_workspace`, `slackmq_app` and `replicas`, which come with the package. `eager(app)` runs jobs where they are
posted, without any Slack.
"""

from slackmq.testing.awaiting import AsyncWorkspace, async_workspace
from slackmq.testing.blocking import Workspace, workspace
from slackmq.testing.eager import Eager, eager
from slackmq.testing.fleet import Fleet, NotStarted, Replicas
from slackmq.testing.pace import QUICK
from slackmq.testing.replica import Replica
from slackmq.testing.resident import CallRefused, Person, TestApp

__all__ = [
    "QUICK",
    "AsyncWorkspace",
    "CallRefused",
    "Eager",
    "Fleet",
    "NotStarted",
    "Person",
    "Replica",
    "Replicas",
    "TestApp",
    "Workspace",
    "async_workspace",
    "eager",
    "workspace",
]

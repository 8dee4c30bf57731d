"""A Slack inside your tests: started in an instant, spoken to as a person, read as it really is.

`workspace()` for code that does not await, `async_workspace()` for code that does, and the pytest fixture
`slack_workspace`, which comes with the package.
"""

from slackmq.testing.awaiting import AsyncWorkspace, async_workspace
from slackmq.testing.blocking import Workspace, workspace
from slackmq.testing.resident import CallRefused, Person, TestApp

__all__ = ["AsyncWorkspace", "CallRefused", "Person", "TestApp", "Workspace", "async_workspace", "workspace"]

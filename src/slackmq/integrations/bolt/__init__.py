"""A Bolt app, of either kind, in any number of replicas, of which one handles each post."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from slack_bolt import App

from slackmq.integrations.bolt.threads import Threads
from slackmq.integrations.guard import Plan
from slackmq.integrations.guard_thread import Guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_bolt.async_app import AsyncApp

    from slackmq.claiming.marks import Marks
    from slackmq.hooks import Hook
    from slackmq.integrations.bolt.door import Door
    from slackmq.policy import Timing
    from slackmq.queue.setting import Choice

__all__ = ["Guarded", "exactly_one"]


def exactly_one(
    app: App | AsyncApp,
    *channels: str,
    claim: Choice = "auto",
    replicas: int = 4,
    retries: int = 0,
    within: timedelta = timedelta(hours=1),
    timing: Timing | None = None,
    marks: Marks | None = None,
    hooks: Sequence[Hook] = (),
) -> Guarded:
    """Let one of all replicas of an app handle each post of some channels; one line, after the listeners.

    A post is claimed once a listener has matched it and all middleware has let it through. Whoever does not get the
    claim answers Slack and does nothing. When the listener and its lazy functions have ended, the post is marked done,
    or failed with the reason in its thread. What a dead replica left, handled in part or not at all, another one finds
    by reading the channel, and gives it to its listeners again. An `app_mention` and the `message` of one post count as
    one, and a listener for mentions has it; an edit never runs a post again.

    In a listener `context["slackmq"]` says the idempotency `key` of the post, the fencing `token` and the `attempt`.

    Args:
        app: a `slack_bolt.App` or a `slack_bolt.async_app.AsyncApp`, in Socket Mode or over HTTP.
        channels: names or ids. What comes from elsewhere, and all that is no post, is handled as ever.
        claim: how claims are made, as in `slackmq.App`: "auto" or "reaction" for replicas of one app, "pin" where
            apps with different tokens share the work.
        replicas: about how many processes run this bot: they share the 50 reads of history a minute.
        retries: how often a post is handled again after a listener raised; one that was cut off by a crash always is.
        within: a post that nobody has begun by then is left alone: nobody expects an answer any more.
        timing: the time constants; the same in all replicas.
        marks: which emoji stand for what; the same in all replicas.
        hooks: told of everything that happens, on a thread of its own.

    Returns:
        What can be closed; it is closed at the latest when the process ends.

    Raises:
        ConfigurationError: no channel, no listener yet, an app for many workspaces, lazy functions together with
            `process_before_response=True`, or a channel that is worked with other settings.
        SlackError: a scope is missing, the bot is not in a channel, or the token is refused.
    """
    plan = Plan(
        channels,
        claim=claim,
        replicas=replicas,
        retries=retries,
        within=within,
        timing=timing,
        marks=marks,
        hooks=hooks,
    )
    door: Door
    if isinstance(app, App):
        door = Threads(app, plan)
    else:
        from slackmq.integrations.bolt.loops import Loops  # noqa: PLC0415  # a sync bot need not load it

        door = Loops(app, plan)
    door.open()
    return Guarded(door)

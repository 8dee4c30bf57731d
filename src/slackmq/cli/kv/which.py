"""Which store a command speaks to: a channel of the Slack that is meant, opened for as long as the command runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter, validators

from slackmq.cli.logs import log_to_stderr
from slackmq.cli.where import Where
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack.connect import open_events, open_slack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["ChannelName", "Fresh", "JsonLines", "KeyName", "Prefix", "Which"]

_GROUP = Group("Store", sort_key=8)
_SKEW = Timing().skew.total_seconds()

ChannelName = Annotated[str, Parameter(help='The store: "#name", name or id of its channel.')]
KeyName = Annotated[str, Parameter(help="Of the store.")]
Prefix = Annotated[str, Parameter(help="Only keys that begin like this.")]
JsonLines = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON object a line.")]
Fresh = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Miss nothing that was written before the command began; takes the skew and a second or two longer.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which(Where):
    """The Slack, and how its stores are read.

    Attributes:
        skew: seconds after which no read can miss a record.
    """

    skew: Annotated[
        float,
        Parameter(
            group=_GROUP,
            env_var="SLACKMQ_KV_SKEW",
            validator=validators.Number(gt=0, lte=3_600),
            help="Seconds: the Timing.skew that all who use the store have.",
        ),
    ] = _SKEW

    @asynccontextmanager
    async def opened(self, channel: str, *, events: bool = False, repair: bool = False) -> AsyncGenerator[AsyncStore]:
        """The store of a channel, read once.

        Args:
            channel: "#name", name or id.
            events: whether to listen for news, where there is an app-level token; what ends at once needs none.
            repair: whether to take what is left of it for the whole.
        """
        log_to_stderr("warning")
        settings = await self.settings()
        async with (
            open_slack(settings) as slack,
            AsyncStore(
                slack,
                channel,
                events=open_events(settings) if events else None,
                timing=Timing(skew=timedelta(seconds=self.skew)),
                repair=repair,
            ) as store,
        ):
            yield store

"""A job that is redriven goes on in the trace of the one that died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.errors import Reject
from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.simulation.loop import run

if TYPE_CHECKING:
    from slackmq.hooks import Happening
    from slackmq.message import Post

    from .conftest import House


class Traced:
    """A hook that gives each job a trace of its own."""

    posts = 0

    def __call__(self, happening: Happening) -> None:
        """What happens is not written down here."""

    def carry(self, post: Post) -> str:
        self.posts += 1
        return f"00-{self.posts:032x}-{'2' * 16}-01" if post.kind else ""


def test_a_redriven_job_belongs_to_the_trace_of_the_one_that_died(house: House) -> None:
    handlers = Handlers()

    @handlers.task
    async def never() -> None:
        raise Reject("no such cat")

    async def main() -> None:
        async with (
            house.at_work(handlers) as queue,
            AsyncQueue(house.slack(), "#jobs", claim="reaction", clock=queue._clock, hooks=[Traced()]) as tracing,
        ):
            dead = await tracing.post(never.name)
            await house.ended(queue)
            again = await tracing.redrive(dead)
            assert (again.ts != dead.ts, again.trace) == (True, f"00-{1:032x}-{'2' * 16}-01")

    run(main)

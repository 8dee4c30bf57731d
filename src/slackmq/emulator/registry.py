"""A method of the Web API as a declared function: name, who may call it, how often, and whether it changes anything.

To add a method, write a function in its family's file and put the family's decorator above it::

    @FAMILY.method("pins.add", tier=Tier.TWO, scopes=("pins:write",), write=True)
    def add(call: Call) -> Reply: ...

It returns what the reply holds beside `ok`, raises `Refusal` for Slack's errors (before it changes anything), and
tells events with `call.tell`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.emulator.call import Call
    from slackmq.emulator.model import Kind, TokenType

__all__ = ["Family", "Method", "Reply", "Tier"]

Reply = dict[str, Any]

PEOPLE: frozenset[TokenType] = frozenset({"bot", "user"})


class Tier(Enum):
    """How often a method may be called per minute, app and workspace: docs.slack.dev, "Rate limits"."""

    ONE = "tier 1"
    TWO = "tier 2"
    THREE = "tier 3"
    FOUR = "tier 4"
    POSTING = "posting"
    """About one message per second and channel, and some hundreds a minute in the workspace."""
    HUNDREDS = "hundreds"
    """ "Hundreds of requests per minute", of auth.test and chat.getPermalink."""
    FREE = "free"
    """The operator's own, which Slack does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method.

    Attributes:
        run: does it.
        tier: how often it may be called.
        scopes: kind of conversation -> scopes of which the token needs one; all equal where Slack makes no difference.
        accepted: all of these scopes.
        tokens: the types of token it takes.
        write: True if it changes the workspace: then the journal records it.
        open: True if it needs no token.
        paged: True if it answers in pages and takes a `limit`.
    """

    name: str
    run: Callable[[Call], Reply]
    tier: Tier
    scopes: Mapping[Kind, tuple[str, ...]]
    accepted: tuple[str, ...] = ()
    tokens: frozenset[TokenType] = PEOPLE
    write: bool = False
    open: bool = False
    paged: bool = False


@dataclass(slots=True)
class Family:
    """The methods of one file."""

    methods: dict[str, Method] = field(default_factory=dict[str, Method])

    def method(
        self,
        name: str,
        *,
        tier: Tier,
        scopes: tuple[str, ...] = (),
        public: tuple[str, ...] = (),
        private: tuple[str, ...] = (),
        im: tuple[str, ...] = (),
        mpim: tuple[str, ...] = (),
        tokens: frozenset[TokenType] = PEOPLE,
        write: bool = False,
        open: bool = False,  # noqa: A002  # reads as the word it is in the declarations
        paged: bool = False,
    ) -> Callable[[Callable[[Call], Reply]], Callable[[Call], Reply]]:
        """Declare the function below as a method; `scopes` stands for those of every kind that is not given."""
        by_kind: dict[Kind, tuple[str, ...]] = {
            "public_channel": public or scopes,
            "private_channel": private or scopes,
            "im": im or scopes,
            "mpim": mpim or scopes,
        }

        def declare(run: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
            self.methods[name] = Method(
                name=name,
                run=run,
                tier=tier,
                scopes=by_kind,
                accepted=tuple(dict.fromkeys(scope for accepted in by_kind.values() for scope in accepted)),
                tokens=tokens,
                write=write,
                open=open,
                paged=paged,
            )
            return run

        return declare

"""The methods of the Web API, one file a family; `METHODS` holds them all by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.methods import (
    apps,
    auth,
    chat,
    conversations,
    files,
    history,
    interactions,
    modals,
    operator,
    pins,
    reactions,
    reply_urls,
    rtm,
    users,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.registry import Method

__all__ = ["METHODS"]

METHODS: Mapping[str, Method] = {
    name: method
    for family in (
        *(auth, chat, conversations, history, operator, pins, reactions, users),
        *(apps, files, interactions, modals, reply_urls, rtm, views),
    )
    for name, method in family.FAMILY.methods.items()
}
"""Name -> method, of all families."""

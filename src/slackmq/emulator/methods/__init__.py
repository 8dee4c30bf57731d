"""The methods of the Web API, one file a family; `METHODS` holds them all by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.methods import (
    apps,
    auth,
    bookmarks,
    channels,
    chat,
    connect,
    conversations,
    direct,
    editing,
    files,
    history,
    interactions,
    membership,
    modals,
    operator,
    pins,
    profiles,
    reactions,
    reply_urls,
    rtm,
    scheduled,
    stars,
    team,
    usergroups,
    users,
    views,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.registry import Method

__all__ = ["METHODS"]

_FAMILIES = (
    *(auth, bookmarks, channels, chat, connect, conversations, direct, editing, history, membership),
    *(apps, files, interactions, modals, reply_urls, rtm, views),
    *(operator, pins, profiles, reactions, scheduled, stars, team, usergroups, users),
)

METHODS: Mapping[str, Method] = {name: method for family in _FAMILIES for name, method in family.FAMILY.methods.items()}
"""Name -> method, of all families."""

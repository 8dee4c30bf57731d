"""Where Bolt keeps the installations of an app and the states of OAuth: in a store that is encrypted.

Bolt's own keep them in files, which one machine has, or in a database. What they keep are tokens, so a store that all
members of its channel can read is refused.
"""

# pyright: reportAssignmentType=false
# A blocking twin takes its object by position only, which pyright holds against slack_sdk's methods; mypy does not.

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.installation_store import InstallationStore
from slack_sdk.oauth.state_store import OAuthStateStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.kv.batch import Batch
from slackmq.kv.errors import KeyNotFound, RevisionMismatch
from slackmq.portal import blocking

if TYPE_CHECKING:
    from logging import Logger

    from slackmq.kv.entry import Entry
    from slackmq.kv.store import AsyncStore
    from slackmq.sync import Store

__all__ = [
    "AsyncStoreInstallations",
    "AsyncStoreStates",
    "StoreInstallations",
    "StoreStates",
]

_log = logging.getLogger("slackmq.integrations")
_STATE = timedelta(minutes=10)
"""How long somebody may take between "Add to Slack" and "Allow": Bolt's own default."""
_COPIED = ("bot_id", "bot_user_id", "bot_token", "bot_scopes", "bot_refresh_token", "bot_token_expires_at")


def _place(enterprise: str | None, team: str | None, *, org: bool | None = False) -> str:
    return f"oauth/{enterprise or 'none'}-{'none' if org else team or 'none'}"


def _saved(installation: Installation) -> Batch:
    """One batch, so nobody ever reads a half of it."""
    where = _place(installation.enterprise_id, installation.team_id)
    bot = installation.to_bot() if installation.bot_token else None
    batch = Batch() if bot is None else Batch().put(f"{where}/bot", vars(bot))
    return batch.put(f"{where}/installer", vars(installation)).put(
        f"{where}/installer/{installation.user_id or 'none'}", vars(installation)
    )


def _bot(entry: Entry | None) -> Bot | None:
    return None if entry is None else Bot(**entry.to(dict[str, Any]))


def _with_bot(found: Installation, bot: Bot | None) -> Installation:
    """An installation with the newest bot token: somebody else may have installed the app since."""
    if bot is not None:
        for name in _COPIED:
            setattr(found, name, getattr(bot, name))
    return found


def _installer(where: str, user: str | None) -> str:
    return f"{where}/installer" if user is None else f"{where}/installer/{user}"


def _checked(*, encrypted: bool, plain: bool) -> None:
    if not encrypted and not plain:
        raise ConfigurationError(
            "Everybody in the channel of this store could read the tokens that are kept in it.",
            remedy="Give the store Secret(…, encrypt=True), or set SLACKMQ_KV_KEY and SLACKMQ_KV_ENCRYPT=1.",
        )


class AsyncStoreInstallations(AsyncInstallationStore):
    """Installations of an app in a store: `OAuthSettings(installation_store=…)` of Bolt for apps that await.

    Args:
        store: an open store, encrypted.
        plain: whether to accept one that is not, and let all members of its channel read the tokens.

    Raises:
        ConfigurationError: the store is not encrypted.
    """

    def __init__(self, store: AsyncStore, *, plain: bool = False) -> None:
        _checked(encrypted=store.encrypted, plain=plain)
        self._store = store

    @property
    def logger(self) -> Logger:
        """The log."""
        return _log

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation, and its bot."""
        await self._store.commit(_saved(installation))

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot."""
        await self._store.put(f"{_place(bot.enterprise_id, bot.team_id)}/bot", vars(bot))

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of a workspace or organisation, None if it is not installed there."""
        entry = await self._entry(f"{_place(enterprise_id, team_id, org=is_enterprise_install)}/bot")
        return _bot(entry)

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The latest installation, or a person's, None if there is none."""
        where = _place(enterprise_id, team_id, org=is_enterprise_install)
        entry = await self._entry(_installer(where, user_id))
        if entry is None:
            return None
        bot = await self._entry(f"{where}/bot")
        return _with_bot(Installation(**entry.to(dict[str, Any])), _bot(bot))

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget a bot, in the history of the store, too."""
        await self._store.purge(f"{_place(enterprise_id, team_id)}/bot")

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Forget a person's installation, or all of a workspace."""
        key = _installer(_place(enterprise_id, team_id), user_id)
        for found in [key] if user_id else [key, *await self._store.keys(f"{key}/", fresh=True)]:
            await self._store.purge(found)

    async def _entry(self, key: str) -> Entry | None:
        """The key; Slack is asked before it is said not to be there: it may have been kept a moment ago elsewhere."""
        for fresh in (False, True):
            try:
                return await self._store.get(key, fresh=fresh)
            except KeyNotFound:
                continue
        return None


class AsyncStoreStates(AsyncOAuthStateStore):
    """States of OAuth in a store: each is good once, in whichever process its answer arrives.

    Args:
        store: an open store.
        expires: how long a state is good.
    """

    def __init__(self, store: AsyncStore, *, expires: timedelta = _STATE) -> None:
        self._store = store
        self._expires = expires

    @property
    def logger(self) -> Logger:
        """The log."""
        return _log

    async def async_issue(self, *_args: object, **_kwargs: object) -> str:
        """A new state."""
        state = SYSTEM.new_id()
        await self._store.put(f"oauth/state/{state}", 1, ttl=self._expires)
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether a state was issued, is good still, and was not consumed before."""
        key = f"oauth/state/{state}"
        try:
            await self._store.delete(key, last=(await self._store.get(key, fresh=True)).revision)
        except (KeyNotFound, RevisionMismatch):
            return False
        return True


class StoreInstallations(InstallationStore):
    """As `AsyncStoreInstallations`, for an app that does not await.

    Args:
        store: an open store, encrypted.
        plain: whether to accept one that is not, and let all members of its channel read the tokens.

    Raises:
        ConfigurationError: the store is not encrypted.
    """

    def __init__(self, store: Store, *, plain: bool = False) -> None:
        _checked(encrypted=store.encrypted, plain=plain)
        portal, there = store._there  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # two faces of one store
        self._there = portal, AsyncStoreInstallations(there, plain=plain)

    @property
    def logger(self) -> Logger:
        """The log."""
        return _log

    save = blocking(AsyncStoreInstallations.async_save)
    save_bot = blocking(AsyncStoreInstallations.async_save_bot)
    find_bot = blocking(AsyncStoreInstallations.async_find_bot)
    find_installation = blocking(AsyncStoreInstallations.async_find_installation)
    delete_bot = blocking(AsyncStoreInstallations.async_delete_bot)
    delete_installation = blocking(AsyncStoreInstallations.async_delete_installation)


class StoreStates(OAuthStateStore):
    """As `AsyncStoreStates`, for an app that does not await.

    Args:
        store: an open store.
        expires: how long a state is good.
    """

    def __init__(self, store: Store, *, expires: timedelta = _STATE) -> None:
        portal, there = store._there  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # two faces of one store
        self._there = portal, AsyncStoreStates(there, expires=expires)

    @property
    def logger(self) -> Logger:
        """The log."""
        return _log

    issue = blocking(AsyncStoreStates.async_issue)
    consume = blocking(AsyncStoreStates.async_consume)

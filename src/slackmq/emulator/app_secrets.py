"""The secrets by which an app knows that this workspace speaks; derived, so that a restart keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.identifiers import derived_secret

if TYPE_CHECKING:
    from slackmq.emulator.seed import Seed

__all__ = ["signing_secret", "verification_token"]


def signing_secret(seed: Seed, app: str) -> str:
    """Signs every request to the app's URLs (docs.slack.dev, "Verifying requests from Slack")."""
    return derived_secret(seed.secret, f"signing/{app}", 32)


def verification_token(seed: Seed, app: str) -> str:
    """The old way of telling, which still stands in every payload as `token`."""
    return derived_secret(seed.secret, f"verification/{app}", 24)

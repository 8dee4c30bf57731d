"""What an app is known by, and by which it knows that Slack speaks; derived, so that a restart keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, cast

from slackmq.emulator.identifiers import derived_id, derived_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.emulator.seed import Seed

__all__ = ["Credentials", "credentials_of", "digits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an app keeps in every workspace that it is installed in.

    Attributes:
        app: its id.
        client_id: its id for OAuth.
        app_token: opens its connections, over which it hears of all these workspaces.
        signing_secret: signs every request to its URLs (docs.slack.dev, "Verifying requests from Slack").
        verification_token: the old way of telling, which still stands in every payload as `token`.
    """

    app: str
    client_id: str
    app_token: str
    signing_secret: str
    verification_token: str

    def to_json(self) -> dict[str, str]:
        """The same as a JSON object; `of_json` reads it back."""
        return asdict(self)

    @classmethod
    def of_json(cls, given: object) -> Credentials | None:
        """What `to_json` wrote; None if it is something else."""
        values: Mapping[str, object] = cast("dict[str, object]", given) if isinstance(given, dict) else {}
        strings = {name: value for name, value in values.items() if isinstance(value, str) and value}
        names = {each.name for each in fields(cls)}
        return cls(**strings) if values.keys() == strings.keys() == names else None


def credentials_of(seed: Seed, ordinal: int) -> Credentials:
    """The credentials of a workspace's own app number `ordinal`."""
    app = derived_id("A", seed.team_id, ordinal)
    secret = derived_secret(seed.secret, f"xapp/{app}", 64)
    return Credentials(
        app=app,
        client_id=f"{seed.team_id}.{app}",
        app_token=f"xapp-1-{app}-{digits(seed.secret, f'{app}/app', 13)}-{secret}",
        signing_secret=derived_secret(seed.secret, f"signing/{app}", 32),
        verification_token=derived_secret(seed.secret, f"verification/{app}", 24),
    )


def digits(secret: str, label: str, length: int) -> str:
    """Decimal digits that nobody can tell without `secret`, as they stand in tokens."""
    return str(int(derived_secret(secret, label, 16), 16)).zfill(length)[:length]

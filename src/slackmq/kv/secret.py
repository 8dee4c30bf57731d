"""Secret: the keys of a store, which never go to Slack; who has them writes, and reads what is encrypted."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

from slackmq.errors import ConfigurationError
from slackmq.kv.cipher import available

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEY", "Secret"]

KEY = "SLACKMQ_KV_KEY"
"""The environment variable that holds the keys, the newest first, with spaces between them."""
ENCRYPT = "SLACKMQ_KV_ENCRYPT"
_UNSIGNED = "unsigned"
"""Among the keys it stands for records that nobody signed, which count then, too."""
_LEAST = 32
"""Characters of a key: fewer can be guessed by whoever reads the channel."""
_YES = frozenset({"1", "true", "yes", "on"})


class Secret:
    """The keys of a store: `Secret("…")`. Without a key records bear a digest, which shows damage and stops nobody.

    The first key signs what is written; records that were signed with any of them count. So a key is changed without
    a stop: give every process `Secret(old, new)`, then `Secret(new, old)`, and once a snapshot was posted with the new
    one, `Secret(new)`. A process that was forgotten stops and says so.

    Args:
        keys: 32 characters or more each, as `new_key` makes them.
        encrypt: whether records, snapshots and files are encrypted, too (AES-256-GCM; the extra `crypto`).
        unsigned: whether records count that nobody signed: for a store that was begun without a key, until a snapshot
            was posted with it.

    Raises:
        ConfigurationError: a key is too short, or the package for encryption is not installed.
    """

    __slots__ = ("encrypt", "keys", "unsigned")

    def __init__(self, *keys: str, encrypt: bool = False, unsigned: bool = False) -> None:
        if any(len(key) < _LEAST for key in keys):
            raise ConfigurationError(
                f"A key of a store has fewer than {_LEAST} characters, so it could be guessed.",
                remedy='Make one: python -c "import slackmq; print(slackmq.Secret.new_key())"',
            )
        if encrypt and not keys:
            raise ConfigurationError(
                f"Encryption needs a key, and {KEY} is not set.", remedy="Set it, in all processes."
            )
        if encrypt and not available():
            raise ConfigurationError(
                "Encryption needs a package that is not installed.", remedy="pip install 'slackmq[crypto]'"
            )
        self.keys = tuple(key.encode() for key in keys)
        self.encrypt = encrypt
        self.unsigned = unsigned

    def __repr__(self) -> str:
        kind = ", encrypting" if self.encrypt else ""
        return f"<Secret of {len(self.keys)} keys{kind}>"

    @staticmethod
    def new_key() -> str:
        """A key that nobody can guess: 43 characters."""
        return secrets.token_urlsafe(32)

    @classmethod
    def resolve(cls, env: Mapping[str, str]) -> Self:
        """The secret that SLACKMQ_KV_KEY and SLACKMQ_KV_ENCRYPT in `env` say; one without keys if they are not set.

        Several keys stand with spaces between them, the one that signs first; the word "unsigned" among them lets
        records count that nobody signed.
        """
        words = env.get(KEY, "").split()
        return cls(
            *(word for word in words if word != _UNSIGNED),
            encrypt=env.get(ENCRYPT, "").strip().lower() in _YES,
            unsigned=_UNSIGNED in words,
        )

"""AES-GCM, the only door to `cryptography`: without that package a store works, but for encryption."""

from __future__ import annotations

from importlib.util import find_spec

from slackmq.errors import ConfigurationError

__all__ = ["Cipher", "available"]


def available() -> bool:
    """Whether the package is installed."""
    return find_spec("cryptography") is not None


class Cipher:
    """Encrypts with one key of 32 bytes.

    Raises:
        ConfigurationError: the package is not installed.
    """

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # an extra
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # an extra
        except ImportError as error:
            raise ConfigurationError(
                "Encryption needs a package that is not installed.", remedy="pip install 'slackmq[crypto]'"
            ) from error
        self._cipher = AESGCM(key)
        self._wrong = InvalidTag

    def encrypt(self, nonce: bytes, data: bytes, about: bytes) -> bytes:
        """Encrypted data, which `decrypt` gives back only with the same key, nonce and `about`."""
        return self._cipher.encrypt(nonce, data, about)

    def decrypt(self, nonce: bytes, data: bytes, about: bytes) -> bytes:
        """What was encrypted.

        Raises:
            ValueError: it was encrypted otherwise, or changed.
        """
        try:
            return self._cipher.decrypt(nonce, data, about)
        except self._wrong as error:
            raise ValueError("it was encrypted with another key, or changed") from error

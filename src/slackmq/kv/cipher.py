"""AES-GCM, the only door to `cryptography`: without that package a store works, but for encryption."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["available", "decrypt", "encrypt"]


def available() -> bool:
    """Whether the package is installed."""
    return find_spec("cryptography") is not None


def encrypt(key: bytes, nonce: bytes, data: bytes, about: bytes) -> bytes:
    """Encrypted data, which `decrypt` gives back only with the same key, nonce and `about`.

    Raises:
        ConfigurationError: the package is not installed.
    """
    return _cipher(key).encrypt(nonce, data, about)


def decrypt(key: bytes, nonce: bytes, data: bytes, about: bytes) -> bytes:
    """What was encrypted.

    Raises:
        ValueError: it was encrypted otherwise, or changed.
        ConfigurationError: the package is not installed.
    """
    cipher = _cipher(key)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # as below

    try:
        return cipher.decrypt(nonce, data, about)
    except InvalidTag as error:
        raise ValueError("it was encrypted with another key, or changed") from error


def _cipher(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ConfigurationError(
            "Encryption needs a package that is not installed.", remedy="pip install 'slackmq[crypto]'"
        ) from error
    return AESGCM(key)

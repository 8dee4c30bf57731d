"""A manifest as people write it, in YAML or JSON, to a JSON object."""

from __future__ import annotations

import json
from typing import Any, cast

from slackmq.emulator.refusal import Refusal

__all__ = ["read_manifest"]


def read_manifest(text: str) -> dict[str, Any]:
    """The object in a text; JSON needs nothing installed, YAML needs PyYAML.

    Raises:
        Refusal: invalid_manifest: the text is neither, or holds no object.
    """
    try:
        value: object = json.loads(text)
    except ValueError:
        value = _yaml(text)
    except RecursionError:
        raise _refused("The manifest is nested too deeply") from None
    if not isinstance(value, dict):
        raise _refused("A manifest must be an object")
    return cast("dict[str, Any]", value)


def _yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415  # loaded by those who write YAML only
    except ImportError:
        raise _refused("This is no JSON, and reading YAML needs PyYAML: pip install 'slackmq[emulator]'") from None
    try:
        value: object = yaml.safe_load(text)
        # Dates and other things of YAML's own must not come into the journal, which is JSON.
        return cast("object", json.loads(json.dumps(value)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _refused(f"This is neither JSON nor YAML: {error}") from None


def _refused(message: str) -> Refusal:
    return Refusal("invalid_manifest", errors=[{"code": "unreadable_manifest", "message": message, "pointer": "/"}])

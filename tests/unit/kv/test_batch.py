from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slackmq.errors import ConfigurationError
from slackmq.kv.batch import Batch


@pytest.mark.parametrize("last", [-1, -7, 1.5, "5", True, 1 << 63])
@pytest.mark.parametrize("verb", ["update", "delete", "purge", "check", "held"])
def test_what_is_no_revision_is_refused_by_name(verb: str, last: Any) -> None:
    value = [1] if verb == "update" else []
    with pytest.raises(ConfigurationError, match="no revision"):
        getattr(Batch(), verb)("k", *value, **{"token" if verb == "held" else "last": last})


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(days=36_526), timedelta.max])
def test_what_is_no_time_to_live_is_refused(ttl: timedelta) -> None:
    with pytest.raises(ConfigurationError, match="cannot last"):
        Batch().put("k", 1, ttl=ttl)

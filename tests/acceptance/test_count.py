"""One counter, raised by processes of two apps that are killed meanwhile: a short version of `nox -s count`."""

from __future__ import annotations

import pytest
from tests.kills.count import main


@pytest.mark.timeout(360)
@pytest.mark.parametrize("encrypt", [False, True])
def test_a_counter_that_killed_processes_raise_counts_each_once(encrypt: bool) -> None:  # noqa: FBT001
    words = ["--goal", "30", "--processes", "3", "--every", "1.5", "--seed", "1", "--within", "270"]
    assert main([*words, *(["--encrypt", "--cache"] if encrypt else [])]) == 0

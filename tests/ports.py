"""Ports for servers that are named before they listen, or that come back where they were."""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _SLOTS, _SIZE = 20_000, 120, 100
_numbers = itertools.count()


def unused_port() -> int:
    """A port of this machine at which nobody listens.

    It is below those that systems give to whoever asks for any, and of a slot of this process: nobody takes it
    meanwhile, also while it has no server.
    """
    slot = _FIRST + os.getpid() * 97 % _SLOTS * _SIZE  # processes that were started one after the other are far apart
    while True:
        port = slot + next(_numbers) % _SIZE
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port

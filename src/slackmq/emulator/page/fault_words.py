"""The faults in words for people."""

from __future__ import annotations

__all__ = ["RATES", "SECONDS"]

RATES = {
    "latency": "answers come late",
    "lost_request": "calls never arrive",
    "lost_answer": "answers are lost",
    "late_effect": "calls take effect later",
    "error_before": "HTTP 503, without effect",
    "error_after": "HTTP 500, with effect",
    "limited": "429, try again later",
    "event_loss": "events are lost",
    "event_doubling": "events come twice",
    "event_delay": "events come late",
}
"""A fault's name -> what it does, for people; each has a rate."""
SECONDS = {
    "slow": "late answers take",
    "late": "later effects take",
    "retry_after": "a 429 asks to wait",
    "delay": "late events take up to",
    "lag": "reads are behind by up to",
}
"""A fault's name -> what it is about; each is in seconds."""

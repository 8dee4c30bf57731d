"""The Events API over HTTP for one app, without HTTP: what is sent when, again or no more; the caller brings results.

A pure state machine beside `delivery`. From docs.slack.dev, "The Events API": a request URL is verified first; an
event that gets no 2xx within three seconds comes again almost at once, after a minute and after five; an app that
fails more than 95 % of at least 1,000 deliveries in an hour hears no more until somebody switches it on again; and
an app gets 30,000 events an hour, then only app_rate_limited, once a minute.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AGAIN", "Allowance", "RequestUrl", "Result", "Sending"]

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND

AGAIN = (0, 60 * _SECOND, 300 * _SECOND)
"""Microseconds from a failure to the next sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Something to post now.

    Attributes:
        number: `RequestUrl.returned` wants it back with the result.
        retry: 0 first, then 1, 2 and 3: the header X-Slack-Retry-Num.
        reason: why the sending before failed: X-Slack-Retry-Reason.
        challenge: what the answer must hold, if this only verifies the address; "" for events.
    """

    number: int
    body: Mapping[str, Any]
    retry: int = 0
    reason: str = ""
    challenge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a sending.

    Attributes:
        status: the HTTP status; 0 if there was none.
        reason: why there was none: http_timeout, too_many_redirects, connection_failed, ssl_error, unknown_error.
        text: the beginning of the body.
        no_retry: True if the app sent the header X-Slack-No-Retry: 1.
    """

    status: int = 0
    reason: str = ""
    text: str = ""
    no_retry: bool = False

    @property
    def fine(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004  # the numbers are their own names


@dataclass(slots=True, kw_only=True)
class Allowance:
    """How many events an app may get.

    Attributes:
        most: within 60 minutes.
    """

    most: int = 30_000
    _minutes: deque[list[int]] = field(default_factory=deque[list[int]])
    _total: int = 0
    _told: int = -1

    def take(self, now: int) -> bool:
        """Admit one more; False if the hour's are used up."""
        minute = now // (60 * _SECOND)
        while self._minutes and self._minutes[0][0] <= minute - 60:
            self._total -= self._minutes.popleft()[1]
        if self._total >= self.most:
            return False
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append([minute, 0])
        self._minutes[-1][1] += 1
        self._total += 1
        return True

    def announce(self, now: int) -> bool:
        """True once in each minute in which events are held back: then the app is told."""
        minute = now // (60 * _SECOND)
        told, self._told = self._told, minute
        return told != minute


@dataclass(slots=True, kw_only=True)
class _Parcel:
    body: Mapping[str, Any]
    retry: int = 0
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class RequestUrl:
    """The deliveries to one address.

    Attributes:
        app: id of the app.
        team: id of the workspace.
        token: the app's verification token, which stands in every body.
        new_challenge: draws a text that an address must give back.
        verified: True once it did.
        disabled: True after too many failures; `enable` begins anew.
        fewest: deliveries in an hour below which nothing is switched off.
        through: is told each event that was taken, or that the app wants no more.
    """

    app: str
    team: str
    token: str
    new_challenge: Callable[[], str]
    allowance: Allowance = field(default_factory=Allowance)
    verified: bool = False
    disabled: bool = False
    fewest: int = 1000
    through: Callable[[Mapping[str, Any]], None] | None = None
    _turns: list[tuple[int, int, _Parcel]] = field(default_factory=list[tuple[int, int, _Parcel]])
    _out: dict[int, _Parcel | str] = field(default_factory=dict[int, "_Parcel | str"])
    _waiting: list[_Parcel] = field(default_factory=list[_Parcel])
    _past: deque[tuple[int, bool]] = field(default_factory=deque[tuple[int, bool]])
    _failures: int = 0
    _count: int = 0
    _challenged: bool = False

    @property
    def pending(self) -> int:
        """Events that were offered, and are neither through nor given up."""
        return len(self._turns) + len(self._waiting) + sum(isinstance(one, _Parcel) for one in self._out.values())

    def offer(self, body: Mapping[str, Any], now: int) -> None:
        """An event is to be delivered from now on; over the hourly allowance it is lost."""
        if self.disabled:
            return
        if self.allowance.take(now):
            self._turn(now, _Parcel(body=body))
        elif self.allowance.announce(now):
            limited = {"type": "app_rate_limited", "token": self.token, "team_id": self.team, "api_app_id": self.app}
            self._turn(now, _Parcel(body={**limited, "minute_rate_limited": now // _SECOND // 60 * 60}))

    def resume(self, body: Mapping[str, Any], since: int, now: int) -> None:
        """Go on with what was offered at `since` to an earlier run: turns that are over by now are missed."""
        when = since
        for retry, wait in enumerate((*AGAIN, 0)):
            if when >= now:
                self._turn(when, _Parcel(body=body, retry=retry, reason="unknown_error" if retry else ""))
                return
            when += wait

    def verify(self) -> None:
        """Ask the address for its challenge before anything else is sent."""
        self.verified = False
        self._challenged = False

    def enable(self) -> None:
        """Switch a disabled subscription on again; its address is verified anew."""
        self.disabled = False
        self._past.clear()
        self._failures = 0
        self.verify()

    def due(self, now: int) -> list[Sending]:
        """What to send now, in order."""
        if not self.verified and not self._challenged and (self._waiting or self._is_due(now)):
            return [self._challenge()]
        sendings: list[Sending] = []
        while self._is_due(now):
            parcel = heappop(self._turns)[2]
            if not self.verified:
                self._waiting.append(parcel)
                continue
            number = self._number()
            self._out[number] = parcel
            sendings.append(Sending(number=number, body=parcel.body, retry=parcel.retry, reason=parcel.reason))
        return sendings

    def next_due(self) -> int | None:
        """When to ask `due` again; None if only results are waited for, or nothing."""
        return self._turns[0][0] if self._turns else None

    def returned(self, number: int, result: Result, now: int) -> None:
        """A sending ended."""
        sent = self._out.pop(number, None)
        if sent is None:
            return
        if isinstance(sent, str):
            self._challenge_returned(sent, result, now)
            return
        if self.through is not None and (result.fine or result.no_retry):
            self.through(sent.body)
        self._judge(now, fine=result.fine)
        if not result.fine and not self.disabled:
            self._later(sent, result, now)

    def _challenge(self) -> Sending:
        self._challenged = True
        number, challenge = self._number(), self.new_challenge()
        self._out[number] = challenge
        body = {"token": self.token, "challenge": challenge, "type": "url_verification"}
        return Sending(number=number, body=body, challenge=challenge)

    def _challenge_returned(self, challenge: str, result: Result, now: int) -> None:
        self.verified = result.fine and challenge in result.text
        self._challenged = False
        waiting, self._waiting = self._waiting, []
        while self._is_due(now):
            waiting.append(heappop(self._turns)[2])
        for parcel in waiting:
            if self.verified:
                self._turn(now, parcel)
            else:
                self._later(parcel, result, now)

    def _later(self, parcel: _Parcel, result: Result, now: int) -> None:
        if parcel.retry >= len(AGAIN) or result.no_retry:
            return
        wait = AGAIN[parcel.retry]
        parcel.retry += 1
        parcel.reason = result.reason or "http_error"
        self._turn(now + wait, parcel)

    def _judge(self, now: int, *, fine: bool) -> None:
        """Switch everything off if more than 95 of 100 failed."""
        self._past.append((now, fine))
        self._failures += not fine
        while self._past[0][0] <= now - _HOUR:
            self._failures -= not self._past.popleft()[1]
        total = len(self._past)
        if total >= self.fewest and self._failures * 100 > 95 * total:
            self.disabled = True
            self._turns.clear()
            self._waiting.clear()

    def _is_due(self, now: int) -> bool:
        return bool(self._turns) and self._turns[0][0] <= now

    def _turn(self, when: int, parcel: _Parcel) -> None:
        heappush(self._turns, (when, self._number(), parcel))

    def _number(self) -> int:
        self._count += 1
        return self._count

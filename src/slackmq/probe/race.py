"""P1 and P2: many clients ask for one emoji, or one pin, at the same moment, and one of them gets it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.claiming.marks import CLOCKS
from slackmq.probe.bench import Outcome
from slackmq.probe.finding import ONE_APP, Finding, Verdict
from slackmq.probe.plan import ROUNDS_A_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slackmq.probe.bench import Bench
    from slackmq.probe.plan import Race

__all__ = ["Round", "judge_race", "race_for_emoji", "race_for_pins"]

_RACERS = 2
"""A round that fewer clients ran decides nothing."""
_REMEDY = {
    "P1": 'Do not use claim="reaction" or "native" here: two workers could hold one message. Please report this.',
    "P2": 'Do not use claim="pin" here: two bots could hold one message. Please report this.',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One race.

    Attributes:
        won: clients that were told yes.
        beaten: clients that were told that somebody else was first.
        unanswered: clients that were told nothing; one of them may have won.
    """

    won: int
    beaten: int
    unanswered: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Round:
        """The round in which clients fared so."""
        count = Counter(outcomes)
        return cls(won=count[Outcome.WON], beaten=count[Outcome.BEATEN], unanswered=count[Outcome.UNANSWERED])

    @property
    def counts(self) -> bool:
        """Whether enough clients got their answer for the round to say anything."""
        return self.won + self.beaten >= _RACERS

    @property
    def broken(self) -> bool:
        """Two winners, or none although nobody can have won unseen."""
        return self.won > 1 or (self.won == 0 and self.unanswered == 0)


async def race_for_emoji(bench: Bench, race: Race) -> Finding:
    """P1: several clients of one app put the same emoji on one message at once."""
    rounds: list[Round] = []
    with bench.allowing(race.clients * race.rounds + 2 * (race.rounds // ROUNDS_A_MESSAGE + 1)):
        ts = ""
        for number in range(race.rounds):
            if number % ROUNDS_A_MESSAGE == 0:
                ts = (await bench.post("a race for emoji")).ts
            args = {"channel": bench.channel, "timestamp": ts, "name": CLOCKS[number % ROUNDS_A_MESSAGE]}
            outcomes = await bench.volley("reactions.add", args, clients=race.clients, taken="already_reacted", apps=1)
            rounds.append(Round.of(outcomes))
    return judge_race("P1", rounds, clients=race.clients)


async def race_for_pins(bench: Bench, race: Race) -> Finding:
    """P2: several clients pin one message at once; with a second app, half of them are its own."""
    rounds: list[Round] = []
    with bench.allowing((race.clients + 4) * race.rounds):
        for _ in range(race.rounds):
            ts = (await bench.post("a race for a pin")).ts
            args = {"channel": bench.channel, "timestamp": ts}
            outcomes = await bench.volley(
                "pins.add", args, clients=race.clients, taken="already_pinned", apps=bench.apps
            )
            rounds.append(Round.of(outcomes))
            await bench.unpin(ts)
    return judge_race("P2", rounds, clients=race.clients, apps=bench.apps)


def judge_race(probe: str, rounds: Sequence[Round], *, clients: int, apps: int = 1) -> Finding:
    """Whether each round that counts had exactly one winner."""
    counted = [race for race in rounds if race.counts]
    broken = sum(race.broken for race in counted)
    most = max((race.won for race in counted), default=0)
    verdict = Verdict.BROKEN if broken else Verdict.HOLDS if counted else Verdict.NOT_PROBED
    by = "two apps" if apps > 1 else "one app"
    detail = f"{len(counted)} rounds of {clients} clients of {by}"
    if broken:
        detail += f"; in {broken} of them not one was told yes but {'none' if most == 0 else f'up to {most}'}"
    return Finding(
        probe=probe,
        verdict=verdict,
        tries=len(counted),
        broken=broken,
        detail=detail,
        remedy=_REMEDY[probe] if broken else "",
        unprobed=f"Bots of two apps did not race. {ONE_APP}" if probe == "P2" and apps == 1 else "",
        numbers={
            "clients": clients,
            "apps": apps,
            "most_winners": most,
            "unanswered": sum(race.unanswered for race in rounds),
        },
    )

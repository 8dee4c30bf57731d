"""The nameplate of a process: what it is called and what can be said of it, so that work can be meant for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ALL", "Nameplate", "address"]

ALL = "*"
"""The word of an address that fits every process: what bears it is done by each that has the handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """What a process is called, and what can be said of it.

    Attributes:
        name: shown to people.
        drawn: the name was drawn at random: nobody can mean it, and no later process will bear it.
        labels: what can be said of the process: "gpu", "room=attic".
    """

    name: str
    drawn: bool = False
    labels: frozenset[str] = frozenset()

    @classmethod
    def made(cls, name: str | Nameplate | None, labels: Iterable[str] = (), *, draw: Callable[[], str]) -> Nameplate:
        """The nameplate of a process.

        Args:
            name: its name, or its nameplate as it is; None: it was given none.
            labels: what can be said of it.
            draw: a new id, to make a name of where it was given none.

        Raises:
            ConfigurationError: a label is not one word.
        """
        if isinstance(name, Nameplate):
            return name
        if isinstance(labels, str):
            raise ConfigurationError(f"The labels are {labels!r}.", remedy=f"Give a list of them: [{labels!r}].")
        words = [word for label in labels for word in _words(label, "label")]
        return cls(name=name or f"worker-{draw()[:8]}", drawn=not name, labels=frozenset(words))

    def fits(self, on: str) -> bool:
        """Whether work with this address may be done here: each of its words is the name, a label, or `ALL`."""
        known = self.labels | {ALL} if self.drawn else self.labels | {ALL, self.name}
        return known.issuperset(on.split())


def address(*words: str | None, every_bot: bool = False) -> str:
    """An address of these words, each a name or a label; whoever does the work must fit all of them.

    Args:
        words: names and labels, or addresses; what is None or "" says nothing.
        every_bot: whether all that fit shall do it.

    Raises:
        ConfigurationError: one is not one word, or the one that is kept for `every_bot`.
    """
    found = [word for given in words if given for part in given.split() for word in _words(part, "address")]
    return " ".join(dict.fromkeys([*([ALL] if every_bot else []), *found]))


def _words(text: str, what: str) -> list[str]:
    if text.split() != [text] or text == ALL:
        raise ConfigurationError(
            f"{text!r} is no {what}.",
            remedy='Write one word, as "pi-1" or "room=attic"; for all processes there is every_bot=True.',
        )
    return [text]

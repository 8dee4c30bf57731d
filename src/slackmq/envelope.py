"""A job to a Slack message and back: what is written, how it is checked, how large it may be."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.errors import (
    EnvelopeDamaged,
    EnvelopeTooLarge,
    EnvelopeTooNew,
    ForeignEnvelope,
    MessageEdited,
)
from slackmq.message import Message, Post
from slackmq.nameplate import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.errors import (
        MessageRejected,
    )
    from slackmq.message import Json

__all__ = [
    "BODY_LIMIT",
    "EVERYBODY",
    "JOB",
    "VERSION",
    "Letter",
    "Sealed",
    "Stamp",
    "finished",
    "is_finished",
    "preview",
    "seal",
    "typed",
    "unseal",
]

JOB = "slackmq_job"
"""The type of the metadata that makes a message a job."""
EVERYBODY = "*"
"""Addressed to the bots of all apps that work the channel."""
VERSION = 4
"""The newest version of the envelope that this library reads. It writes the oldest one that says all: 2 is what has a
priority or an expiry, 3 what has a delay, 4 what waits for other jobs, is for one worker, has its body in a file or is
a batch, which a reader of the version before would not heed."""
BODY_LIMIT = 8_000
"""Bytes of a job's arguments as JSON. Slack refuses larger metadata with `metadata_too_large` and publishes no number
(docs.slack.dev/reference/methods/chat.postMessage), so this stays far below what is known to pass."""
_PREVIEW_LIMIT, _GLIMPSE_LIMIT = 300, 120
_WORD_LIMIT, _WORD_SHOWN = 200, 12
_ENDED, _DONE = "ended", "done"
_TS = re.compile(r"\d+\.\d+", re.ASCII)
_EVERY = "every bot"


class Stamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The metadata of a job, as it stands in Slack: flat, because Slack's guidelines ask for flat metadata.

    Attributes:
        v: version of this format.
        to: user id of the bot that shall do it.
        kind: name of the handler.
        body: the arguments, as a JSON object in a string.
        key: the idempotency key.
        keyed: True if the poster chose the key.
        repost: 0, or the number of the repetition of an unanswered post.
        sent_at: when it was sent, seconds since 1970 by Slack's clock, as a decimal string.
        lease: seconds that a claim lasts; absent if the worker decides.
        priority: of what waits, that with the higher number is begun first; absent in version 1.
        expires: what nobody has begun by then is dropped, seconds since 1970 as a decimal string; absent in version 1.
        delay: seconds after its posting before which nobody begins it; absent before version 3.
        after: timestamps of the jobs that must be done before it, with blanks between; absent before version 4.
        on: the worker that shall do it, by name or label; absent before version 4.
        file: the file that holds the body, "<file id>/<sha256>"; absent before version 4.
        batch: how many jobs it carries; absent before version 4.
        sha256: digest of all other fields but `repost`, `sent_at`, `origin`, `link` and `trace`.
        origin: the key of the dead job that it repeats; absent if it repeats none.
        link: where that came from; absent as `origin`.
        trace: the trace that it belongs to; absent if it belongs to none.
    """

    v: int
    to: str
    kind: str
    body: str
    key: str
    keyed: bool
    repost: int
    sent_at: str
    sha256: str
    lease: float | None = None
    priority: int | None = None
    expires: str | None = None
    origin: str | None = None
    trace: str | None = None
    link: str | None = None
    delay: float | None = None
    after: str | None = None
    on: str | None = None
    file: str | None = None
    batch: int | None = None

    def digest(self) -> str:
        """The digest that `sha256` must hold."""
        content = [self.v, self.to, self.kind, self.body, self.key, self.keyed, self.lease]
        if self.v > 1:
            content += [self.priority, self.expires]
        if self.v > 2:  # noqa: PLR2004  # the version that has it
            content.append(self.delay)
        if self.v > 3:  # noqa: PLR2004  # as above
            content += [self.after, self.on, self.file, self.batch]
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A job ready to be posted: what people read, and what programs read."""

    text: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that concerns a queue, and what is wrong with it, if anything."""

    message: Message
    error: MessageRejected | None = None


def preview(post: Post) -> str:
    """The job as a person reads it in the channel: `resize(path="cat.png", width=300)`, cut if it is long."""
    line = _batch(post) if post.batch else f"{post.kind}({_arguments(post.body) or ('…' if post.file else '')})"
    limit = _GLIMPSE_LIMIT if post.file else _PREVIEW_LIMIT
    line = line if len(line) <= limit else line[: limit - 2] + "…)"
    line = f"{line} — for {' '.join(_EVERY if word == ALL else word for word in post.on.split())}" if post.on else line
    return f"{line} — again: {post.link}" if post.link else line


def _batch(post: Post) -> str:
    """A batch as a person reads it: `resize, 2 jobs: (path="a.png"), (path="b.png")`, and which if not all."""
    jobs = post.body.get("jobs")
    told = [f"({_arguments(job)})" for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else ["…"]
    numbers = f" ({post.body['numbers']})" if "numbers" in post.body else ""
    return f"{post.kind}, {post.batch} jobs{numbers}: {', '.join(told)}"


def _arguments(body: Mapping[str, Json]) -> str:
    return ", ".join(f"{name}={_json(_shown(value))}" for name, value in body.items())


def _told(post: Post, size: int, sent_at: float, link: Callable[[str], str]) -> str:
    """The same for people with how large it is, if a file has it, with what it waits for, and not before when."""
    line = preview(post)
    if post.file:
        line = f"{line} — {f'{size:,} bytes ' if post.body else ''}in a file"
    if post.after:
        more = len(post.after) - 1
        line = f"{line} — after {link(post.after[0])}{f' and {more} more' if more else ''}"
    if post.delay is None:
        return line
    due = datetime.fromtimestamp(sent_at + post.delay.total_seconds(), UTC)
    return f"{line} — not before {due:%Y-%m-%d %H:%M:%S} UTC"


def seal(post: Post, *, to: str, sent_at: float, repost: int = 0, link: Callable[[str], str] = str) -> Sealed:
    """Write a job as a Slack message.

    Args:
        post: the job; if a file has its body, that is left out.
        to: user id of the bot whose workers shall do it.
        sent_at: a moment by Slack's clock that certainly is over, in seconds since 1970.
        repost: the number of the repetition, if an earlier try was not answered.
        link: the address of a message of the same channel by its ts, for people.

    Raises:
        EnvelopeTooLarge: the arguments are longer than `BODY_LIMIT`, and in no file.
    """
    body = _json(dict(post.body))
    size = len(body.encode())
    if post.file:
        body = "{}"
    elif size > BODY_LIMIT:
        raise EnvelopeTooLarge(
            f"The arguments of {post.kind!r} are {size:,} bytes of JSON, "
            f"and one Slack message carries {BODY_LIMIT:,}; nothing was posted.",
            remedy="Put the data where both sides can reach it, a file or a bucket, and post its address.",
        )
    version = _version(post)
    stamp = Stamp(
        v=version,
        to=to,
        kind=post.kind,
        body=body,
        key=post.key,
        keyed=post.keyed,
        repost=repost,
        sent_at=f"{sent_at:.3f}",
        lease=post.lease.total_seconds() if post.lease else None,
        priority=None if version == 1 else post.priority,
        expires=None if post.expires is None else f"{post.expires:.3f}",
        origin=post.origin or None,
        trace=post.trace or None,
        link=post.link or None,
        delay=post.delay.total_seconds() if post.delay else None,
        after=" ".join(post.after) or None,
        on=post.on or None,
        file=post.file or None,
        batch=post.batch or None,
        sha256="",
    )
    stamp = msgspec.structs.replace(stamp, sha256=stamp.digest())
    payload: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(stamp).items() if value is not None
    }
    return Sealed(text=_told(post, size, sent_at, link), payload=payload)


def _version(post: Post) -> int:
    """The oldest version of the envelope that says all of a job."""
    if post.after or post.on or post.file or post.batch:
        return VERSION
    if post.delay is not None:
        return 3
    return 2 if post.priority or post.expires is not None else 1


def unseal(
    payload: Mapping[str, Any],
    *,
    channel: str,
    ts: str,
    author: str,
    me: str,
    text: str = "",
    shared: bool = False,
) -> Letter | None:
    """Read the metadata of a job that stands in a channel.

    Args:
        payload: the metadata's payload.
        channel: id of the channel.
        ts: the message's timestamp.
        author: user id of who posted it.
        me: user id of this bot.
        text: what people read.
        shared: whether this queue is worked by several apps and a bot posted it: then it may be meant for everybody.

    Returns:
        None if it is addressed to another bot; else the message, with what is wrong with it if anything is.
    """
    everybody = shared and payload.get("to") == EVERYBODY
    if payload.get("to") != me and not everybody:
        return None
    bare = Message(
        channel=channel, ts=ts, author=author, kind=str(payload.get("kind")), text=text, key=f"{channel}/{ts}"
    )
    if author != me and not everybody:
        return Letter(message=bare, error=_foreign(author))
    version = payload.get("v")
    if isinstance(version, int) and version > VERSION:
        return Letter(message=bare, error=_too_new(version))
    try:
        return Letter(message=_read(payload, bare))
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        return Letter(message=bare, error=_damaged(str(error)))


def _read(payload: Mapping[str, Any], bare: Message) -> Message:
    """The job that a payload of ours describes, in place of what is known of it without.

    Raises:
        MsgspecError: a field is missing or of another type.
        ValueError: a field does not say what it should, or the digest does not fit.
    """
    stamp = msgspec.convert(payload, Stamp, strict=False)
    body = msgspec.json.decode(stamp.body, type=dict[str, Any])
    sent_at = float(stamp.sent_at)
    expires = None if stamp.expires is None else float(stamp.expires)
    after = tuple((stamp.after or "").split())
    if stamp.sha256 != stamp.digest():
        raise ValueError("its digest does not fit")
    if wrong := next((ts for ts in after if not _TS.fullmatch(ts) or float(ts) >= float(bare.ts)), None):
        raise ValueError(f"it waits for {wrong}, which cannot stand before it")
    return replace(
        bare,
        kind=stamp.kind,
        body=body,
        key=stamp.key,
        keyed=stamp.keyed,
        repost=stamp.repost,
        sent_at=sent_at,
        lease=None if stamp.lease is None else timedelta(seconds=stamp.lease),
        priority=stamp.priority or 0,
        expires=expires,
        origin=stamp.origin or "",
        trace=stamp.trace or "",
        link=stamp.link or "",
        delay=None if stamp.delay is None else timedelta(seconds=stamp.delay),
        after=after,
        on=stamp.on or "",
        file=stamp.file or "",
        batch=stamp.batch or 0,
    )


def typed(*, channel: str, ts: str, author: str, text: str, edited: bool) -> Letter:
    """A message that a person typed, with what is wrong with it if it was edited."""
    message = Message(channel=channel, ts=ts, author=author, text=text, key=f"{channel}/{ts}")
    return Letter(message=message, error=_edited() if edited else None)


def finished(message: Message, *, link: Callable[[str], str] = str) -> Sealed:
    """The job's message as it stands once the work is done, for the app that posted it to put in its place.

    Args:
        message: the job.
        link: as for `seal`.
    """
    if message.kind is None:
        raise ValueError("nobody but its author can edit what a person typed")
    post = Post(
        kind=message.kind,
        body=message.body,
        key=message.key,
        keyed=message.keyed,
        lease=message.lease,
        priority=message.priority,
        expires=message.expires,
        origin=message.origin,
        trace=message.trace,
        link=message.link,
        delay=message.delay,
        after=message.after,
        on=message.on,
        file=message.file,
        batch=message.batch,
    )
    sealed = seal(post, to=message.author, sent_at=message.sent_at or 0.0, repost=message.repost, link=link)
    # Where a file has the body, only the message itself tells what was in it.
    text = message.text if message.file else sealed.text
    return Sealed(text=f":white_check_mark: {text}", payload={**sealed.payload, _ENDED: _DONE})


def is_finished(payload: Mapping[str, Any]) -> bool:
    """Whether the metadata of a job says that it is done."""
    return payload.get(_ENDED) == _DONE


def _shown(value: Json) -> Json:
    """What a person is spared the most of: a word that long is for programs."""
    cut = isinstance(value, str) and len(value) > _WORD_LIMIT and not any(map(str.isspace, value))
    return f"{str(value)[:_WORD_SHOWN]}…" if cut else value


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _foreign(author: str) -> ForeignEnvelope:
    return ForeignEnvelope(
        f"This job is addressed to this app but was posted by {author}, so it was not done.",
        remedy="Post it with this app's own bot token.",
    )


def _too_new(version: int) -> EnvelopeTooNew:
    return EnvelopeTooNew(
        f"This job is written in version {version} of the envelope; the workers here read up to {VERSION}.",
        remedy="Upgrade slackmq where the workers run, then post the job again.",
    )


def _damaged(why: str) -> EnvelopeDamaged:
    return EnvelopeDamaged(
        f"This job was changed after it was posted ({why}), so it was not done.",
        remedy="Post it again.",
    )


def _edited() -> MessageEdited:
    return MessageEdited(
        "This message was edited after it was posted, so it was not done: nobody can tell which version you meant.",
        remedy="Post it again as a new message.",
    )

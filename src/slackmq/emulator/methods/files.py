"""files.*: upload in three steps, share, show, list and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.content import content_of
from slackmq.emulator.file_rows import file_row, kind_of, shared_row
from slackmq.emulator.identifiers import derived_id, derived_secret
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.rows import authored, place
from slackmq.emulator.state import Stored
from slackmq.emulator.stored_file import StoredFile
from slackmq.emulator.timestamps import is_ts, ts_of

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply
    from slackmq.emulator.state import Channel, Row

__all__ = ["FAMILY"]

FAMILY = Family()
_READ, _WRITE = ("files:read",), ("files:write",)
_MOST_CHANNELS = 100
_LARGEST_SNIPPET = 1024 * 1024
"""Bytes (docs.slack.dev, files.getUploadURLExternal, snippet_too_large)."""
_LONGEST_ALT = 1000
"""Characters of a description (docs.slack.dev, files.getUploadURLExternal, alt_txt)."""
_GROUPS = frozenset({"all", "spaces", "snippets", "images", "gdocs", "zips", "pdfs"})
_MOST_ROWS = 1000


@FAMILY.method("files.getUploadURLExternal", tier=Tier.FOUR, scopes=_WRITE, write=True)
def get_upload_url(call: Call) -> Reply:
    """An address for the bytes, and the id of the file to be."""
    args, state = call.args, call.state
    name, length = args.text("filename"), args.count("length", default=0)
    if not name or length <= 0:
        raise Refusal("missing_argument")
    if args.text("snippet_type") and length > _LARGEST_SNIPPET:
        raise Refusal("snippet_too_large")
    if len(args.text("alt_txt")) > _LONGEST_ALT:
        raise Refusal("alt_txt_too_large")
    ident = derived_id("F", state.seed.team_id, len(state.files))
    ticket = f"{ident}-{derived_secret(state.seed.secret, f'upload/{ident}', 48)}"
    state.files[ident] = StoredFile(
        id=ident,
        ticket=ticket,
        owner=call.caller.user,
        name=name,
        title=name,
        created=call.second,
        length=length,
        alt_text=args.text("alt_txt"),
        snippet=args.text("snippet_type"),
    )
    return {"upload_url": f"{state.origin}/upload/v1/{ticket}", "file_id": ident}


@FAMILY.method("emulator.files.uploaded", tier=Tier.FREE, tokens=frozenset({"operator"}), write=True)
def uploaded(call: Call) -> Reply:
    """The bytes of `file` are kept, `length` of them."""
    file = call.state.files.get(call.args.text("file"))
    if file is None or file.completed:
        raise Refusal("file_not_found")
    file.uploaded, file.length = True, call.args.count("length", default=file.length)
    return {}


@FAMILY.method("files.completeUploadExternal", tier=Tier.FOUR, scopes=_WRITE, write=True)
def complete_upload(call: Call) -> Reply:
    """The uploaded files are there from now on: for the owner alone, or in channels."""
    files, channels = _uploaded(call), _channels(call)
    for channel in channels:
        if call.caller.user not in channel.members:
            raise Refusal("not_in_channel")
        if channel.archived:
            raise Refusal("posting_to_channel_denied")
    content = content_of(call.args, call.state.seed.metadata_size)
    for file, title in files:
        file.completed, file.title = True, title or file.title
        _tell(call, "file_created", file, None)
    for channel in channels:
        _share(call, channel, [file for file, _ in files], content.blocks)
    return {"files": [file_row(call.state, file) for file, _ in files]}


@FAMILY.method("files.info", tier=Tier.FOUR, scopes=_READ)
def info(call: Call) -> Reply:
    """One file."""
    return {"file": file_row(call.state, _visible(call)), "comments": []}


@FAMILY.method("files.list", tier=Tier.THREE, scopes=_READ)
def list_files(call: Call) -> Reply:
    """The files that the caller may see, the newest first, page by page."""
    args, state = call.args, call.state
    user, channel = args.text("user"), args.text("channel")
    groups = set(args.names("types")) or {"all"}
    if user and user not in state.users:
        raise Refusal("user_not_found")
    if not groups <= _GROUPS:
        raise Refusal("unknown_type")
    since, until = args.count("ts_from", default=0), args.count("ts_to", default=1 << 62)
    found = [
        file
        for file in reversed(state.files.values())
        if _sees(call, file)
        and user in {"", file.owner}
        and (not channel or channel in file.shares)
        and since <= file.created <= until
        and ("all" in groups or kind_of(file)[3] in groups)
    ]
    count = min(max(1, args.count("count", default=100)), _MOST_ROWS)
    page = max(1, args.count("page", default=1))
    shown = found[(page - 1) * count : page * count]
    paging = {"count": count, "total": len(found), "page": page, "pages": -(-len(found) // count)}
    return {"files": [file_row(state, file) for file in shown], "paging": paging}


@FAMILY.method("files.delete", tier=Tier.THREE, scopes=_WRITE, write=True)
def delete(call: Call) -> Reply:
    """Delete an own file; messages show that there was one."""
    file = _visible(call)
    if file.owner != call.caller.user:
        raise Refusal("cant_delete_file")
    file.deleted = True
    for ident, rows in file.shares.items():
        channel = call.state.channels[ident]
        for row in rows:
            _bury(channel.messages.get(row["ts"]), file)
        call.tell("file_deleted", channel, {**_deleted(call, file), "channel_ids": [ident]})
    if not file.shares:
        call.tell("file_deleted", None, _deleted(call, file), to=call.caller.app or file.owner)
    return {}


@FAMILY.method("files.upload", tier=Tier.TWO, scopes=_WRITE)
def upload(_call: Call) -> Reply:
    """Gone since November 2025: use files.getUploadURLExternal."""
    raise Refusal("method_deprecated")


def _uploaded(call: Call) -> list[tuple[StoredFile, str]]:
    """The files that the caller names, with their titles."""
    given = call.args.array("files", refusal="invalid_arguments")
    if not given:
        raise Refusal("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: files"]})
    found: list[tuple[StoredFile, str]] = []
    for one in given:
        named: object = cast("Row", one).get("id") if isinstance(one, dict) else None
        file = call.state.files.get(named) if isinstance(named, str) else None
        if file is None or file.owner != call.caller.user or not file.uploaded or file.completed:
            raise Refusal("file_not_found")
        found.append((file, str(cast("Row", one).get("title") or "")))
    return found


def _channels(call: Call) -> list[Channel]:
    named = list(dict.fromkeys(filter(None, [call.args.text("channel_id"), *call.args.names("channels")])))
    if len(named) > _MOST_CHANNELS:
        raise Refusal("channels_limit_exceeded")
    return [call.visible(ident) for ident in named]


def _share(call: Call, channel: Channel, files: list[StoredFile], blocks: list[Row] | None) -> None:
    comment = call.args.text("initial_comment")
    thread = _thread(call, channel)
    ts = channel.stamp(call.now)
    for file in files:
        if channel.private:
            file.private.add(channel.id)
        file.shares.setdefault(channel.id, []).append(_share_row(channel, ts, thread))
    row = authored(call, channel, ts, comment)
    if not comment:
        row.pop("blocks", None)
    if blocks:
        row["blocks"] = blocks
    shown = [shared_row(call.state, file) for file in files]
    row |= {"subtype": "file_share", "files": shown, "upload": True, "display_as_bot": False}
    if thread is not None:
        row |= {"thread_ts": thread, "parent_user_id": channel.messages[thread].row.get("user", "")}
    place(call, channel, ts, Stored(row=row, thread=thread))
    for file in files:
        _tell(call, "file_shared", file, channel)


def _thread(call: Call, channel: Channel) -> str | None:
    given = call.args.text("thread_ts")
    parent = channel.messages.get(given) if is_ts(given) else None
    return None if parent is None else parent.thread or given


def _share_row(channel: Channel, ts: str, thread: str | None) -> Row:
    row: Row = {"reply_users": [], "reply_users_count": 0, "reply_count": 0, "ts": ts, "channel_name": channel.name}
    return row if thread is None else {**row, "thread_ts": thread}


def _visible(call: Call) -> StoredFile:
    """The file that the argument `file` names.

    Raises:
        Refusal: file_not_found; file_deleted; not_visible.
    """
    file = call.state.files.get(call.args.text("file"))
    if file is None or not file.completed:
        raise Refusal("file_not_found")
    if file.deleted:
        raise Refusal("file_deleted")
    if not _sees(call, file):
        raise Refusal("not_visible")
    return file


def _sees(call: Call, file: StoredFile) -> bool:
    if file.deleted or not file.completed:
        return False
    user = call.caller.user
    shared = (call.state.channels[ident] for ident in file.shares)
    return user in {file.owner, *file.handed} or any(
        user in channel.members or (call.caller.type == "user" and not channel.private) for channel in shared
    )


def _tell(call: Call, kind: str, file: StoredFile, channel: Channel | None) -> None:
    told: dict[str, Any] = {"type": kind, "file_id": file.id, "user_id": file.owner, "file": {"id": file.id}}
    if channel is not None:
        told["channel_id"] = channel.id
    to = "" if channel is not None else call.caller.app or file.owner
    call.tell(kind, channel, {**told, "event_ts": ts_of(call.now)}, to=to)


def _deleted(call: Call, file: StoredFile) -> Row:
    return {"type": "file_deleted", "file_id": file.id, "event_ts": ts_of(call.now)}


def _bury(message: Stored | None, file: StoredFile) -> None:
    if message is None:
        return
    left = [{"id": file.id, "mode": "tombstone"} if row["id"] == file.id else row for row in message.row["files"]]
    message.row = {**message.row, "files": left}

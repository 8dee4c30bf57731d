"""The page's webhook handler, served by three processes that all get every event: one answers each, and any may die."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from tests.clients.manifests import Operator, chatbot, eventually

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from slackmq.emulator.launch import About

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "slack-sdk.md"
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SCOPES = ["chat:write", "channels:history", "channels:read", "reactions:read", "reactions:write"]
SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from slack_sdk.signature import SignatureVerifier
from datetime import timedelta
from slackmq.policy import Timing

FAST = Timing(
    lease=timedelta(seconds=4), margin=timedelta(seconds=0.5), skew=timedelta(seconds=0.5),
    scan=timedelta(seconds=1), quiet=timedelta(seconds=1),
)
verifier = SignatureVerifier(os.environ["SIGNING_SECRET"])

def note(event, attempt):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{os.getpid()} {attempt} {event['text']}\\n")
    if event["text"].startswith("slow") and attempt == 1:
        threading.Event().wait(60)

class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        good = verifier.is_valid_request(raw, dict(self.headers))
        answer = (handle(json.loads(raw)) or "") if good else ""
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_): pass
"""
SERVE = """
with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
"""


def program() -> str:
    """The page's code, in a server, with what lets a test see inside."""
    socket, webhook = BLOCKS.findall(PAGE.read_text(encoding="utf-8"))
    setup = socket.partition("@exactly_one")[0]
    handler = webhook.replace('matching="^toggle"', 'matching="^(toggle|slow)", timing=FAST').replace(
        '    event = body["event"]\n', '    event = body["event"]\n    note(event, body["slackmq"]["attempt"])\n'
    )
    return f"{setup}{SERVER}{handler}{SERVE}"


@contextmanager
def fanning_out(ports: Sequence[int]) -> Generator[str]:
    """A balancer at its worst: it sends every request to all servers, and answers with what one said."""

    class Fan(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the standard library calls it
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            answer = b""
            for port in ports:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/", raw, dict(self.headers))
                try:
                    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310  # loopback
                        answer = reply.read() or answer
                except OSError:
                    continue  # that one was killed
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002  # the name is inherited

    with ThreadingHTTPServer(("127.0.0.1", 0), Fan) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/slack/events"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving(emulator: About, installed: Any, folder: Path) -> Generator[subprocess.Popen[str]]:
    """The program as a process."""
    environment = {
        **os.environ,
        "SLACK_BOT_TOKEN": installed["bot_token"],
        "SLACKMQ_URL": emulator.base_url,
        "SIGNING_SECRET": installed["signing_secret"],
        "NOTES": str(folder / "notes"),
    }
    with subprocess.Popen(
        [sys.executable, "-c", program()], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_each_event_is_handled_by_one_server_and_a_killed_ones_by_another(
    emulator: About, jobs: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    ports: list[int] = []
    with ExitStack() as stack:
        url = stack.enter_context(fanning_out(ports))
        operator = Operator(emulator)
        installed = operator.install(chatbot(SCOPES, ["message.channels"], url))
        processes = [stack.enter_context(serving(emulator, installed, tmp_path)) for _ in range(3)]
        ports += [int(process.stdout.readline()) for process in processes if process.stdout]

        def said(text: str) -> str:
            return str(person.chat_postMessage(channel=jobs, text=text)["ts"])

        def answers(ts: str) -> list[str]:
            return [row["text"] for row in person.conversations_replies(channel=jobs, ts=ts)["messages"][1:]]

        def ran() -> list[list[str]]:
            return [line.split(maxsplit=2) for line in notes.read_text(encoding="utf-8").splitlines()]

        quick = [said(f"toggle {number}") for number in range(4)]
        eventually(lambda: all(answers(ts) for ts in quick))
        slow = said("slow one")
        at_work = eventually(lambda: [int(pid) for pid, _, text in ran() if text == "slow one"])
        next(process for process in processes if process.pid == at_work[0]).kill()
        eventually(lambda: "toggled" in answers(slow))
        for (
            ts
        ) in quick:  # where the machine stood still for longer than a lease, the thread says that it was done again
            assert 1 <= answers(ts).count("toggled") <= 1 + sum("attempt" in text for text in answers(ts))
        assert sorted(text for _, attempt, text in ran() if attempt == "1") == [
            "slow one",
            *(f"toggle {number}" for number in range(4)),
        ]
        [again] = [pid for pid, attempt, text in ran() if (attempt, text) == ("2", "slow one")]
        assert int(again) != at_work[0]

"""Becomes the replica of a judge's framework, whose program wants its facts: `launch.py PYTHON PROGRAM FACTS`."""

from __future__ import annotations

import json
import os
import sys
from urllib.parse import urlsplit

python, program, given = sys.argv[1:]
url = os.environ["SLACKMQ_URL"]
facts = {
    **json.loads(given),
    "base_url": url,
    "number": urlsplit(url).port,  # each replica has one of its own, and keeps it when it is started again
    "bot_token": os.environ["SLACK_BOT_TOKEN"],
    "app_token": os.environ["SLACK_APP_TOKEN"],
}
os.execv(python, [python, "-u", program, json.dumps(facts)])  # noqa: S606  # the arguments are this file's own

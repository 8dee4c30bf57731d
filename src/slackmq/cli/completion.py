"""`slackmq completion SHELL`: what a shell needs to complete commands and flags."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["completion"]


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="For which shell.")],
    /,
) -> None:
    """Print the completion for a shell; nothing is written anywhere.

    In bash: `source <(slackmq completion bash)`, in zsh: `slackmq completion zsh > ~/.zfunc/_slackmq`, in fish:
    `slackmq completion fish > ~/.config/fish/completions/slackmq.fish`.
    """
    from slackmq.cli.command import command  # noqa: PLC0415  # it loads every subcommand, this one among them

    sys.stdout.write(command().generate_completion(prog_name="slackmq", shell=shell))

"""`gexterm completion SHELL`: the script that makes a shell complete our command line."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from gexterm.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion_command(shell: str | None) -> None:
    """Print the completion script of SHELL (without one: of $SHELL).

    \b
    bash   eval "$(gexterm completion bash)"     in ~/.bashrc
    zsh    eval "$(gexterm completion zsh)"      in ~/.zshrc
    fish   gexterm completion fish > ~/.config/fish/completions/gexterm.fish
    """  # noqa: D301 (click wants the character)
    from gexterm.cli.completing import script

    wanted = shell or PurePath(os.environ.get("SHELL", "")).name
    if wanted not in SHELLS:
        raise UsageError("which shell it is cannot be told", f"name one of {', '.join(SHELLS)}")
    click.echo(script(wanted))

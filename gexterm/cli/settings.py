"""`gexterm config` and `gexterm keys`: what is set, and what the keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gexterm.config import FeedSettings, UnderlyingSettings


@click.command("config")
def config_command() -> None:
    """Show every setting, its value and whether it comes from the file."""
    from dataclasses import fields

    from gexterm import config, paths

    path = paths.config_file()
    chosen = config.load(path)
    default = config.Settings()
    click.echo(f"# {path}{'' if path.exists() else ' (not there: all defaults)'}")
    for field in fields(chosen):
        if field.name in config.TABLES:
            continue
        value = getattr(chosen, field.name)
        origin = "default" if value == getattr(default, field.name) else "file"
        click.echo(f"{field.name} = {_toml(value)}  # {origin}")
    sections: dict[str, UnderlyingSettings | FeedSettings] = {
        **{f"underlyings.{name}": own for name, own in chosen.underlyings.items()},
        **{f"feeds.{name}": own for name, own in chosen.feeds.items()},
    }
    for section, own in sections.items():
        click.echo(f"\n[{section}]")
        for field in fields(own):
            click.echo(f"{field.name} = {_toml(getattr(own, field.name))}")


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


@click.command("keys")
def keys_command() -> None:
    """Show what the keys of the monitor do."""
    from gexterm.ui.actions import ACTIONS

    group = ""
    for action in ACTIONS:
        if action.group != group:
            group = action.group
            click.echo(f"{group}")
        click.echo(f"  {' '.join(action.keys):<22} {action.title}")
        if action.description:
            click.echo(f"  {'':<22}   {action.description}")

"""`gexterm config`, `keys` and `locate`: what is set, what keys do, where files lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gexterm.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gexterm.config import Settings


@click.group("config", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.pass_context
def config_command(ctx: click.Context, as_json: bool) -> None:
    """Show every setting, its value, and where the value comes from.

    An option of the command line comes before a variable such as GEXTERM_THEME, that before
    the file, and the file before the default.
    """
    if ctx.invoked_subcommand is not None:
        return
    from gexterm import config, paths

    path = paths.config_file()
    chosen = config.load(path)
    origins = config.origins(path)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "file": str(path),
                    "settings": {
                        name: {"value": value, "from": origins.get(name, "default")}
                        for section, name, _, value in _settings(chosen)
                        for name in [f"{section}.{name}" if section else name]
                    },
                },
                indent=2,
            )
        )
        return
    said = "" if path.exists() else " (not there; `gexterm config new` writes one)"
    click.echo(f"# {path}{said}")
    before = ""
    for section, key, _, value in _settings(chosen):
        if section != before:
            click.echo(f"\n[{section}]" if " " not in section else f"\n[[{section.split()[0]}]]")
            before = section
        name = f"{section}.{key}" if section else key
        line = f"{key} = {_toml(value)}"
        click.echo(f"{line:<44}  # {origins.get(name, 'default')}")


@config_command.command("new")
def new_command() -> None:
    """Write a settings file in which every setting stands, commented out, with its meaning."""
    from gexterm import config, paths

    path = paths.config_file()
    lines = ["# gexterm: settings. Take the # away before what is to be another.", ""]
    for section, key, about, value in _settings(config.Settings()):
        if not section:
            lines += [*(f"# {line}" for line in _wrapped(about)), f"# {key} = {_toml(value)}", ""]
    lines += [
        "# Keys: an action of `gexterm keys` and what is to do it.",
        "# [keys]",
        '# theme = "f2"',
        '# snapshot = ["s", "f5"]',
        "",
        "# What holds for one underlying:",
        "# [underlyings.SPX]",
    ]
    lines += [f"# {key} = {_toml(value)}" for key, _, value in _fields(config.UnderlyingSettings())]
    lines += ["", "# Alerts of your own, and where alerts go: docs/alerts.md.", ""]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines))
    except FileExistsError:
        raise OutputError(f"{path} is there already", "edit it; nothing was changed") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    click.echo(path)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 96)


def _fields(settings: Any) -> Iterator[tuple[str, str, Any]]:
    """Name, meaning and value of every plain setting of a class of settings."""
    import dataclasses
    import sys

    from gexterm.reading.schema import field_docs

    cls = type(settings)
    docs = field_docs(sys.modules[cls.__module__]).get(cls.__name__, {})
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if not dataclasses.is_dataclass(value):
            yield one.name, docs.get(one.name, ""), value


def _settings(chosen: Settings) -> Iterator[tuple[str, str, str, Any]]:
    """Section, key, meaning and value of everything set; the plain ones first."""
    from gexterm import config

    for key, about, value in _fields(chosen):
        if key not in config.TABLES:
            yield "", key, about, value
    for key, keys in chosen.keys.items():
        yield "keys", key, "", list(keys)
    tables: Mapping[str, Mapping[str, Any]] = {
        "underlyings": chosen.underlyings,
        "feeds": chosen.feeds,
        "delivery": chosen.deliveries,
    }
    yield from (("alerts", *found) for found in _fields(chosen.alerts))
    for kind, by_name in tables.items():
        for name, own in by_name.items():
            yield from ((f"{kind}.{name}", *found) for found in _fields(own))
    for number, rule in enumerate(chosen.alert_rules, 1):
        yield from ((f"alert {number}", key, "", value) for key, value in rule.written.items())


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value)


@click.command("keys")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def keys_command(as_json: bool) -> None:
    """Show what the keys of the monitor do, with the changes of the settings.

    Change one under [keys] in the settings: `theme = "f2"`, `snapshot = ["s", "f5"]`; empty
    takes the keys away. Two actions of one screen that want the same key are refused.
    """
    from gexterm.cli.common import settings
    from gexterm.cli.screen import check_keys
    from gexterm.ui.actions import ACTIONS, BY_ID, ROWS, cap, keymap

    chosen = settings()
    check_keys(chosen)
    found = keymap(chosen.keys)
    if as_json:
        said = [
            {
                "id": action.id,
                "keys": list(found[action.id]),
                "default": list(action.keys),
                "group": action.group,
                "title": action.title,
                "description": action.description,
                "screens": list(action.screens),
            }
            for action in ACTIONS
        ]
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    group = ""
    for action in ACTIONS:
        if action.group != group:
            click.echo(f"{chr(10) if group else ''}{action.group}")
            group = action.group
        keys = " ".join(map(cap, found[action.id])) or "(no key)"
        screens = "screens with rows" if action.screens == ROWS else ", ".join(action.screens)
        where = f"  on {screens}" if screens else ""
        own = "" if found[action.id] == BY_ID[action.id].keys else "  (yours)"
        click.echo(f"  {action.id:<19} {keys:<14} {action.title}{where}{own}")


@click.command("locate")
@click.argument("what", required=False)
def locate_command(what: str | None) -> None:
    """Show where gexterm keeps its files, or where one kind of them lies."""
    from gexterm import paths
    from gexterm.cli.common import settings
    from gexterm.cli.opening import recordings_folder, snapshots_folder
    from gexterm.errors import UsageError

    chosen = settings()
    places: dict[str, Path] = {
        "config": paths.config_file(),
        "themes": paths.user_themes(),
        "recordings": recordings_folder(chosen),
        "books": paths.books(),
        "snapshots": snapshots_folder(chosen) or paths.snapshots(),
        "alerts": paths.alerts_history(),
        "ribbons": paths.ribbons(),
        "log": paths.log_file(),
        "samples": paths.bundled("sample_feeds"),
    }
    if what is not None:
        if what not in places:
            raise UsageError(f"nothing is kept as {what!r}", f"choose of {', '.join(places)}")
        click.echo(places[what])
        return
    for name, place in places.items():
        click.echo(f"{name:<12}{place}{'' if place.exists() else '  (not there yet)'}")

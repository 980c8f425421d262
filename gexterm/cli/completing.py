"""What can stand where on the command line, for shells that complete it.

A shell asks while somebody waits: nothing here loads NumPy, polars or Textual, nothing
connects, and what cannot be read completes to nothing. Parameters are known by their name,
so that a new command completes what others do.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

ASKED = "_GEXTERM_COMPLETE"
"""Environment variable in which a shell says what it wants."""
FEEDS = ("deribit", "cboe", "dxlink", "massive", "databento", "tradier")
"""The venues. `feeds.venue` has them too, and loads NumPy; a test holds the two together."""
_INDICES = ("SPX", "NDX", "RUT", "XSP", "SPY", "QQQ", "IWM")
UNDERLYINGS = {"deribit": ("BTC", "ETH"), "cboe": _INDICES}
"""Underlyings to offer, by venue; elsewhere the indices and their funds."""

Complete = Callable[[click.Context, str], list[CompletionItem[str]]]


# -- what there is ------------------------------------------------------------------------


def samples() -> list[tuple[str, str]]:
    """Bundled sample feeds: name and title."""
    from gexterm import paths

    try:
        found = json.loads((paths.bundled("sample_feeds") / "metadata.json").read_bytes())
        return [(str(each["name"]), str(each["title"])) for each in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def themes() -> list[str]:
    """Bundled themes and the user's own."""
    from gexterm import paths

    names: set[str] = set()
    for folder in (paths.bundled("themes"), paths.user_themes()):
        try:
            names |= {path.stem for path in folder.glob("*.toml")}
        except OSError:
            continue
    return sorted(names)


def recordings() -> list[str]:
    """Recordings in the user's folder, newest last by name; at most a hundred."""
    from gexterm import paths

    try:
        chosen = _settings()
        folder = Path(chosen.recordings).expanduser() if chosen.recordings else paths.recordings()
        return sorted(str(path) for path in folder.rglob("*.gexrec"))[-100:]
    except OSError:
        return []


def snapshots() -> list[str]:
    """Names of the snapshots, newest first."""
    from gexterm import paths

    chosen = _settings()
    folder = Path(chosen.snapshots).expanduser() if chosen.snapshots else paths.snapshots()
    try:
        names = [each.name for each in os.scandir(folder) if each.name[:1] != "." and each.is_dir()]
    except OSError:
        return []
    return sorted(names, key=lambda name: name.partition("_")[2], reverse=True)


def underlyings(feed: str) -> list[str]:
    """What the user has set something for, then what is common at a venue."""
    own = list(_settings().underlyings)
    return list(dict.fromkeys((*own, *UNDERLYINGS.get(feed, _INDICES))))


def _settings() -> Any:
    from gexterm import config, paths
    from gexterm.errors import GextermError

    try:
        return config.load(paths.config_file())
    except GextermError:
        return config.Settings()


# -- completing ---------------------------------------------------------------------------


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _told(names: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(n, help=told) for n, told in names if n.startswith(incomplete)]


def _file(incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(incomplete, type="file")]


def _simple(names: Callable[[], Iterable[str]]) -> Complete:
    return lambda _, incomplete: _items(names(), incomplete)


def _underlying(context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    found = underlyings(str(context.params.get("feed") or ""))
    return _items(found, incomplete) or _items(found, incomplete.upper())


def _sample(_: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    return _told(samples(), incomplete)


def _kept(_: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    return _items(snapshots(), incomplete) or _file(incomplete)


def _recording(_: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    # Where a path has been begun, or nothing of ours fits, files are completed by the shell.
    if not incomplete or "/" in incomplete:
        return _file(incomplete)
    return _items(recordings(), incomplete) or _file(incomplete)


def _source(context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    named = _told(samples(), incomplete)
    if context.info_name == "watch":
        feed, colon, _ = incomplete.partition(":")
        feeds = [feed] if colon else FEEDS
        named += _items((f"{f}:{u}" for f in feeds for u in underlyings(f)[:8]), incomplete)
    if not incomplete:
        return named + _items(_near(), "")
    return named or _file(incomplete)


def _near() -> list[str]:
    """Recordings where the user stands."""
    try:
        return sorted(path.name for path in Path().glob("*.gexrec"))
    except OSError:
        return []


COMPLETERS: dict[str, Complete] = {
    "feed": _simple(lambda: FEEDS),
    "underlying": _underlying,
    "theme": _simple(themes),
    "expiry": _simple(lambda: ("0dte", "all")),
    "source": _source,
    "file": _recording,
    "recordings": _recording,
    "which": _kept,
    "before": _kept,
    "after": _kept,
}
"""By the name of a parameter."""
_BY_COMMAND: dict[tuple[str, str], Complete] = {
    ("demo", "name"): _sample,
    ("show", "name"): _simple(themes),
}
"""By command and parameter, where the name alone does not tell."""


def attach(name: str, command: click.Command) -> None:
    """Have the parameters of a command, and of those in it, complete what we know of."""
    for param in command.params:
        found = _BY_COMMAND.get((name, param.name or "")) or COMPLETERS.get(param.name or "")
        if found is not None and not isinstance(param.type, click.Choice):
            _bind(param, found)
    if isinstance(command, click.Group):
        for inner_name, inner in command.commands.items():
            attach(inner_name, inner)


def _bind(param: click.Parameter, complete: Complete) -> None:
    def shell_complete(context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        return complete(context, incomplete)

    # An attribute of this one parameter: others of its class go on as they were.
    vars(param)["shell_complete"] = shell_complete


# -- shells -------------------------------------------------------------------------------


class Bash(BashComplete):
    """Bash takes `deribit:BTC` for three words, and wants the last of them completed."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, and the one begun; joined again where bash broke them at a colon."""
        args, incomplete = super().get_completion_args()
        words: list[str] = []
        joins = False
        for word in (*args, incomplete):
            if words and (joins or word.startswith(":")):
                words[-1] += word
            else:
                words.append(word)
            joins = word.endswith(":") and len(words) > 1
        begun = words.pop() if words else ""
        self._prefix = begun[: begun.rfind(":") + 1]
        return words, begun

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The item without what bash holds to be finished."""
        if item.type != "plain":
            return super().format_completion(item)
        value = str(item.value).removeprefix(getattr(self, "_prefix", ""))
        return f"{item.type},{shlex.quote(value) if ' ' in value else value}"


_SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": ZshComplete, "fish": FishComplete}


def register() -> None:
    """Let click answer with our classes."""
    for name, shell in _SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str) -> str:
    """The script for a shell of `_SHELLS`, to be evaluated by it."""
    from gexterm.cli.main import cli

    made = _SHELLS[shell](cli, {}, "gexterm", ASKED)
    return made.source_template % made.source_vars()

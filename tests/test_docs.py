"""What the documents tell a user to type, set or read is what the program has."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gexterm import config
from gexterm.cli.main import cli
from gexterm.errors import UsageError
from gexterm.feeds.databento import protocol as databento
from gexterm.feeds.deribit import protocol as deribit
from gexterm.feeds.dxlink import protocol as dxlink
from gexterm.feeds.massive import refill, subscriptions
from gexterm.feeds.tradier import protocol as tradier
from gexterm.feeds.venue import VENUES, FeedOptions, find_venue
from gexterm.reading.model import Health

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/feeds.md", "docs/live.md",
    "docs/monitor.md", "docs/recording.md", "docs/signing.md", "docs/accuracy.md",
    "docs/simulator.md",
]  # fmt: skip
EVERYBODYS = {
    "GEXTERM_LIVE", "GEXTERM_TEST_DATA", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
}  # fmt: skip
"""Names that belong to no venue: ours for tests, and the system's."""
_SPAN = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_OPTION = re.compile(r"--[a-z][a-z-]*")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def told(name: str) -> Iterator[str]:
    """What is typed as code on a page: indented or fenced lines, and spans within a line."""
    fenced = False
    for line in page(name).splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()
        else:
            yield from _SPAN.findall(line)


def commands(name: str) -> Iterator[list[str]]:
    """The words of every `gexterm …` on a page, up to where its explanation begins."""
    for text in told(name):
        for found in re.finditer(r"(?:^|&& |exec \S*/)gexterm (?=[a-z-])(.*)", text):
            typed = re.split(r" {2,}| && | #|[…;]", found[1])[0]
            yield shlex.split(typed.rstrip("'"))


def options_of(command: click.Command) -> set[str]:
    return {o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")}


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and the words after it."""
    command: click.Command = cli
    rest = list(words)
    while rest and isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            break
        command, rest = inner, rest[1:]
    return command, rest


@pytest.mark.parametrize("name", PAGES)
def test_every_command_exists_with_the_options_it_is_shown_with(name: str) -> None:
    for words in commands(name):
        command, rest = resolve(words)
        assert command is not cli or words[0].startswith("-"), f"gexterm {' '.join(words)}"
        for word in rest:
            if word.startswith("-"):
                known = options_of(command) | {"-h", "--help"}
                assert word.split("=")[0] in known, f"gexterm {' '.join(words)}"


@pytest.mark.parametrize("name", ["README.md", "docs/feeds.md", "docs/live.md"])
def test_every_venue_that_is_shown_exists_and_is_shown(name: str) -> None:
    shown = {
        rest[0]
        for command, rest in map(resolve, commands(name))
        if command.name in ("live", "record", "doctor", "login", "logout") and rest
        if not rest[0].startswith("$")
    }
    assert shown - {"FEED"} <= set(VENUES)
    if name == "docs/feeds.md":
        assert set(VENUES) <= shown


@pytest.mark.parametrize("name", [each for each in PAGES if each != "CHANGELOG.md"])
def test_options_named_alone_belong_to_some_command(name: str) -> None:
    known = {option for command in every(cli) for option in options_of(command)}
    for text in told(name):
        # Others' programs have options of their own.
        if not re.match(r"(gexterm |--|record -)", text):
            continue
        assert set(_OPTION.findall(text)) <= known, text


def every(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from every(inner)


@pytest.mark.parametrize("name", PAGES)
def test_names_in_the_environment_are_those_that_are_read(name: str) -> None:
    read = {spec.env for venue in map(find_venue, VENUES) for spec in venue.secrets}
    shown = {found for text in told(name) for found in _NAME.findall(text)}
    assert {each for each in shown if not is_coin(each)} <= EVERYBODYS | read
    if name == "docs/feeds.md":
        assert read <= shown


def is_coin(name: str) -> bool:
    """Whether it is an underlying of Deribit's."""
    try:
        find_venue("deribit").make(name, {}, FeedOptions())
    except UsageError:
        return False
    return True


def test_the_settings_shown_are_taken_as_they_stand(tmp_path: Path) -> None:
    """Every block of settings is read without a complaint, and says what the default is."""
    shown = 0
    for name in ("README.md", "docs/live.md"):
        text = page(name).partition("## Settings")[2].partition("\n## ")[0]
        block = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
        path = tmp_path / "config.toml"
        path.write_text(block, encoding="utf-8")
        loaded = config.load(path)
        shown += len(tomllib.loads(block))
        if name == "docs/live.md":
            plain = config.Settings()
            for key in ("record", "recordings", "recording_days", "recording_gb"):
                assert getattr(loaded, key) == getattr(plain, key), key
    assert shown


def test_what_a_feed_says_is_quoted_as_it_says_it() -> None:
    """Reasons in the table of `docs/feeds.md` are words that the program has."""
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "gexterm").rglob("*.py"))
    )
    source = re.sub(r'"\s*\n\s*f?"', "", source)
    table = page("docs/feeds.md").partition("| reason | what to do |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    quoted = [span for row in rows for span in _SPAN.findall(row)]
    assert len(quoted) > 10
    for span in quoted:
        parts = [part.strip() for part in re.split(r"…|\d+", span)]
        for part in filter(None, parts):
            assert _somewhere(part, source), span


def _somewhere(words: str, source: str) -> bool:
    """Whether the program has these words, in one piece or put together of pieces."""
    left = words.split()
    least = min(2, len(left))  # any single word is somewhere
    while left:
        sizes = range(len(left), least - 1, -1)
        taken = next((n for n in sizes if " ".join(left[:n]) in source), 0)
        if not taken:
            return False
        left = left[taken:]
    return True


def test_every_field_of_health_is_defined() -> None:
    text = page("docs/definitions.md")
    for field in (
        "malformed", "misdated", "refilled", "away_s", "clock_skew_s", "listed", "quotes_asked",
        "prints_asked", "window", "heard_from", "gaps", "dropped", "reconnects",
    ):  # fmt: skip
        assert field in Health.__dataclass_fields__
        assert f"`{field}`" in text


@pytest.mark.parametrize("name", [*PAGES, "docs/definitions.md", "docs/alerts.md"])
def test_links_lead_to_something(name: str) -> None:
    here = (ROOT / name).parent
    for target in _LINK.findall(page(name)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        found = here / path if path else ROOT / name
        assert found.exists(), target
        if anchor and found.suffix == ".md":
            assert anchor in set(_anchors(found)), target


def _anchors(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            yield title.replace(" ", "-")


SECTIONS = {
    "deribit": "Deribit",
    "cboe": "Cboe delayed quotes",
    "dxlink": "tastytrade (DXLink)",
    "massive": "Massive",
    "databento": "Databento",
    "tradier": "Tradier",
}
"""Where `docs/feeds.md` tells of a venue."""


def section(venue: str) -> str:
    found = page("docs/feeds.md").partition(f"\n## {SECTIONS[venue]}\n")[2].partition("\n## ")[0]
    assert found, venue
    return found


@pytest.mark.parametrize("name", VENUES)
def test_a_venue_is_told_to_be_checked_as_far_as_it_was(name: str) -> None:
    checked, told_of = find_venue(name).checked, section(name)
    table = told_of.partition("| checked against | |")[2].splitlines()
    cells = [[cell.strip() for cell in row.split("|")] for row in table if row.count("|") == 3]
    rows = {what: said for _, what, said, _ in cells}
    assert rows["live server"] == checked.live
    versions = re.findall(r"\S+ \d+\.\d[\d.]*", checked.client)
    assert all(version in rows["another client"] for version in versions)
    assert bool(versions) == (not rows["another client"].startswith("none"))


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("deribit", deribit.MOST),
        ("dxlink", dxlink.MOST),
        ("dxlink", dxlink.MOST_TAPE),
        ("massive", subscriptions.MOST_QUOTES),
        ("massive", refill.MOST_REQUESTS),
        ("databento", databento.MOST),
        ("tradier", tradier.MOST),
    ],
)
def test_the_limits_told_of_a_venue_are_those_kept_to(name: str, limit: int) -> None:
    assert re.search(rf"\b{limit:,}\b", section(name))


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/feeds.md", "docs/signing.md"])
def test_files_of_ours_that_are_named_are_there(name: str) -> None:
    roots = [ROOT, ROOT / "gexterm", ROOT / "tests", ROOT / "tests/venues"]
    named = {span for span in told(name) if re.fullmatch(r"[a-z_/]+(\.py|/)", span)}
    assert named
    for span in named:
        assert any((root / span).exists() for root in roots), span

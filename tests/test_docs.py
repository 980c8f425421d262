"""What the documents tell a user to type, set or read is what the program has."""

from __future__ import annotations

import math
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from gexterm import config, config_alerts
from gexterm.alerts.delivery import services
from gexterm.cli.main import cli
from gexterm.cli.serve import TOKEN_ENV
from gexterm.errors import UsageError
from gexterm.feeds.databento import protocol as databento
from gexterm.feeds.deribit import protocol as deribit
from gexterm.feeds.dxlink import protocol as dxlink
from gexterm.feeds.massive import refill, subscriptions
from gexterm.feeds.tradier import protocol as tradier
from gexterm.feeds.venue import VENUES, FeedOptions, find_venue
from gexterm.reading.model import Health
from gexterm.reference import white_paper
from gexterm.ui import themes
from gexterm.ui.actions import ACTIONS, GROUPS, SCREENS, cap, keymap
from gexterm.ui.screens.base import View

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    *sorted(f"docs/screens/{path.name}" for path in (ROOT / "docs/screens").glob("*.md")),
]  # fmt: skip
EVERYBODYS = {
    "GEXTERM_LIVE", "GEXTERM_TEST_DATA", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
    "NO_COLOR", "LC_ALL", "LC_CTYPE", "TEXTUAL_COLOR_SYSTEM", "CRON_TZ", TOKEN_ENV, services.ENV,
    *(f"{config.PREFIX}{one.name.upper()}" for one in fields(config.Settings)
      if one.name not in config.TABLES),
}  # fmt: skip
"""Names that belong to no venue: ours, and the system's."""
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
        if text.startswith("Description="):
            continue
        for found in re.finditer(r"""(?:^|[\s"'(=]|/bin/)gexterm (?=[a-z-])(.*)""", text):
            typed = re.split(r""" {2,}| && | #| \| | > | >> |[…;"]""", found[1])[0]
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
                known = {o for each in every(command) for o in options_of(each)} | {"-h", "--help"}
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


@pytest.mark.parametrize("name", PAGES)
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


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "docs/feeds.md", "docs/signing.md", "docs/recipes.md"]
)
def test_files_of_ours_that_are_named_are_there(name: str) -> None:
    roots = [ROOT, ROOT / "gexterm", ROOT / "tests", ROOT / "tests/venues"]
    named = {span for span in told(name) if re.fullmatch(r"[a-z_/]+(\.py|/)", span)}
    assert named
    for span in named:
        assert any((root / span).exists() for root in roots), span


def rows_of(text: str) -> Iterator[list[str]]:
    """Cells of the rows of every table in a text, without heads."""
    for line in text.splitlines():
        if line.startswith("| ") and line.rstrip().endswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            yield [cell.strip() for cell in cells]


def part(name: str, title: str, level: str = "##") -> str:
    """What stands under a title of a page."""
    found = page(name).partition(f"\n{level} {title}")[2].partition("\n## ")[0]
    assert found, title
    return found


def test_every_action_stands_in_the_table_of_keys_with_its_keys() -> None:
    told_of = {
        action.strip("`"): tuple(_SPAN.findall(keys))
        for keys, action, *_ in rows_of(part("docs/monitor.md", "Keys"))
        if action.startswith("`")
    }
    assert told_of == {a.id: tuple(cap(key) for key in a.keys) for a in ACTIONS}
    heads = re.findall(r"^### (.+)$", part("docs/monitor.md", "Keys"), re.M)
    assert tuple(heads) == GROUPS


def test_every_screen_has_a_page_that_the_monitor_s_page_leads_to() -> None:
    text = page("docs/monitor.md") + page("README.md")
    for name in SCREENS:
        assert (ROOT / f"docs/screens/{name}.md").exists()
        assert f"](screens/{name}.md)" in text
        assert f"](docs/screens/{name}.md)" in text


@pytest.mark.parametrize("name", SCREENS)
def test_keys_on_the_page_of_a_screen_are_keys_of_that_screen(name: str) -> None:
    """First column of its tables of keys."""
    here = {cap(k) for a in ACTIONS if not a.screens or name in a.screens for k in a.keys}
    shown = [
        key
        for table in re.findall(r"\| key \|.*?\n\n", page(f"docs/screens/{name}.md") + "\n\n", re.S)
        for cells in rows_of(table)
        for span in _SPAN.findall(cells[0])
        for key in span.split()
    ]
    assert set(shown) <= here, set(shown) - here


def test_widths_and_heights_at_which_screens_change_are_told() -> None:
    text = part("docs/monitor.md", "Layout by size")
    steps = re.search(r"widths ([\d, ]+) and heights ([\d, ]+)\.", text)
    assert steps
    widths = [n for n, _ in View.HORIZONTAL_BREAKPOINTS or []][2:]
    heights = [n for n, _ in View.VERTICAL_BREAKPOINTS or []][2:]
    assert [int(n) for n in steps[1].split(",")] == widths
    assert [int(n) for n in steps[2].split(",")] == heights


def told_settings(title: str) -> dict[str, str]:
    found = rows_of(part("docs/settings.md", title))
    return {row[0].strip("`"): row[1].strip("`") for row in found if row[0].startswith("`")}


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Plain settings", config.Settings()),
        ("One underlying", config.UnderlyingSettings()),
        ("One venue", config.FeedSettings()),
        ("Alerts", config_alerts.AlertSettings()),
        ("Deliveries", config_alerts.DeliverySettings("the name")),
    ],
)
def test_every_setting_is_told_with_its_default(title: str, made: object) -> None:
    told_of = told_settings(title)
    names = [f.name for f in fields(made) if f.name not in config.TABLES]  # type: ignore[arg-type]
    assert list(told_of) == names
    for name in names:
        default = getattr(made, name)
        if name == "kind":
            continue
        if isinstance(default, tuple):
            default = list(default)
        assert tomllib.loads(f"x = {told_of[name]}")["x"] == default, name


def blocks(name: str) -> Iterator[str]:
    """Indented or fenced blocks of TOML on a page."""
    text = page(name)
    yield from re.findall(r"```toml\n(.*?)```", text, re.S)
    for found in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.M):
        block = re.sub(r"^    ", "", found, flags=re.M).strip()
        if re.match(r"(\[\[?(keys|alert|alerts|delivery|underlyings|feeds)\b|theme = )", block):
            yield block + "\n"


@pytest.mark.parametrize("name", ["README.md", "docs/monitor.md", "docs/settings.md",
                                  "docs/recipes.md", "docs/alerts.md"])  # fmt: skip
def test_settings_in_every_block_are_taken(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    found = list(blocks(name))
    assert found
    for block in found:
        path.write_text(block, encoding="utf-8")
        keymap(config.load(path, {}).keys)


def test_kinds_of_alerts_deliveries_and_rules_are_told() -> None:
    text = page("docs/alerts.md")
    for kind in config_alerts.KINDS:
        assert f"**{kind}**" in text, kind
        assert f'kind = "{kind}"' in text, kind
    built_in = {row[0] for row in rows_of(part("docs/alerts.md", "Built-in rules"))}
    assert set(config_alerts.BUILT_IN) <= built_in
    deliveries = part("docs/alerts.md", "Deliveries")
    for kind in config_alerts.DELIVERIES:
        assert f"[delivery.{kind}]" in deliveries or f'kind = "{kind}"' in deliveries, kind
    row = next(r for r in rows_of(part("docs/settings.md", "Deliveries")) if r[0] == "`kind`")
    assert tuple(_SPAN.findall(row[2])) == config_alerts.DELIVERIES


def test_bundled_themes_are_told() -> None:
    table = part("docs/themes.md", "The bundled themes")
    told_of = {row[0].strip("`") for row in rows_of(table) if row[0].startswith("`")}
    assert told_of == set(themes.bundled())


def test_the_record_of_the_study_is_told_as_it_is_kept() -> None:
    text = part("docs/paradigm.md", "Base rate and placebo")
    for row in white_paper.table("table2_summary"):
        count = f"{int(row['occurrences_printed']):,}"
        wins, rate = f"{int(row['success_or_target']):,}", float(row["win_or_target_rate_pct"])
        told_of = next(cells for cells in rows_of(text) if cells[0] == row["paradigm"])
        assert told_of[1] == count
        assert wins in told_of[2]
        assert f"{rate:.1f} %" in told_of[2]
    # "hold 77 of 100 driftless days", "72 of 73"; "99.7", "85 of 87"
    for at, minutes, share, digits in (
        ("10:35", 325, "77\nof 100", 0),
        ("15:05", 55, "holds 99.7", 1),
    ):
        row = next(r for r in white_paper.table("table3_bofa") if r["time_et"] == at)
        sigma = 0.6 * math.sqrt(minutes / 390)
        lower, upper = float(row["lower_lis_pct_avg"]), float(row["upper_lis_pct_avg"])
        inside = _normal(upper / sigma) - _normal(lower / sigma)
        assert f"{100 * inside:.{digits}f}" in share
        assert share in text
        assert f"{row['wins']} of {row['occurrences']}" in text
        assert f"−{-lower:.2f} %" in text
        assert f"+{upper:.2f} %" in text


def _normal(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def test_every_picture_is_shown_and_comes_from_the_script() -> None:
    source = (ROOT / "docs/images/make.py").read_text(encoding="utf-8")
    made = set(re.findall(r'^    "([a-z-]+)": Still\(', source, re.M)) | {"tour"}
    kept = {path.stem for path in (ROOT / "docs/images").glob("*.png")}
    shown = {Path(t).stem for name in PAGES for t in _LINK.findall(page(name)) if t.endswith("png")}
    assert made == kept == shown
    tour = (ROOT / "docs/images/tour.png").read_bytes()
    assert len(tour) < 2_500_000
    frames = int.from_bytes(tour[(at := tour.index(b"acTL") + 4) : at + 4], "big")
    assert frames > 20


def test_every_page_is_reached_from_the_readme() -> None:
    seen, todo = set(), ["README.md"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for target in _LINK.findall(page(name)):
            path = target.partition("#")[0]
            if path.endswith(".md") and not path.startswith("http"):
                todo.append(str((ROOT / name).parent.joinpath(path).resolve().relative_to(ROOT)))
    assert set(PAGES) <= seen, set(PAGES) - seen

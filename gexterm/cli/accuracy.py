"""`gexterm accuracy`: how good the inferred book is, against a truth that is known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from gexterm.cli.common import looks_recorded, open_recording, settings
from gexterm.errors import UsageError


@click.command("accuracy")
@click.argument("recordings", nargs=-1, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--open-close",
    "labels",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Compare with a Cboe Open-Close volume file of the recording's day instead.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.1, 120.0),
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="How often the book is compared.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def accuracy_command(
    recordings: tuple[Path, ...], labels: Path | None, every: float, as_json: bool
) -> None:
    """Measure signing and positions against known truth.

    Each FILE is a simulated recording with its truth beside it (`gexterm simulate --truth`);
    several count as several days. Of recordings without one: how much of the tape is
    signed, and how often the rules of the literature say the same. With --open-close: one
    recording with a tape, against what the exchange says market makers did, by series and
    tenor. --json gives one object a line for each kind of FILE.
    """
    if not recordings:
        raise UsageError("accuracy needs a recording", "name one or more files")
    if labels is not None:
        _against_labels(recordings, labels, as_json)
        return
    from gexterm.simulator.truth import truth_path

    # An empty name is the folder that one is in, and has no name to put a truth beside.
    bare = [path for path in recordings if not path.name or not truth_path(path).is_file()]
    true = [path for path in recordings if path not in bare]
    for path in bare:
        if looks_recorded(path):
            click.echo(
                f"note: there is no truth beside {path}; coverage and agreement with the rules of "
                "the literature only",
                err=True,
            )
        else:
            open_recording(path).close()
    parts = []
    if true:
        parts.append(_against_truth(true, every, as_json))
    if bare:
        parts.append(_without_truth(bare, as_json))
    click.echo(("\n" if as_json else "\n\n").join(parts))


def _against_truth(recordings: Sequence[Path], every: float, as_json: bool) -> str:
    from gexterm.study.accuracy import summarise
    from gexterm.study.observe import observe
    from gexterm.study.report import accuracy_json, accuracy_text

    chosen = settings()
    facts = [
        observe(path, chosen, 60.0 * every, _progress(path, i + 1, len(recordings)))
        for i, path in enumerate(recordings)
    ]
    found = summarise(facts)
    return accuracy_json(found) if as_json else accuracy_text(found)


def _without_truth(recordings: Sequence[Path], as_json: bool) -> str:
    from gexterm.study.agreement import agree, together
    from gexterm.study.report import agreement_json, agreement_text

    chosen = settings()
    found = together(
        [
            agree(path, chosen, _progress(path, i + 1, len(recordings)))
            for i, path in enumerate(recordings)
        ]
    )
    return agreement_json(found) if as_json else agreement_text(found)


def _against_labels(recordings: tuple[Path, ...], labels: Path, as_json: bool) -> None:
    if len(recordings) != 1:
        raise UsageError("--open-close compares one recording at a time", "name one file")
    from gexterm.study.labelled import compare
    from gexterm.study.report import labelled_json, labelled_text

    found = compare(recordings[0], labels, settings())
    click.echo(labelled_json(found) if as_json else labelled_text(found))


def _progress(path: Path, number: int, count: int) -> Callable[[float], None] | None:
    """A line that overwrites itself, on terminals only."""
    if not sys.stderr.isatty():
        return None

    def show(share: float) -> None:
        done = number == count and share >= 0.999
        text = "\r\033[K" if done else f"\r{path.name} ({number} of {count}) {share:4.0%}\033[K"
        click.echo(text, nl=False, err=True)

    return show

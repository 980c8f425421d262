"""The sample feeds that come with the program, and what their metadata says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gexterm import paths
from gexterm.errors import InputError, RecordingError

METADATA = "metadata.json"
"""Name of the file that describes the samples of a folder."""


class Happening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something worth seeing in a sample."""

    at: str
    """Market time in New York, `HH:MM`."""
    what: str
    """What can be seen, one line."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bundled recording."""

    name: str
    """What `gexterm demo NAME` calls it."""
    file: str
    """File name within the folder."""
    title: str
    """What it shows, one line."""
    note: str
    """Where it comes from, one line."""
    command: str
    """How it was made."""
    seed: int
    """Everything random in it follows from this."""
    made_with: dict[str, str]
    """Versions of gexterm, numpy and zstandard: another one may need other bytes."""
    date: str
    """Market date, ISO."""
    begins: str
    """First market time in New York, `HH:MM:SS`."""
    ends: str
    """Last market time in New York."""
    contracts: int
    """Contracts in it."""
    events: int
    """Events in it."""
    bytes: int
    """Size of the file."""
    sha256: str
    """Of the file."""
    events_sha256: str
    """Of its events' values, the source left out: the same in every format version."""
    happens: tuple[Happening, ...] = ()
    """What happens when."""
    script: str = ""
    """Name of the bundled script it was made from; empty if from none."""

    @property
    def minutes(self) -> int:
        """How long it is, in market minutes."""
        ends, begins = (dt.time.fromisoformat(t) for t in (self.ends, self.begins))
        seconds = (ends.hour - begins.hour) * 3600 + (ends.minute - begins.minute) * 60
        return round((seconds + ends.second - begins.second) / 60)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A sample and where it lies."""

    path: Path
    """The recording."""
    sample: Sample
    """What its metadata says."""

    @property
    def name(self) -> str:
        """What `gexterm demo NAME` calls it."""
        return self.sample.name


def list_samples(folder: Path | None = None) -> tuple[SampleFile, ...]:
    """The bundled samples, or those of another folder; the default comes first.

    Raises RecordingError when the metadata cannot be read.
    """
    folder = paths.bundled("sample_feeds") if folder is None else folder
    path = folder / METADATA
    try:
        samples = msgspec.json.decode(path.read_bytes(), type=tuple[Sample, ...])
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be read: {error.strerror}", "is gexterm wholly installed?"
        ) from error
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path} does not describe sample feeds: {error}") from error
    # A name is a file name here, never a way elsewhere.
    return tuple(SampleFile(folder / Path(s.file).name, s) for s in samples)


def find_sample(name: str = "", folder: Path | None = None) -> SampleFile:
    """The sample of that name, or the default one.

    Raises InputError for a name that none has, RecordingError as `list_samples`.
    """
    samples = list_samples(folder)
    for sample in samples:
        if name in ("", sample.name):
            return sample
    known = ", ".join(s.name for s in samples) or "none"
    raise InputError(f"there is no sample feed {name!r}", f"there is: {known}")


def describe_samples(samples: tuple[SampleFile, ...]) -> str:
    """Samples for a person: name, date, length and title, and what happens when."""
    if not samples:
        return "there is no sample feed"
    width = max(len(s.name) for s in samples) + 2
    lines = []
    for number, found in enumerate(samples):
        sample = found.sample
        default = ", the default" if number == 0 else ""
        lines.append(f"{sample.name:<{width}}{sample.title}")
        lines.append(
            f"{'':<{width}}{sample.date}, {sample.begins[:5]} to {sample.ends[:5]} New York, "
            f"{sample.minutes} min{default}"
        )
        lines += [f"{'':<{width}}  {h.at}  {h.what}" for h in sample.happens]
    return "\n".join(lines)


def encode_metadata(samples: tuple[Sample, ...]) -> bytes:
    """Samples as `metadata.json` holds them."""
    return msgspec.json.format(msgspec.json.encode(samples), indent=2) + b"\n"

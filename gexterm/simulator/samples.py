"""The bundled sample feeds, made again from their scripts.

    python -m gexterm.simulator.samples [FOLDER]

Writes each recording with its truth, and `metadata.json`; what happens when is measured
on them (`simulator.story`), not taken from the scripts. Samples of other makers that the
folder's metadata names stay as they are. The same scripts give the same events; how many
bytes they take is up to the recording's format and zstandard's version.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import zstandard

import gexterm
from gexterm import paths
from gexterm.errors import GextermError
from gexterm.market.calendar import et
from gexterm.recording.reader import Recording
from gexterm.recording.samples import METADATA, Happening, Sample, encode_metadata, list_samples
from gexterm.simulator.library import find_script
from gexterm.simulator.market import NOTE
from gexterm.simulator.run import record
from gexterm.simulator.story import read_story, tell
from gexterm.simulator.truth import file_sha256

SAMPLES = {
    "gex-target": "gex-target",
    "bofa": "bofa",
    "anti-gex": "anti-gex",
    "sidial": "sidial",
    "lis-breach": "lis-breach-lower",
    "null-day": "null-day",
}
"""Name of each sample, and the bundled script it is made from."""


def make(name: str, folder: Path) -> Sample:
    """Make one sample in a folder, replacing it; returns its metadata."""
    script = find_script(SAMPLES[name])
    path = folder / f"{name}.gexrec"
    made = record(script, path, truth=True, force=True)
    story = read_story(path)
    with Recording(path) as recording:
        info = recording.header.info
    return Sample(
        name=name,
        file=path.name,
        title=script.title,
        note=NOTE,
        command=f"gexterm simulate {script.name} --truth -o {path.name}",
        seed=script.seed,
        made_with={
            "gexterm": gexterm.__version__,
            "numpy": np.__version__,
            "zstandard": zstandard.__version__,
        },
        date=script.date.isoformat(),
        begins=f"{et(info.begins):%H:%M:%S}",
        ends=f"{et(info.ends):%H:%M:%S}",
        contracts=len(story.truth.contracts),
        events=made.events,
        bytes=made.bytes,
        sha256=file_sha256(path),
        events_sha256=made.events_sha256,
        happens=tuple(Happening(at, what) for at, what in tell(story)),
        script=script.name,
    )


def main(arguments: list[str]) -> int:
    """Make all samples in the folder named, or in the bundled one."""
    if len(arguments) > 1:
        sys.stderr.write("usage: python -m gexterm.simulator.samples [FOLDER]\n")
        return 2
    folder = Path(arguments[0]) if arguments else paths.bundled("sample_feeds")
    try:
        kept = list_samples(folder) if (folder / METADATA).exists() else ()
        made = []
        for name in SAMPLES:
            made.append(make(name, folder))
            sys.stderr.write(f"{made[-1].file}: {made[-1].bytes:,} bytes, {made[-1].title}\n")
        others = [sample.sample for sample in kept if sample.name not in SAMPLES]
        (folder / METADATA).write_bytes(encode_metadata((*made, *others)))
    except GextermError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m benchmarks [PART ...]`: everything that is measured, against whom, in one run."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

SKIP = {"__main__", "harness", "flood", "market", "shifted"}


def main() -> int:
    parts = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]))
    chosen = sys.argv[1:] or [p for p in parts if p not in SKIP]
    failed = 0
    for part in chosen:
        print(f"\n{part}")
        for row in importlib.import_module(f"benchmarks.{part}").run():
            verdict = {None: "", True: "met", False: "MISSED"}[row.met]
            failed += row.met is False
            print(f"  {row.name:<62} {row.value:>10.4g} {row.unit:<9} {row.bar:<18} {verdict}")
    return min(failed, 1)


if __name__ == "__main__":
    raise SystemExit(main())

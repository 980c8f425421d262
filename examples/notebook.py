# ruff: noqa: T201
"""A session in a notebook: one day of a sample feed, cell by cell.

Run it as it is (`python examples/notebook.py`), or paste the cells into a notebook. All of
it is synthetic: the sample feeds are made by a seeded script.
"""

# %% What there is to look at
import polars as pl

import gexterm

pl.Config.set_tbl_formatting("ASCII_MARKDOWN")
print(list(gexterm.samples()))

# %% One moment: levels, paradigm, and how sure
with gexterm.open_recording("first-light") as day:
    reading = day.at("10:20")
print(reading.zero_dte.paradigm, dict(reading.zero_dte.probability) or "(assumed, no odds)")
print(gexterm.levels(reading))

# %% The strikes behind it: a polars frame, signs are the dealer's
near = reading.strikes.filter((pl.col("strike") - reading.spot).abs() < 30)
print(near.select("strike", "position", "gex", "charm"))

# %% The half hour as a table, one row every five minutes
with gexterm.open_recording("first-light") as day:
    walked = gexterm.table(
        day.readings(every=300), "spot", "gamma.flip", "zero_dte.paradigm", "zero_dte.target"
    )
print(walked)

# %% What moved between two moments
with gexterm.open_recording("first-light") as day:
    moved = gexterm.compare(day.at("10:05"), day.at("10:30"))
for each in moved.numbers[:4]:
    print(f"{each.name}: {each.before:,.2f} to {each.after:,.2f}")

# %% And if spot fell half a per cent?
answer = gexterm.what_if("first-light", at="10:20", spot_change=-0.005)
print(answer.base.zero_dte.paradigm, "would become", answer.reading.zero_dte.paradigm)
print(answer.notes)

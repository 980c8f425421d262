"""When a series settles, and until when it trades.

- PM: at the close of its date, 16:00 New York or 13:00 on an early close; it trades
  until then.
- AM: at the open of its date, 09:30 New York, on the special opening quotation; it trades
  until 16:15 (13:15) of the session before.
- Deribit: 08:00 UTC, every day of the year.

The root alone decides between AM and PM. An SPX option on another day than a third
Friday is AM all the same: exchanges list every other series under SPXW, so such a date
is either the Thursday before a closed Friday, or the Saturday that symbols carried
until 2015 although trading and settlement were over on Friday. A date without a session
therefore settles on the session before it.

Source: Cboe's SPX and SPXW contract specifications; Deribit's instrument definitions.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from gexterm.market import calendar
from gexterm.market.contracts import Expiry, Settlement
from gexterm.market.roots import root_spec

_UTC8 = dt.time(8, 0, tzinfo=dt.UTC)


@lru_cache(maxsize=8192)
def expiry_of(root: str, date: dt.date) -> Expiry:
    """A series: the options of one root that expire on one date.

    `Expiry.date` is the date given, also where it is no session. Raises SymbolError
    where the root is none.
    """
    spec = root_spec(root)
    if spec.settlement is Settlement.UTC8:
        settles_at = calendar.ns(dt.datetime.combine(date, _UTC8))
        trades_until = settles_at
    else:
        session = calendar.session_on_or_before(date)
        if spec.settlement is Settlement.AM:
            settles_at = calendar.session_open_ns(session)
            trades_until = calendar.index_close_ns(calendar.previous_session(session))
        else:
            settles_at = calendar.session_close_ns(session)
            trades_until = settles_at
    return Expiry(
        root=root,
        date=date,
        settlement=spec.settlement,
        settles_at=settles_at,
        trades_until=trades_until,
        multiplier=spec.multiplier,
        exercise=spec.exercise,
    )

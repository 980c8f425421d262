"""Chain files: one underlying's options at one instant, as other vendors sell or show them.

`read_chain` tells the format from the content, never from the name.

    cboe-quotes     Cboe's quote page, downloaded as CSV
    cboe-delayed    Cboe's delayed quotes, as JSON
    datashop-eod    Cboe DataShop's end-of-day chain, with its 15:45 columns
"""

from gexterm.recording.chains.model import SOURCES, ChainFile, Source
from gexterm.recording.chains.reader import parse_chain, read_chain

__all__ = ["SOURCES", "ChainFile", "Source", "parse_chain", "read_chain"]

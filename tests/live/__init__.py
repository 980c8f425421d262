"""Real venues, on request only: `GEXTERM_LIVE=deribit make test-live`. Never in CI."""

"""What the market is: contracts, session calendar, events, chain state."""

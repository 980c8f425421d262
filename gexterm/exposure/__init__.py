"""What the book makes dealers do, pure: exposures, flip, walls, charm paradigm, regime."""

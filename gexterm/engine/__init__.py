"""Events in, Readings out. Nothing of the terminal."""

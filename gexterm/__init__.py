"""gexterm: a terminal monitor of the option dealer's book."""

__version__ = "0.1.0"

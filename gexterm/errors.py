"""Everything gexterm raises on purpose.

    GextermError
    ├── UsageError              exit 2  the command or its options make no sense
    │   ├── ConfigError                 a setting is wrong
    │   ├── TerminalError               no terminal, or one that cannot be used
    │   └── OutputError                 a file or folder cannot be written
    ├── InputError              exit 3  a file, message or chain cannot be used
    │   ├── SymbolError                 an option symbol does not parse
    │   ├── ChainError                  a chain has nothing to compute with
    │   └── RecordingError              a recording cannot be read
    │       └── RecordingVersionError   it is of another version
    └── ConnectionFailedError   exit 4  no connection, or no address to listen on
        └── PollError                   a page could not be fetched (feeds.cboe_delayed)

A message says what is wrong and where, a hint what to do. The command line
prints both on one line and never a traceback.
"""

from __future__ import annotations


class GextermError(Exception):
    """Base of all deliberate errors."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, and where."""
        self.hint = hint
        """What to do about it; may be empty."""

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(GextermError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting in the configuration is wrong."""


class TerminalError(UsageError):
    """There is no terminal, or it cannot show the monitor."""


class OutputError(UsageError):
    """A file or folder cannot be written."""


class InputError(GextermError):
    """Input that cannot be used."""

    exit_code = 3


class SymbolError(InputError):
    """An option symbol does not parse."""


class ChainError(InputError):
    """A chain has nothing to compute with."""


class RecordingError(InputError):
    """A recording cannot be read."""


class RecordingVersionError(RecordingError):
    """A recording was written by another version of the format."""


class ConnectionFailedError(GextermError):
    """A connection could not be made, kept or offered."""

    exit_code = 4

"""A file that only grows, in whole pieces: what was appended before a failure stays readable."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

from gexterm.errors import OutputError

if sys.platform != "win32":
    import fcntl


class AppendedFile:
    """A new file with a beginning, to which pieces are appended.

    It appears under its name with its whole beginning, or not at all. While open it is
    locked, so that whoever tidies up (`recording.retention`) leaves it alone. `what`
    names it in messages. Raises OutputError where it exists (unless `force`) or cannot be
    written; after a failed `append` it ends with the last whole piece and is closed.
    """

    def __init__(self, path: Path, beginning: bytes, *, what: str, force: bool = False) -> None:
        self.path = path
        self.what = what
        self._file = _create(path, beginning, what, force)
        self.size = len(beginning)
        """Bytes handed to the operating system so far."""

    @property
    def closed(self) -> bool:
        """Whether nothing more can be appended."""
        return self._file.closed

    @property
    def vanished(self) -> bool:
        """Whether the name no longer leads to this file: what is written would be lost."""
        if self._file.closed:
            return False
        try:
            return not os.path.samestat(self.path.lstat(), os.fstat(self._file.fileno()))
        except OSError:
            return True

    def append(self, *pieces: bytes) -> None:
        """Hand pieces to the operating system, all of them or none."""
        if self._file.closed:
            raise OutputError(f"{self.what} {self.path} is closed")
        data = b"".join(pieces)
        try:
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            # No half piece stays behind, as far as the disk lets us.
            with contextlib.suppress(OSError):
                self._file.truncate(self.size)
            with contextlib.suppress(OSError):
                self._file.close()
            raise self._trouble(error) from error
        self.size += len(data)

    def close(self) -> None:
        """Bring everything to the disk and close. Harmless when repeated."""
        if self._file.closed:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._trouble(error) from error
        finally:
            self._file.close()

    def _trouble(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write {self.what} {self.path}: {error.strerror or error}",
            "what was recorded until now is kept",
        )


def in_use(descriptor: int) -> bool:
    """Whether somebody is appending to an open file. False where there are no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def _create(path: Path, beginning: bytes, what: str, force: bool) -> io.FileIO:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = io.FileIO(part, "xb")
    except OSError as error:
        raise _cannot_create(path, error, what) from error
    try:
        if sys.platform != "win32":  # which does not let open files be deleted anyway
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        if file.write(beginning) != len(beginning):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        _give_up(file, part)
        raise _cannot_create(path, error, what) from error
    try:
        publish(part, path, force, what)
    except OutputError:
        _give_up(file, part)
        raise
    return file


def _give_up(file: io.FileIO, part: Path) -> None:
    file.close()
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def publish(part: Path, path: Path, force: bool, what: str = "the recording") -> None:
    """Give a finished file its name; without `force`, only if nothing has that name.

    Raises OutputError when it cannot.
    """
    try:
        if force:
            part.replace(path)
        else:
            _link(part, path)
    except OSError as error:
        raise _cannot_create(path, error, what) from error


def _link(part: Path, path: Path) -> None:
    try:
        # Unlike a rename, a link never replaces what is there.
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        if path.exists():
            raise FileExistsError from None
        part.replace(path)
    else:
        part.unlink()


def _cannot_create(path: Path, error: OSError, what: str) -> OutputError:
    if isinstance(error, FileExistsError):
        return OutputError(f"{path} exists already", "choose another name, or use --force")
    return OutputError(
        f"cannot create {what} {path}: {error.strerror or error}",
        "choose a folder that exists and can be written to",
    )

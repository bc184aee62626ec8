"""Where a report goes: to standard output, or into a file that is replaced as a whole."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from lptui.errors import OutputError
from lptui.text import clean

if TYPE_CHECKING:
    from lptui.headless.watchdog import Watchdog

STDOUT: Final = "-"

LAST_WORDS_S: Final = 1.0
"""What a file gets at the deadline: its disk may be what hangs."""

REMEDIES: Final = {
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "name a file in a folder",
    errno.EISDIR: "name a file in it",
    errno.EACCES: "let this user write in the folder",
    errno.EPERM: "let this user write in the folder",
    errno.EROFS: "choose a folder that can be written to",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
}


class Output(Protocol):
    """What a report is given to."""

    def give(self, report: str, watchdog: Watchdog) -> None:
        """All of the report. Raises OutputError, or OSError where standard output fails."""
        ...

    def last_words(self, report: str) -> None:
        """What stands in a report's place, "" for nothing, without waiting for long."""
        ...


def output_to(given: str | None) -> Output:
    """The output that `--output` names; raises OutputError where no file can be written."""
    if given is None or given == STDOUT:
        return StandardOutput()
    if not given.strip():
        raise OutputError("--output", "its FILE is empty", "is a variable not set?")
    path = Path(os.path.expanduser(given))  # noqa: PTH111 (raises where there is no home)
    if given.endswith(os.sep):
        raise _unwritten(path, errno.EISDIR)
    _refuse(path)
    return ReplacedFile(path)


class StandardOutput:
    """Whoever reads it may take their time."""

    def give(self, report: str, watchdog: Watchdog) -> None:
        watchdog.suspend()  # whoever reads slowly, a pager, is still given all of it
        sys.stdout.write(report)
        sys.stdout.flush()

    def last_words(self, report: str) -> None:
        os.write(1, report.encode(sys.stdout.encoding, "replace"))


class ReplacedFile:
    """Readers see the old report or the new one, whole, and the old one when that fails.

    The file keeps its mode, and where this user may give it away its owner and group.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def give(self, report: str, watchdog: Watchdog) -> None:
        self._replace(report)

    def last_words(self, report: str) -> None:
        if not report:
            return

        def write() -> None:
            try:
                self._replace(report)
            except OutputError as error:
                os.write(2, f"lptui: {error}\n".encode())

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        writing.join(LAST_WORDS_S)

    def _replace(self, report: str) -> None:
        # Beside it, so that it can be renamed; node_exporter reads every `*.prom` of the folder.
        new = self._path.with_name(f".lptui-{secrets.token_hex(6)}.new")
        try:
            _write(new, report, like=self._path)
            new.replace(self._path)
        except OSError as error:
            raise _unwritten(self._path, error.errno) from None
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)


def _refuse(path: Path) -> None:
    """Raises OutputError for what is seen to fail before the fleet is asked."""
    try:
        folder = path.parent.stat().st_mode
        found = path.lstat().st_mode if os.path.lexists(path) else stat.S_IFREG
    except OSError as error:
        raise _unwritten(path, error.errno) from None
    if not stat.S_ISDIR(folder):
        raise _unwritten(path, errno.ENOTDIR)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _unwritten(path, errno.EACCES)
    if stat.S_ISDIR(found):
        raise _unwritten(path, errno.EISDIR)
    if not stat.S_ISREG(found):
        # It would not be written through, but be gone: /dev/null, a pipe, a link to elsewhere.
        why = "it is a link or a device, and would be replaced"
        raise OutputError(_what(path), why, "name the file itself, or - for standard output")


def _write(new: Path, report: str, like: Path) -> None:
    """A file as `like` is, or as this user's umask has it. Raises OSError."""
    # 0o666 less the umask, as a shell's `>` makes it.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        with suppress(FileNotFoundError):
            old = like.stat()
            for owner in (old.st_uid, -1):
                with suppress(PermissionError):
                    os.fchown(descriptor, owner, old.st_gid)
                    break
            os.fchmod(descriptor, old.st_mode & 0o777)
        file.write(report)
        file.flush()
        os.fsync(descriptor)


def _unwritten(path: Path, number: int | None) -> OutputError:
    number = number or errno.EIO
    return OutputError(_what(path), os.strerror(number), REMEDIES.get(number, ""))


def _what(path: Path) -> str:
    return f"--output {clean(str(path))}"

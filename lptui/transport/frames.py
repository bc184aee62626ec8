"""The wire between the console and the shell of a host: prelude, requests, framed replies."""

from __future__ import annotations

import math
import shlex
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import CommandError, ProblemKind
from lptui.text import clean
from lptui.transport.protocols import Command

HELLO_LIMIT: Final = 256 * 1024
"""Most bytes that a login may print before the shell answers."""

_PRELUDE: Final = (
    "LC_ALL=C;LANG=C;TZ=UTC;SYSTEMD_COLORS=0;SYSTEMD_PAGER=;PAGER=cat;"
    "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin;"
    "export LC_ALL LANG TZ SYSTEMD_COLORS SYSTEMD_PAGER PAGER PATH\n"
    # Looked for with the first command that needs it. busybox says 143 where GNU says 124, and
    # an older one has no -k.
    '_w() { [ -n "${_t+x}" ]&&return;_t=;_y=;command -v timeout >/dev/null 2>&1||return;'
    "timeout --version </dev/null >/dev/null 2>&1||_y=143;"
    "timeout -k 2 9 true </dev/null >/dev/null 2>&1&&_t='timeout -k 2'||_t=timeout; }\n"
    '_z() { [ "$1" = "$_y" ]&&return 124;return "$1"; }\n'
    '_e() { printf \'\\n@@%s %s %s\\n\' "$N" "$1" "$2"; }\n'
    "_q() { _i=$1;_s=$2;shift 2;"
    'if [ "$_s" = 0 ]||{ _w;[ -z "$_t" ]; };then "$@" </dev/null 2>/dev/null;'
    'else $_t "$_s" "$@" </dev/null 2>/dev/null;_z "$?";fi;_e "$_i" "$?"; }\n'
    "_m() { _i=$1;_s=$2;shift 2;"
    'if [ "$_s" = 0 ]||{ _w;[ -z "$_t" ]; };then "$@" </dev/null 2>&1;'
    'else $_t "$_s" "$@" </dev/null 2>&1;_z "$?";fi;_e "$_i" "$?"; }\n'
    "_h() { read -r _l </proc/$$/stat;printf '%s' \"$_l\"; }\n"
    # Ends what an abandoned shell left running: PID and start time must both still match.
    "_k() { read -r _l </proc/$1/stat||return 1;set -- $1 $2 ${_l##*) };"
    '[ "${22}" = "$2" ]||return 1;_c=$(cat /proc/$1/task/$1/children);'
    'pkill -KILL -s "$1";for _p in $_c;do kill -9 -$_p;kill -9 $_p;done;'
    "kill -9 -$1;kill -9 $1; }\n"
)

HELLO: Final = b"_q 0 0 _h\n"
"""The first request: its reply ends whatever the login printed, and names the shell's process."""


@dataclass(frozen=True, slots=True)
class ShellProcess:
    """The process of a shell on its host: its id, and its start time in clock ticks since boot."""

    pid: int
    started: int


def prelude(nonce: str) -> bytes:
    """What a new shell is told first."""
    return f"N={nonce}\n{_PRELUDE}".encode()


def hello_process(reply: bytes) -> ShellProcess | None:
    """The shell's process from the reply to HELLO; None where the host has no /proc."""
    line = reply.rpartition(b"\n")[2]
    before, _, after = line.rpartition(b") ")
    fields = after.split()
    try:
        return ShellProcess(int(before.split()[0]), int(fields[19]))
    except (ValueError, IndexError):
        return None


def request(command: Command, deadline_s: float) -> tuple[bytes, bytes]:
    """A request line but for its number, as what goes before and after it.

    Raises CommandError for words that would not stay one line.
    """
    words = command.argv
    if not words or not words[0]:
        raise CommandError("command", "it is empty", kind=ProblemKind.INTERNAL)
    line = shlex.join(words)
    if "\n" in line or "\0" in line or "\r" in line:
        raise CommandError(
            clean(words[0], 60), "a word of it contains a line break", kind=ProblemKind.INTERNAL
        )
    # Past the deadline nobody listens any more: the far side may as well end it.
    seconds = (
        0 if command.function else max(1, math.ceil(min(command.timeout_s, max(deadline_s, 0.5))))
    )
    verb = b"_m " if command.merge_stderr else b"_q "
    return verb, f" {seconds} {line}\n".encode("utf-8", "surrogateescape")


class Frames:
    """Cuts a shell's output into replies.

    The nonce is known to the shell alone, so nothing that a command prints can end a reply.
    """

    __slots__ = ("_buffer", "_expected", "_marker", "_scanned")

    def __init__(self, nonce: str) -> None:
        self._marker = f"\n@@{nonce} ".encode()
        self._buffer = b""
        self._scanned = 0
        self._expected: deque[tuple[bytes, int]] = deque()

    def expect(self, number: int, limit: int) -> None:
        """The next reply will be to request `number` and give at most `limit` bytes."""
        self._expected.append((b"%d " % number, limit))

    def feed(self, data: bytes) -> list[tuple[bytes, int]]:
        """New output in, complete replies (output and status) out.

        Raises FloodError, which has the replies that were complete before it.
        """
        buffer = self._buffer + data if self._buffer else data
        marker = self._marker
        width = len(marker)
        replies: list[tuple[bytes, int]] = []
        start = 0
        scan = self._scanned
        while self._expected:
            number, limit = self._expected[0]
            at = buffer.find(marker, scan)
            if at < 0:
                scan = max(start, len(buffer) - width + 1)
                if scan - start > limit:
                    raise FloodError(limit, replies)
                break
            if at - start > limit:
                raise FloodError(limit, replies)
            end = buffer.find(b"\n", at + width, at + width + 40)
            if end < 0:
                if len(buffer) - at > width + 40:
                    scan = at + 1
                    continue
                scan = at
                break
            tail = buffer[at + width : end]
            if not tail.startswith(number) or not tail[len(number) :].isdigit():
                scan = at + 1
                continue
            self._expected.popleft()
            replies.append((buffer[start:at], int(tail[len(number) :])))
            start = scan = end + 1
        if not self._expected:
            # Nothing was asked: what comes now belongs to nobody.
            self._buffer = b""
            self._scanned = 0
        else:
            self._buffer = buffer[start:]
            self._scanned = scan - start
        return replies

    @property
    def pending(self) -> bytes:
        """Output that is not a complete reply yet."""
        return self._buffer


class FloodError(Exception):
    """A command gave more than it may."""

    def __init__(self, limit: int, replies: Sequence[tuple[bytes, int]]) -> None:
        super().__init__(limit)
        self.limit = limit
        self.replies = replies

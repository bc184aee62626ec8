"""Never two at once, whoever starts it: a lock that other operators' consoles see.

It is a folder in /tmp on hosts of the fleet, with a note of who holds it and for what; on a few, so
that one which is away or reboots lets nobody else in. It goes with the run; a console that was
killed holds up nobody for longer than the lock lasts.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from lptui.actions.plan import Lock
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.locks import MOST_HOSTS
from lptui.text import clean
from lptui.transport.protocols import Command, ExecResult, Reach

T = TypeVar("T")

SECONDS: Final = 8.0

RELEASE_S: Final = 3.0

NOTE_LIMIT: Final = 4000
"""Characters of a note that are kept; it goes on a command line."""

_HELD: Final = 4
_LOST: Final = 5
_GONE: Final = 6

# Its own folder first, then a look at the others': two that come at once both give way. What
# another has taken over counts for nothing, though its folder may not be removed by anybody else.
_TAKE: Final = f"""\
umask 022
base=$1 mine=$1.$2 note=$3 minutes=$4 how=$5
shift 5
for dead do [ ! -d "$base.$dead" ] || rm -rf "$base.$dead"; done
mkdir "$mine" && printf '%s\\n' "$note" > "$mine/who" || exit 3
for other in "$base".*; do
  [ "$other" != "$mine" ] && [ -d "$other" ] || continue
  if [ ! -f "$other/who" ]; then
    find "$other" -maxdepth 0 -mmin "+$minutes" -exec rm -rf {{}} \\; 2>/dev/null
    continue
  fi
  grep -qsxF "$other" "$base".*/over && continue
  if [ "$how" = steal ]; then
    printf '%s\\n' "$other" >> "$mine/over"
    rm -rf "$other" 2>/dev/null
  elif [ -n "$(find "$other" -maxdepth 0 -mmin "-$minutes")" ]; then
    cat "$other/who" 2>/dev/null
    rm -r "$mine"
    exit {_HELD}
  else
    rm -rf "$other" 2>/dev/null
  fi
done
cat /proc/sys/kernel/random/boot_id 2>/dev/null
exit 0
"""

# What is released meanwhile must not come back as an empty file, where no folder could be made.
# A reboot empties /tmp: then nobody has taken it over.
_HOLD: Final = f"""\
for other in "$1".*; do
  if grep -qsxF "$1.$2" "$other/over"; then
    cat "$other/who" "$other/was" 2>/dev/null
    exit {_LOST}
  fi
done
if [ ! -d "$1.$2" ]; then
  boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
  [ -z "$3" ] || [ -z "$boot" ] || [ "$boot" = "$3" ] || exit {_GONE}
  exit {_LOST}
fi
touch -c "$1.$2"
"""

# What it has taken over stays on record until it has aged: who had it may not have noticed yet.
_RELEASE: Final = """\
if [ -s "$1.$2/over" ]; then mv "$1.$2/who" "$1.$2/was"; else rm -rf "$1.$2"; fi
"""


class FleetLock:
    """The lock of one run."""

    def __init__(self, reach: Reach, lock: Lock, note: str, run: str = "") -> None:
        self._reach = reach
        self._lock = lock
        self._note = note[:NOTE_LIMIT]
        self._mine = run or secrets.token_hex(8)
        self._boots: dict[str, str] = {}
        """Where it is held, and the boot of each host; "" where that is not known."""

    async def take(self, *, steal: bool = False, dead: Sequence[str] = ()) -> str:
        """Raises RefusedError when somebody else holds it; with `steal` it is taken from them.

        What `dead` runs, which certainly have ended, have left is removed first.

        The result says why it could not be taken at all, "" when it is held: a host that lets
        nobody write must not cost the round's reward.
        """
        why: list[str] = []
        left = list(self._lock.hosts)
        try:
            # The first by itself: of two consoles that come at once, one gets it there.
            while left and not self._boots:
                why.append(await self._try_on(left.pop(0), steal, dead))
            while left and len(self._boots) < MOST_HOSTS:
                some = [left.pop(0) for _ in range(min(len(left), MOST_HOSTS - len(self._boots)))]
                why += await _all(self._try_on(host, steal, dead) for host in some)
        except RefusedError:
            await self.release()
            raise
        return "" if self._boots else "; ".join(why)

    async def hold(self) -> None:
        """Goes on holding it; raises RefusedError when somebody else has taken it over.

        A host that does not answer now does not end a run: nobody else can take it there either.
        One that was rebooted has forgotten it, and gets it again, unless another was faster.
        """
        if not self._boots:
            return
        # Where it could not be had, others would take it once that host answers.
        last = max(map(self._lock.hosts.index, self._boots))
        await _all(self._hold_on(host) for host in self._lock.hosts[: last + 1])

    async def _hold_on(self, host: str) -> None:
        boot = self._boots.get(host)
        try:
            done = await self._run(host, _HOLD, self._mine, boot) if boot is not None else None
            if done is None or done.status == _GONE:
                await self._take_on(host, steal=False, dead=())
                return
        except RefusedError:
            raise
        except (LptuiError, TimeoutError):
            return
        if done.status == _LOST:
            raise RefusedError(
                self._lock.path,
                f"another operator has taken the lock over: {_holder(done)}",
                "talk to each other; look at the fleet before anything else is done",
            )

    async def release(self) -> None:
        """Removes it; where that fails it ends by its age."""
        hosts, self._boots = list(self._boots), {}
        argv = ("/bin/sh", "-c", _RELEASE, "lptui", self._lock.path, self._mine)
        for host in hosts:
            with suppress(LptuiError, TimeoutError):
                async with asyncio.timeout(RELEASE_S):
                    await self._reach.execute(host, Command(argv, RELEASE_S))

    async def _try_on(self, host: str, steal: bool, dead: Sequence[str]) -> str:
        """Why it could not be taken there, "" when it is held; raises RefusedError."""
        try:
            return await self._take_on(host, steal, dead)
        except RefusedError:
            raise
        except LptuiError as error:
            return str(error)
        except TimeoutError:
            return f"{host}: no answer within {SECONDS:g} s"

    async def _take_on(self, host: str, steal: bool, dead: Sequence[str]) -> str:
        minutes = str(math.ceil(self._lock.lasts_s / 60))
        word = "steal" if steal else "ask"
        done = await self._run(host, _TAKE, self._mine, self._note, minutes, word, *dead)
        if done.status == _HELD:
            raise RefusedError(
                self._lock.path,
                f"another operator's action is under way: {_holder(done)} (lock on {host})",
                f"wait until it has ended; its lock counts for {minutes} minutes at most",
            )
        if done.status != 0:
            return clean(done.stderr, 200) or f"status {done.status}"
        self._boots[host] = clean(done.stdout, 40)
        return ""

    async def _run(self, host: str, script: str, *words: str) -> ExecResult:
        argv = ("/bin/sh", "-c", script, "lptui", self._lock.path, *words)
        async with asyncio.timeout(SECONDS):
            return await self._reach.execute(host, Command(argv, SECONDS))


async def _all(works: Iterable[Awaitable[T]]) -> list[T]:
    """All of them, side by side, to their end; then the first error is raised."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if not isinstance(one, BaseException)]


def _holder(done: ExecResult) -> str:
    return clean(done.stdout, 400) or "who left no name"

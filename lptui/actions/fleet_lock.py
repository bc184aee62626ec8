"""Never two at once, whoever starts it: a lock that other operators' consoles see.

It is a folder in /tmp on the host of the node that acts, named after the account that signs and
the port of the node's CLI API. It goes with the run, stays while the node may still be at the
call, and counts for nothing after `LASTS_MIN` minutes: a killed console holds up nobody for long.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from lptui.errors import LptuiError, RefusedError
from lptui.text import clean
from lptui.transport.protocols import Command, Reach

LASTS_MIN: Final = 11
"""Longer than a node tries, which is ten minutes."""

SECONDS: Final = 8.0

RELEASE_S: Final = 3.0

_HELD: Final = 4

# Its own folder first, then a look at the others': two that come at once both give way.
_TAKE: Final = f"""\
umask 022
mkdir "$1.$2" && printf '%s\\n' "$3" > "$1.$2/who" || exit 3
for other in "$1".*; do
  [ "$other" != "$1.$2" ] && [ -d "$other" ] || continue
  if [ -n "$(find "$other" -maxdepth 0 -mmin -{LASTS_MIN})" ]; then
    cat "$other/who" 2>/dev/null
    rm -r "$1.$2"
    exit {_HELD}
  fi
  rm -rf "$other" 2>/dev/null
done
exit 0
"""


@dataclass(slots=True)
class FleetLock:
    """The lock of one run."""

    reach: Reach
    host: str
    base: str
    who: str
    _mine: str = field(default_factory=lambda: secrets.token_hex(8))

    async def take(self) -> str:
        """Raises RefusedError when somebody else holds it.

        The result says why it could not be taken at all, "" when it is held: a host that lets
        nobody write must not cost the round's reward.
        """
        argv = ("/bin/sh", "-c", _TAKE, "lptui", self.base, self._mine, self.who)
        try:
            async with asyncio.timeout(SECONDS):
                done = await self.reach.execute(self.host, Command(argv, SECONDS))
        except (LptuiError, TimeoutError) as error:
            return str(error) or f"{self.host}: no answer within {SECONDS:g} s"
        if done.status == _HELD:
            holder = clean(done.stdout, 200) or "who left no name"
            raise RefusedError(
                self.base,
                f"another operator's action is under way: {holder} (lock on {self.host})",
                f"wait until it has ended; its lock counts for {LASTS_MIN} minutes at most",
            )
        if done.status != 0:
            return clean(done.stderr, 200) or f"status {done.status}"
        return ""

    async def release(self) -> None:
        """Removes it; where that fails it ends by its age."""
        argv = ("/bin/rm", "-rf", f"{self.base}.{self._mine}")
        with suppress(LptuiError, TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                await self.reach.execute(self.host, Command(argv, RELEASE_S))

"""A node's log in files, looked through from its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from lptui.errors import LptuiError
from lptui.fleet.facts.logs import WINDOW_S, LogErrors
from lptui.probes.logs import files
from lptui.probes.logs.files import Listing, Piece
from lptui.probes.logs.reader import LONGEST_S, Look, answer
from lptui.probes.logs.scan import WHAT, Scan, of_files, parse
from lptui.transport.protocols import Shell

_BACK_BYTES: Final = 4 * files.MOST_BYTES
"""Of a whole round's lines, the newest that are read."""

_AN_HOUR_S: Final = 3600.0
"""What a clock that was changed since may have been behind."""

_NOTHING: Final = Scan((), (), "", more=False)


@dataclass(frozen=True, slots=True)
class FilesLog:
    """Files whose lines have glog's stamps.

    `now` in UTC seconds; `left` gives the seconds that are left.
    """

    shell: Shell
    patterns: Sequence[str]
    now: float
    left: Callable[[], float]

    async def new(self, before: LogErrors | None) -> Look:
        found = await self._listing()
        zones = [found.zone_s, 0]
        begins_at = self.now - WINDOW_S
        if before is None or before.zone_s is None:
            # An hour that the clock on the wall has twice is looked through whole.
            begins_at -= max(0, found.zone_before_s - found.zone_s)
            return await self._look(found, zones, begins_at, WINDOW_S, partial(_an_hour_ago, found))
        stamp = before.read_to.partition("+")[0]
        passed = found.now - files.seconds_of(stamp, before.zone_s, found.now)
        zones.insert(0, before.zone_s)
        return await self._look(found, zones, begins_at, passed, lambda _: before.read_to)

    async def tries_since(self, at: float) -> Scan:
        found = await self._listing()
        passed = self.now - at
        ago = found.now - passed - _AN_HOUR_S
        look = await self._look(
            found, [found.zone_s, 0], at, passed, partial(files.stamp_of, ago), only_tries=True
        )
        return look.scan

    async def _listing(self) -> Listing:
        left = self.left()
        command = files.listing(self.patterns, min(LONGEST_S, left))
        return files.parse(self.patterns, await answer(self.shell, command, left))

    async def _look(
        self,
        found: Listing,
        zones: Sequence[int],
        begins_at: float,
        passed: float,
        first: Callable[[int], str],
        *,
        only_tries: bool = False,
    ) -> Look:
        """Looks through what was written for so many seconds, by the first zone that can be."""
        most = _BACK_BYTES if only_tries else files.bytes_for(passed, WINDOW_S)
        since = found.now - (passed if passed >= 0 else WINDOW_S)
        portion = files.portion_of(found, since, most)
        pieces = portion.pieces
        if not pieces:
            # A log that has just been made anew is read from there on.
            made_at = found.files[0].changed_at + self.now - found.now
            return Look(
                replace(_NOTHING, from_at=made_at if portion.leaves_out else None), begins_at
            )
        looked: dict[int, Scan] = {}
        for is_only_guess in (False, True):
            for zone_s in dict.fromkeys(zones):
                if zone_s not in looked:
                    looked[zone_s] = await self._scan(found, pieces, zone_s, first, only_tries)
                scan = looked[zone_s]
                if files.fits(found, pieces, scan.last, zone_s, is_only_guess=is_only_guess):
                    if portion.reaches_back and scan.from_at is not None:
                        scan = replace(scan, from_at=None)
                    return Look(scan, begins_at, zone_s)
        raise self._not_known(found, looked[zones[0]])

    async def _scan(
        self,
        found: Listing,
        pieces: Sequence[Piece],
        zone_s: int,
        first: Callable[[int], str],
        only_tries: bool,
    ) -> Scan:
        left = self.left()
        last = files.last_believed(found, zone_s)
        timeout_s = min(LONGEST_S, left)
        command = of_files(pieces, first(zone_s), last, timeout_s, only_tries=only_tries)
        seconds = partial(files.seconds_of, zone_s=zone_s, now=found.now)
        scan = parse(await answer(self.shell, command, left), seconds)
        if scan.last is None:
            return replace(scan, read_to="")
        if scan.from_at is not None:
            return replace(scan, from_at=scan.from_at + self.now - found.now)
        return scan

    def _not_known(self, found: Listing, scan: Scan) -> LptuiError:
        remedy = "let the node write by the host's clock (no TZ of its own), or to the journal"
        if scan.last is None:
            why = "no line of it has a time (as go-livepeer writes it)"
        else:
            newest = files.stamp_of(found.files[0].changed_at, 0)
            why = (
                f"in which zone its times are is not known: the last line says {scan.last[0]}, "
                f"the file was written {newest} UTC"
            )
        return LptuiError(f"{WHAT} in {', '.join(self.patterns)}", why, remedy)


def _an_hour_ago(found: Listing, zone_s: int) -> str:
    """As the log writes it, or earlier."""
    is_hosts = zone_s == found.zone_s
    zone = min(zone_s, found.zone_before_s) if is_hosts else zone_s
    return files.stamp_of(found.now - WINDOW_S, zone)

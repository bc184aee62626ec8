"""From snapshots to panes: how often, which ones, and never for long at a time.

Snapshots may come as fast as they like: only the newest counts. Checks run in a thread. Panes
are brought up to date one after the other, and keys are answered between them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lptui.clock import Clock
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.snapshot import Snapshot
from lptui.history.events import EventLog
from lptui.history.series import History
from lptui.present.catalog import PRESENTERS
from lptui.present.header import fleet_part, lock_part, round_part, worst_part
from lptui.present.locks import brief, mark, others, whole
from lptui.present.model import PaneModel, Row
from lptui.present.view import Findings, Memo, View
from lptui.text import clean
from lptui.tui.background import in_thread

if TYPE_CHECKING:
    from lptui.fleet.facts.lock import LockHolder
    from lptui.fleet.retry import Decision
    from lptui.present.header import Parts

REDRAW_GAP_S = 0.4
"""Panes are drawn at most this often."""

REDRAW_SHARE = 40
"""Drawing may take a fortieth of the time at most…"""

LONGEST_GAP_S = 2.0
"""…but is put off no longer than this."""

IDLE_REDRAW_S = 2.0
"""Without new snapshots panes are still looked at this often: readings grow old."""

CHECK_GAP_S = 1.0
CHECK_SHARE = 40
"""Checks may take a fortieth of the time at most…"""

EFFECT_S = 10.0
"""…but not while the fleet is changed, and for so long after it: its effect is read meanwhile."""

Checks = Callable[[Snapshot], Iterable[Finding]]


def all_checks(snapshot: Snapshot) -> Sequence[Finding]:
    """All checks of the package."""
    from lptui.checks import run_checks

    return tuple(run_checks(snapshot))


class Feed:
    """The newest snapshot, what the checks say of it, and the past."""

    def __init__(self, clock: Clock, checks: Checks = all_checks) -> None:
        self._clock = clock
        self._checks = checks
        self.snapshot: Snapshot | None = None
        self.retries: tuple[Decision, ...] = ()
        self.findings = Findings((), checked=False)
        self.history = History()
        self.events = EventLog()
        self._at_it: dict[str, LockHolder] = {}
        self._memos: dict[str, Memo] = {name: Memo() for name in PRESENTERS}
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._gap_s = REDRAW_GAP_S
        self._checked_number = -1
        self._next_check = 0.0
        self._hurried_until = 0.0

    def receive(self, snapshot: Snapshot) -> None:
        """A subscriber: keeps the snapshot and returns at once."""
        self.snapshot = snapshot
        self._news.set()

    def wake(self) -> None:
        """The operator changed what panes say (an acknowledgement): draws as soon as it can."""
        self._urgent.set()

    def hurry(self) -> None:
        """The fleet is being changed: what is said of it must not be from before."""
        self._next_check = 0.0
        self._hurried_until = self._clock.monotonic() + EFFECT_S

    async def changes(self) -> None:
        """Returns when there is something to draw, not sooner than panes may be drawn again."""
        if not await _within(self._urgent, self._gap_s):
            await _within(self._news, IDLE_REDRAW_S)
        self._urgent.clear()
        self._news.clear()

    @contextlib.contextmanager
    def drawing(self) -> Iterator[None]:
        """Around the drawing: the longer it takes, the longer until the next one."""
        started = self._clock.monotonic()
        yield
        took = self._clock.monotonic() - started
        self._gap_s = min(LONGEST_GAP_S, max(REDRAW_GAP_S, took * REDRAW_SHARE))

    async def digest(self, own_run: str = "") -> None:
        """Records figures and runs the checks when it is time. Never raises for a bad check.

        `own_run` is this console's newest change.
        """
        snapshot = self.snapshot
        if snapshot is None:
            return
        self.history.record(snapshot)
        self._note_others(snapshot, own_run)
        now = self._clock.monotonic()
        settles = snapshot.complete and not self.findings.settled
        if snapshot.number == self._checked_number or (now < self._next_check and not settles):
            return
        self._checked_number = snapshot.number
        await self.check(snapshot)
        took = self._clock.monotonic() - now
        is_hurried = now < self._hurried_until or not snapshot.complete
        share = 1 if is_hurried else CHECK_SHARE
        self._next_check = now + max(CHECK_GAP_S, took * share)

    def _note_others(self, snapshot: Snapshot, own_run: str) -> None:
        """Tells once who else comes to the fleet, and once who goes."""
        now = {holder.run: holder for holder in others(snapshot, own_run)}
        at = self._clock.now()
        for run, holder in now.items():
            if run not in self._at_it:
                self.events.note(at, clean(whole(holder)), Severity.WARNING)
        for run, holder in self._at_it.items():
            if run not in now:
                self.events.note(at, f"no longer: {brief(holder)}", Severity.OK)
        self._at_it = now

    async def check(self, snapshot: Snapshot) -> None:
        """Runs the checks in a thread and notes what began and ended."""
        try:
            found = tuple(await in_thread(self._checks, snapshot))
        except Exception as error:
            self.events.note(
                self._clock.now(), f"a check failed: {type(error).__name__}", Severity.UNKNOWN
            )
            self.findings = Findings((), checked=False)
            return
        if snapshot.complete:
            self.events.observe(self._clock.now(), Findings(found).own())
        self.findings = self._judged(found, snapshot)

    def _judged(self, found: tuple[Finding, ...], snapshot: Snapshot) -> Findings:
        return Findings(
            found, self.events.acknowledged, settled=snapshot.complete, at=snapshot.taken_at
        )

    def view(self, pane: str) -> View | None:
        """What a presenter sees now; None before the first snapshot."""
        if self.snapshot is None:
            return None
        memo = self._memos[pane]
        now = self._clock.now()
        return View(self.snapshot, now, self.findings, self.history, memo, self.retries)

    def present(self, pane: str) -> PaneModel | None:
        """A pane's model now."""
        view = self.view(pane)
        return PRESENTERS[pane](view) if view is not None else None

    def standing(self, row: Row) -> Finding | None:
        """The worst finding about a row that stands and was not acknowledged, or its cause."""
        for finding in self.findings.of(row.subjects[:1]):
            if finding.severity is not Severity.OK and not self.findings.is_seen(finding):
                return self.findings.root(finding)
        return None

    def seen(self, row: Row) -> Finding | None:
        """The worst finding about a row that was acknowledged, or its cause."""
        found = self.findings.of(row.subjects[:1])
        seen = (f for f in found if f.severity is not Severity.OK and self.findings.is_seen(f))
        first = next(seen, None)
        return None if first is None else self.findings.root(first)

    def acknowledge(self, finding: Finding, value: bool = True) -> None:
        """Marks a finding as seen until it ends, or no longer."""
        self.events.observe(self._clock.now(), [*self.findings.own(), finding])
        self.events.acknowledge(finding.id, value)
        held = self.findings
        self.findings = Findings(
            held.all, self.events.acknowledged, settled=held.settled, at=held.at
        )
        self.wake()

    def header_parts(
        self, title: str, *, demo: bool, read_only: bool, old_s: float
    ) -> tuple[Parts, Parts]:
        """The header's left part and the worst state; the clock is the caller's.

        A verdict that is older than `old_s` says so.
        """
        snapshot = self.snapshot
        if snapshot is None:
            parts = fleet_part(title, demo=demo, read_only=read_only, production=False)
            return parts, worst_part({}, checked=False, acknowledged=0)
        fleet = snapshot.fleet
        left = fleet_part(
            fleet.name, demo=demo or fleet.demo, read_only=read_only, production=fleet.production
        )
        counts = self.findings.counts()
        checked = self.findings.checked and (self.findings.settled or bool(counts))
        acknowledged = len(self.events.acknowledged)
        age_s = self._clock.now() - self.findings.at
        worst = worst_part(
            counts,
            checked=checked,
            acknowledged=acknowledged,
            age_s=age_s if age_s > old_s else None,
        )
        at_it = next((mark(holder) for holder in self._at_it.values()), "")
        parts = (*left, *lock_part(at_it), *round_part(snapshot, self._clock.now()))
        return parts, worst


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event comes in so much time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

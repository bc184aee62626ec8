"""What the screen needs of the rest: a fleet that publishes snapshots, and its actions.

The screen knows nothing of hosts, transports or files; a recording or a test is a session too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lptui.actions.comparing import Compared, Verb
    from lptui.actions.journal import Entry
    from lptui.actions.plan import Plan, Request, Result
    from lptui.actions.spec import ActionSpec, Progress, Told
    from lptui.collector.follow import Sink
    from lptui.fleet.logs import Choice, Stream
    from lptui.fleet.retry import Decision
    from lptui.fleet.snapshot import Snapshot
    from lptui.present.inspected import Inspected


class Followed(Protocol):
    """Logs that are followed."""

    async def close(self) -> None:
        """Ends what runs for them on the hosts."""
        ...


class Session(Protocol):
    """A fleet that is being watched. All methods are called on the event loop.

    Attributes:
        title: what to call the fleet before its configuration is read.
        read_only: no action may be planned.
        demo: the fleet is simulated.
        own_run: id of this console's newest change; "" before the first.
    """

    title: str
    read_only: bool
    demo: bool

    @property
    def own_run(self) -> str: ...

    async def start(self) -> None:
        """Reads the configuration and begins to collect; returns at once after that.

        Raises LptuiError when it cannot: the console then ends and shows the error.
        """
        ...

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Calls back with each new snapshot from now on; the result ends that."""
        ...

    def set_interval(self, seconds: float) -> None:
        """Another pace for the fast readings."""
        ...

    def pause(self) -> None:
        """Asks nothing more until `resume`. Actions that run go on."""
        ...

    def resume(self) -> None: ...

    async def spec(self, action_id: str) -> ActionSpec:
        """How an action presents itself. Raises LptuiError when there is none of that name."""
        ...

    async def propose(self, actions: Sequence[str], words: Sequence[str] | None) -> Plan:
        """The plan of the first of these actions that has something to do.

        It is for the first of the words (selectors) that selects something for it, and without
        words (None) for the one thing there is. Raises LptuiError when nothing is selected.
        """
        ...

    async def refusals(
        self, asks: Sequence[tuple[Sequence[str], Sequence[str] | None]]
    ) -> Sequence[str]:
        """For each pair, as `propose` takes them, why there is nothing to do; "" when there is.

        From the newest readings alone, in a few words. Never raises LptuiError.
        """
        ...

    async def plan(self, action_id: str, request: Request) -> Plan:
        """What an action would do to its targets, from readings that are fresh enough.

        Raises LptuiError when it cannot even be planned (unknown action, read-only).
        """
        ...

    async def due(self) -> Sequence[tuple[Plan, Decision]]:
        """What may be called by itself, by the newest readings: each orchestrator's plan.

        Nothing where the operator allows none. Raises LptuiError when it cannot be decided.
        """
        ...

    async def execute(self, plan: Plan, progress: Progress, told: Told, by: str = "") -> Result:
        """Does it and proves it; may take ten minutes. Raises LptuiError when it is refused.

        `by` is who does it when that is not the operator.
        """
        ...

    async def read(self, action_id: str, words: Sequence[str]) -> Sequence[str]:
        """What a declared command that only reads says, safe to show; words as `propose` has.

        Raises LptuiError when nothing is selected.
        """
        ...

    def routes(self) -> Mapping[str, str]:
        """The routes of a node's CLI API that may be asked, and what each tells."""
        ...

    async def inspect(self, node: str, route: str) -> Inspected:
        """What a node answers on one of them; may take minutes. Raises LptuiError for no answer."""
        ...

    def logs(self, words: Sequence[str]) -> Sequence[Choice]:
        """The logs that the first of these selectors means, then wider choices; () for none."""
        ...

    async def follow(self, streams: Sequence[Stream], sink: Sink) -> Followed:
        """Gives the last lines of some logs to the sink, then what is added to them."""
        ...

    def host_of(self, subjects: Sequence[tuple[str, str]]) -> str:
        """The host that a row's subjects are on; "" where there is none."""
        ...

    def login(self, host: str) -> tuple[str, ...]:
        """The command that opens a shell on a host, for the operator's own terminal.

        Raises LptuiError where there is no way to.
        """
        ...

    def abort(self) -> None:
        """No further step of what is being executed."""
        ...

    async def last_run(self) -> Entry | None:
        """The newest run of this console, as it is in the journal; None when it is not there."""
        ...

    async def unfinished(self) -> Sequence[Entry]:
        """Runs that were cut and that nobody is at, the oldest first. Raises LptuiError."""
        ...

    async def compare(self, entry: Entry, verb: Verb) -> Sequence[Compared]:
        """What would become of each step of a run, by a new look. Raises LptuiError."""
        ...

    async def again(self, entry: Entry, verb: Verb, progress: Progress, told: Told) -> Result:
        """Takes a run up again, or back. Raises LptuiError when it is refused."""
        ...

    async def close(self) -> None:
        """Ends all connections; the screen waits for it no longer than two seconds."""
        ...

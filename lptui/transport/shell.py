"""The long-lived shells of one host: at most two, opened on demand, abandoned when wedged.

Requests that consist of shell functions only are quick and may be written one behind the other.
A command may hang (a driver, a dead network mount), so only one shell at a time is given
commands: the other one stays free for the quick readings.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lptui.errors import CommandError, LptuiError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport import frames
from lptui.transport.backoff import Backoff, again
from lptui.transport.deadline import late
from lptui.transport.link import Link, ShellPipe
from lptui.transport.protocols import Command, Output

MOMENT_S: Final = 0.06
"""How long a quick request waits for a busy shell before a second one is opened."""

START_S: Final = 30.0
"""How long a login may take until its shell answers: one that is given up has to begin again."""

MAX_SHELLS: Final = 2
LAST_WORDS_S: Final = 0.15
QUEUE_LIMIT: Final = 256
PIPELINE: Final = 8
SECOND_PAUSE_S: Final = 60.0
"""After the host refused a second shell (MaxSessions), it is not asked again for so long."""

BUSY: Final = "is the host overloaded, or a disk or a driver stuck?"


@dataclass(slots=True, eq=False)
class Batch:
    """Commands that were asked for together, as request lines but for their numbers."""

    commands: Sequence[Command]
    lines: Sequence[tuple[bytes, bytes]]
    answer: asyncio.Future[list[Output]]
    seconds: float
    is_quick: bool
    outputs: list[Output] = field(default_factory=list)

    @property
    def what(self) -> str:
        """The command that is being waited for."""
        number = min(len(self.outputs), len(self.commands) - 1)
        return clean(" ".join(self.commands[number].argv[:2]), 60)

    def fail(self, error: LptuiError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Running:
    """One `/bin/sh`."""

    def __init__(self, owner: HostShell, leftovers: Sequence[frames.ShellProcess]) -> None:
        self.nonce = secrets.token_hex(8)
        self.frames = frames.Frames(self.nonce)
        self.pipe: ShellPipe | None = None
        self.in_flight: deque[Batch] = deque()
        self.is_ready = False
        self.late_at = asyncio.get_running_loop().time() + START_S
        self.process: frames.ShellProcess | None = None
        self.ended = False
        self._owner = owner
        self._leftovers = leftovers
        self._defined: set[str] = set()
        self._number = 0
        self._silent = 0

    @property
    def is_slow(self) -> bool:
        """It has been given commands that may hang."""
        return any(not batch.is_quick for batch in self.in_flight)

    def takes(self, batch: Batch) -> bool:
        """It can be given this batch behind what it already has."""
        return batch.is_quick and not self.is_slow and len(self.in_flight) < PIPELINE

    def waits_for(self, batch: Batch) -> bool:
        """Nothing else is in the way of this batch that somebody still waits for."""
        before = itertools.takewhile(lambda one: one is not batch, self.in_flight)
        return all(one.answer.done() for one in before)

    def opened(self, pipe: ShellPipe) -> None:
        """It can be written to: prelude, hello, and whom to clear away."""
        self.pipe = pipe
        lines = [frames.prelude(self.nonce), frames.HELLO]
        self.frames.expect(0, frames.HELLO_LIMIT)
        for process in self._leftovers:
            self._number += 1
            self._silent += 1
            lines.append(b"_q %d 0 _k %d %d\n" % (self._number, process.pid, process.started))
            self.frames.expect(self._number, frames.HELLO_LIMIT)
        pipe.write(b"".join(lines))
        self._owner.opened(self)

    def send(self, batch: Batch) -> None:
        """Writes a batch in one go."""
        text: list[bytes] = []
        number = self._number
        for command, (verb, tail) in zip(batch.commands, batch.lines, strict=True):
            function = command.function
            if function is not None and function.text not in self._defined:
                self._defined.add(function.text)
                text.append(function.text.encode() + b"\n")
            number += 1
            text.append(b"%b%d%b" % (verb, number, tail))
            self.frames.expect(number, command.limit)
        self._number = number
        self.in_flight.append(batch)
        assert self.pipe is not None  # noqa: S101
        self.pipe.write(b"".join(text))

    def received(self, data: bytes) -> None:
        """Output of the shell."""
        if self.ended:
            return
        try:
            replies = self.frames.feed(data)
        except frames.FloodError as flood:
            for output, status in flood.replies:
                self._reply(output, status)
            self._owner.flooded(self, flood.limit)
            return
        for output, status in replies:
            self._reply(output, status)
        if replies:
            self._owner.pump()

    def _reply(self, output: bytes, status: int) -> None:
        if not self.is_ready:
            self.is_ready = True
            self.process = frames.hello_process(output)
            self._owner.answered()
        elif self._silent:
            self._silent -= 1
        else:
            batch = self.in_flight[0]
            batch.outputs.append(Output(output, status))
            if len(batch.outputs) == len(batch.commands):
                self.in_flight.popleft()
                if not batch.answer.done():
                    batch.answer.set_result(batch.outputs)


class HostShell:
    """The shells of one host behind one `run`."""

    def __init__(self, link: Link, backoff: Backoff) -> None:
        self._link = link
        self._backoff = backoff
        self._queue: deque[Batch] = deque()
        self._shells: list[Running] = []
        self._opening: asyncio.Task[None] | None = None
        self._leftovers: list[frames.ShellProcess] = []
        self._second_after = 0.0
        self._moment: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def what(self) -> str:
        return f"shell on {self._link.name}"

    async def run(self, commands: Sequence[Command], deadline_s: float) -> list[Output]:
        """See `protocols.Shell`."""
        if not commands:
            return []
        if self._closed:
            raise TransportError(self.what, "the console is closing")
        lines = [frames.request(command, deadline_s) for command in commands]
        if not self._shells:
            self._backoff.check()
        if len(self._queue) >= QUEUE_LIMIT:
            raise CommandError(self.what, "too many requests are waiting")
        loop = asyncio.get_running_loop()
        quick = all(command.function is not None for command in commands)
        batch = Batch(commands, lines, loop.create_future(), deadline_s, quick)
        self._queue.append(batch)
        timer = loop.call_later(deadline_s, self._expired, batch)
        self.pump()
        try:
            outputs = await batch.answer
        except asyncio.CancelledError:
            # A request that is already on its way keeps its timer: it may have wedged the shell.
            if batch in self._queue:
                self._queue.remove(batch)
                timer.cancel()
            raise
        except LptuiError:
            timer.cancel()
            raise
        timer.cancel()
        return outputs

    async def close(self) -> None:
        """Ends the shells; whoever waits gets an error."""
        self._closed = True
        if self._moment is not None:
            self._moment.cancel()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        shells, self._shells = self._shells, []
        for running in shells:
            running.ended = True
            if running.pipe is not None:
                running.pipe.kill()
        for batch in (*self._queue, *(batch for one in shells for batch in one.in_flight)):
            batch.fail(TransportError(self.what, "the console is closing"))
        self._queue.clear()

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    # Giving out work.

    def pump(self) -> None:
        """Gives waiting batches to the shells that can take them."""
        if not self._queue or self._closed:
            return
        wanted = False
        slow_waits = False
        for batch in tuple(self._queue):
            if not self._shells:
                wanted = True
                break
            if batch.is_quick:
                running = self._for_quick(batch, pipeline=not slow_waits)
                wanted = wanted or running is None
            elif len(self._shells) > 1 and any(one.is_slow for one in self._shells):
                continue
            else:
                running = next((one for one in reversed(self._shells) if not one.in_flight), None)
                if running is None:
                    slow_waits = True
                    wanted = wanted or not any(one.is_slow for one in self._shells)
            if running is not None:
                self._queue.remove(batch)
                running.send(batch)
        if wanted:
            self._want_shell()

    def _for_quick(self, batch: Batch, *, pipeline: bool) -> Running | None:
        for running in self._shells:
            if not running.in_flight:
                return running
        if pipeline:
            for running in self._shells:
                if running.takes(batch):
                    return running
        return None

    def _want_shell(self) -> None:
        if self._opening is not None or len(self._shells) >= MAX_SHELLS:
            return
        if not self._shells:
            self._open()
            return
        loop = asyncio.get_running_loop()
        if self._moment is None and loop.time() >= self._second_after:
            self._moment = loop.call_later(MOMENT_S, self._moment_passed)

    def _moment_passed(self) -> None:
        self._moment = None
        if self._queue and len(self._shells) < MAX_SHELLS and self._opening is None:
            self._open()

    # The life of a shell.

    def _open(self) -> None:
        leftovers, self._leftovers = self._leftovers, []
        running = Running(self, leftovers)
        self._opening = asyncio.create_task(self._start(running), name=self.what)

    async def _start(self, running: Running) -> None:
        try:
            await self._link.start_shell(
                running.opened,
                running.received,
                lambda status, lost: self._ended(running, status, lost),
            )
        except TransportError as error:
            self._failed(running, error)
        finally:
            self._opening = None
        self.pump()

    def opened(self, running: Running) -> None:
        """A shell can be written to."""
        self._shells.append(running)
        self.pump()

    def answered(self) -> None:
        """A shell has answered its first request."""
        self._backoff.succeeded()

    def _failed(self, running: Running, error: TransportError) -> None:
        """A shell could not be started."""
        running.ended = True
        if running in self._shells:
            self._shells.remove(running)
        if self._shells:
            self._second_after = self._time() + SECOND_PAUSE_S
            self._queue.extendleft(reversed(running.in_flight))
            return
        if error.kind is ProblemKind.NO_SHELL:
            self._backoff.failed(error)
        for batch in (*running.in_flight, *self._queue):
            batch.fail(again(error))
        self._queue.clear()

    def _ended(self, running: Running, status: int | None, connection_lost: bool) -> None:
        """A shell has ended by itself, or with the connection."""
        if running.ended:
            return
        if not running.is_ready and not connection_lost:
            # What it says on leaving (nologin, ForceCommand) may come after the news of its end.
            loop = asyncio.get_running_loop()
            loop.call_later(LAST_WORDS_S, self._refused, running, status)
            return
        running.ended = True
        if running in self._shells:
            self._shells.remove(running)
        why = "the SSH connection was lost" if connection_lost else "the shell ended"
        for batch in running.in_flight:
            batch.fail(
                TransportError(self.what, why, "it is started again", kind=ProblemKind.DISCONNECTED)
            )
        self.pump()

    def _refused(self, running: Running, status: int | None) -> None:
        if not running.ended:
            self._failed(running, self._no_shell(running, status))

    def _no_shell(self, running: Running, status: int | None) -> TransportError:
        said = clean(running.frames.pending.strip().partition(b"\n")[0], 120)
        return TransportError(
            self.what,
            f"the account gives no /bin/sh (status {status}{': ' + said if said else ''})",
            "give the account a login shell and no ForceCommand; HTTP and sockets work without",
            kind=ProblemKind.NO_SHELL,
        )

    def flooded(self, running: Running, limit: int) -> None:
        """A command has given more than it may."""
        batch = running.in_flight[0] if running.in_flight else None
        if running.is_ready and batch is not None:
            what = f"{batch.what} on {self._link.name}"
            remedy = "look at what the command prints there; so much is not read"
        else:
            what, remedy = self.what, "what does the login print?"
        error = CommandError(
            what, f"more than {limit} bytes of output", remedy, kind=ProblemKind.OUTPUT_TOO_LARGE
        )
        self._abandon(running, error)

    def _expired(self, batch: Batch) -> None:
        """The time for a batch is up."""
        if batch in self._queue:
            self._queue.remove(batch)
            batch.fail(self._too_late(batch, "it waited behind other requests"))
            return
        for running in self._shells:
            if batch in running.in_flight:
                error = self._too_late(batch, "")
                # When it is not its turn yet, what it will give is dropped.
                give_up = (
                    running.waits_for(batch)
                    if running.is_ready
                    else self._time() >= running.late_at
                )
                batch.fail(error)
                if give_up:
                    self._abandon(running, error)
                return

    def _too_late(self, batch: Batch, note: str) -> TransportError:
        if any(one.is_ready for one in self._shells):
            return late(f"{batch.what} on {self._link.name}", batch.seconds, BUSY, note)
        if self._shells:
            remedy = "is its start-up file slow, or does it start something else?"
            return late(self.what, batch.seconds, remedy, "it has said nothing yet")
        remedy = "is the host up and reachable, and is it sshd that answers?"
        return late(self.what, batch.seconds, remedy, "its shell was not open by then")

    def _abandon(self, running: Running, error: TransportError) -> None:
        """Ends a shell that is of no more use; its first batch gets the error."""
        running.ended = True
        if running in self._shells:
            self._shells.remove(running)
        if running.pipe is not None:
            running.pipe.kill()
        if running.process is not None:
            self._leftovers = [*self._leftovers[-7:], running.process]
        elif not running.is_ready:
            self._backoff.failed(error)
        if running.in_flight:
            running.in_flight.popleft().fail(error)
        # Those behind it were never begun.
        waiting = [batch for batch in running.in_flight if not batch.answer.done()]
        self._queue.extendleft(reversed(waiting))
        running.in_flight.clear()
        if running.process is not None and self._opening is None:
            self._open()
        self.pump()

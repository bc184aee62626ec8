"""Move `environment`: sets one variable in a node's environment file, and no other byte of it.

The file is replaced whole (`cp -p` beside it, `tee`, `mv`), so that nobody reads half of it. Its
process reads it as it starts: a plan stops it, edits, and starts it, in this order, with a start
that is not `returns`. Taken back, it is stopped, has its old file, and is started with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from lptui.actions import privileged
from lptui.actions.environment_edit import EditError, edit, is_writable, value_in
from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import BadAnswerError
from lptui.fleet.facts.environment import NodeEnvironment, is_hidden
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host, Node
from lptui.probes.host.environment import kept
from lptui.transport.protocols import OUTPUT_LIMIT, Reach

KIND: Final = "environment"

DEADLINE_S: Final = 20.0


def environment_step(
    node: Node, variable: str, was: str | None, to: str, title: str, *, group: str = ""
) -> Step:
    """The step that sets a variable of a node's environment file.

    `was` is the value as `NodeEnvironment` has it (None: the file does not set it); one that is
    hidden there is kept on the host alone, beside the file. `to` must not be a secret.
    """
    path = node.environment_file or ""
    given = [("node", node.name), ("variable", variable), ("to", to)]
    return Step(
        title=title,
        target=node.name,
        call=f"{node.host}: {variable}={to} in {path}",
        precondition=f"{path} says {_words(variable, was)}",
        postcondition=f"{path} says {_words(variable, to)}",
        deadline_s=DEADLINE_S,
        undo=f"back to {_words(variable, was)}",
        kind=KIND,
        given=(*given, *((("was", was),) if was is not None else ())),
        group=group,
    )


class EnvironmentMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("environment", step.value("node")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        reading = now.reading(NodeEnvironment, step.value("node"))
        if reading.value is None:
            return Seen(Standing.UNKNOWN, str(reading.problem))
        variable = step.value("variable")
        value = reading.value.value(variable)
        words = f"the file says {_words(variable, value)}"
        if value == step.value("to"):
            return Seen(Standing.MADE, words)
        return Seen(Standing.BEFORE if value == _was(step) else Standing.OTHER, words)

    def hindrance(self, step: Step, now: Snapshot) -> str:
        """What is written must be readable as it was meant, and so must what is put back."""
        node = now.fleet.nodes[step.value("node")]
        facts = now.value(NodeEnvironment, node.name)
        was, to = _was(step), step.value("to")
        if facts is not None and facts.is_link:
            return (
                f"{node.environment_file} on {node.host} is a symbolic link: name the file itself"
            )
        if is_hidden(kept(to, _harmless(now.fleet))):
            return "its new value may hold a secret: write that into the file yourself"
        if not is_writable(to) or not (was is None or is_hidden(was) or is_writable(was)):
            return f"{step.value('variable')} has characters that cannot be written back"
        return ""

    async def make(self, step: Step, execution: Execution) -> str:
        file = _File(execution, step)
        old = await file.read()
        value = file.value_in(old)
        if value == step.value("to"):
            return "it says so already"
        was = _was(step)
        if value != was:
            raise BadAnswerError(file.path, f"it says {_words(file.variable, value)} meanwhile")
        if was is not None and is_hidden(was):
            await file.keep()
        await file.replace(old, edit(old, file.variable, step.value("to")))
        return ""

    async def unmake(self, step: Step, execution: Execution) -> str:
        file = _File(execution, step)
        old = await file.read()
        was = _was(step)
        if file.value_in(old) == was:
            return "it says so already"
        value = was
        if was is not None and is_hidden(was):
            value = value_in(await file.read_kept(), file.variable)
            if value is None or kept(value, _harmless(execution.fleet)) != was:
                raise BadAnswerError(file.kept, f"it has not the old value of {file.variable}")
        await file.replace(old, edit(old, file.variable, value))
        return ""

    async def clear(self, step: Step, execution: Execution, standing: Standing) -> None:
        file, was = _File(execution, step), _was(step)
        await execution.hold()
        await file.remove(file.draft)
        # Another step may have kept one there, where this one had nothing to keep.
        if standing is Standing.BEFORE and was is not None and is_hidden(was):
            await file.remove(file.kept)


class _File:
    """The environment file of a step's node, on its host."""

    def __init__(self, execution: Execution, step: Step) -> None:
        node = execution.fleet.nodes[step.value("node")]
        self._reach: Reach = execution.reach
        self._host: Host = execution.fleet.hosts[node.host]
        self._harmless = _harmless(execution.fleet)
        self.variable = step.value("variable")
        self.path = node.environment_file or ""
        self.draft = _beside(self.path, "new")
        self.kept = _beside(self.path, "old")

    def value_in(self, text: bytes) -> str | None:
        """The variable's value, as readings have it; raises EditError."""
        value = value_in(text, self.variable)
        return None if value is None else kept(value, self._harmless)

    async def read(self) -> bytes:
        return await self._read(self.path)

    async def read_kept(self) -> bytes:
        return await self._read(self.kept)

    async def keep(self) -> None:
        """Keeps the file as it is, for what the console may not know."""
        await self._run("cp", "-p", self.path, self.kept)

    async def replace(self, old: bytes, new: bytes) -> None:
        """Puts the new text in the old one's place; raises EditError when that has changed."""
        await self._run("cp", "-p", self.path, self.draft)
        await self._run("tee", self.draft, stdin=new)
        if await self.read() != old:
            raise EditError(self.path, "it was changed by somebody else meanwhile")
        await self._run("mv", "-f", self.draft, self.path)

    async def remove(self, path: str) -> None:
        """Removes one of the two that are beside it."""
        await self._run("rm", "-f", path)

    async def _read(self, path: str) -> bytes:
        done = await self._run("cat", path)
        if len(done) >= OUTPUT_LIMIT:
            raise EditError(path, "it is too large for an environment file")
        return done

    async def _run(self, *argv: str, stdin: bytes = b"") -> bytes:
        return (await privileged.succeed(self._reach, self._host, argv, stdin=stdin)).stdout


def root_commands(path: str) -> tuple[tuple[str, ...], ...]:
    """All that may be run as root for an environment file."""
    new, old = _beside(path, "new"), _beside(path, "old")
    return (
        ("cat", path),
        ("cat", old),
        ("cp", "-p", path, old),
        ("cp", "-p", path, new),
        ("tee", new),
        ("mv", "-f", new, path),
        ("rm", "-f", new),
        ("rm", "-f", old),
    )


def _beside(path: str, ending: str) -> str:
    place = PurePosixPath(path)
    return str(place.with_name(f".{place.name}.lptui-{ending}"))


def _was(step: Step) -> str | None:
    return dict(step.given).get("was")


def _words(variable: str, value: str | None) -> str:
    return f"{variable}={value}" if value is not None else f"no {variable}"


def _harmless(fleet: Fleet) -> set[str]:
    """Addresses that stand in the configuration, where no secret may be."""
    return {rpc.url for rpc in fleet.rpcs.values()}

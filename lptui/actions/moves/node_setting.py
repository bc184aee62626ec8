"""Move `node-setting`: a setting of a running node, by a route of its CLI API, and read back.

What is set this way is forgotten when the node restarts (go-livepeer server/handlers.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import HttpError, LptuiError, ProblemKind
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.gas import exact_gwei
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import clean

KIND: Final = "node-setting"
SECONDS: Final = 8.0

NO_CAP: Final = "none"
"""A node without a cap. It is never given one back: with metrics on, to set 0 is a fault in the
node, which then shows no cap and goes on bidding by the old one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by name: its route and parameter, how it is read back, how it is worded."""

    name: str
    route: str
    parameter: str
    read: Callable[[NodeIdentity], str | None]
    words: Callable[[str], str]


def _cap(identity: NodeIdentity) -> str | None:
    if identity.has_gas_cap is None:
        return None
    return str(identity.max_gas_price) if identity.has_gas_cap else NO_CAP


def _level(identity: NodeIdentity) -> str | None:
    return None if identity.log_level is None else str(identity.log_level)


GAS_CAP: Final = Setting(
    "gas price cap",
    "/setMaxGasPrice",
    "amount",
    _cap,
    lambda value: "no cap" if value == NO_CAP else exact_gwei(int(value)),
)
LOG_LEVEL: Final = Setting("log level", "/setLogLevel", "loglevel", _level, lambda value: value)

SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {setting.name: setting for setting in (GAS_CAP, LOG_LEVEL)}
)


def step(node: Node, setting: Setting, was: str, to: str) -> Step:
    """The step that changes a setting of a node with a CLI address."""
    url = node.cli.url if node.cli else ""
    undo = f"back to {setting.words(was)}"
    if was == NO_CAP:
        undo = "by a restart of the node, which brings back what it was started with"
    return Step(
        title=f"set its {setting.name}",
        target=node.name,
        call=f"POST {url}{setting.route} {setting.parameter}={to}",
        precondition=f"{node.name} has {setting.words(was)}",
        postcondition=f"it tells {setting.words(to)} when it is asked",
        deadline_s=15.0,
        undo=undo,
        kind=KIND,
        given=(("node", node.name), ("setting", setting.name), ("was", was), ("to", to)),
    )


class NodeSettingMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("node-identity", step.value("node")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name, setting = step.value("node"), SETTINGS[step.value("setting")]
        identity = now.value(NodeIdentity, name)
        found = setting.read(identity) if identity is not None else None
        if found is None:
            problem = now.reading(NodeIdentity, name).problem
            told = f"{name} does not tell its {setting.name}"
            return Seen(Standing.UNKNOWN, str(problem or told))
        words = f"{name} has {setting.words(found)}"
        if found == step.value("to"):
            return Seen(Standing.MADE, words)
        if found == step.value("was"):
            return Seen(Standing.BEFORE, words)
        return Seen(Standing.OTHER, words)

    async def make(self, step: Step, execution: Execution) -> str:
        return await _set(step, step.value("to"), execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        was = step.value("was")
        if was == NO_CAP:
            why = "a running node cannot be made to have no cap again"
            raise LptuiError(step.target, why, step.undo, kind=ProblemKind.NOT_CONFIGURED)
        return await _set(step, was, execution)


async def _set(step: Step, value: str, execution: Execution) -> str:
    node = execution.fleet.nodes[step.value("node")]
    setting = SETTINGS[step.value("setting")]
    if node.cli is None:
        raise LptuiError(node.name, "has no CLI address configured")
    if setting is GAS_CAP and not int(value):
        why = "a gas price cap of 0 is never set"
        raise LptuiError(node.name, why, "set one above 0", kind=ProblemKind.INTERNAL)
    answer = await execution.reach.http(node.cli).request(
        "POST", setting.route, form={setting.parameter: value}, deadline_s=SECONDS
    )
    said = clean(answer.text, 120)
    if answer.status != 200:
        remedy = (
            "start the node with -enableCliTxRoutes"
            if answer.status == 404
            else "is it the node's CLI API that answers there?"
        )
        raise HttpError(
            f"{setting.route} of {node.name}",
            f"HTTP {answer.status}{f': {said}' if said else ''}",
            remedy,
            status=answer.status,
        )
    return said

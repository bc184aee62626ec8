"""Asks the nodes that may call reward what they think of it (go-livepeer server/handlers.go).

Their answer is that of their own RPC endpoint, which is the point: it may be another than ours.
`/orchestratorInfo` makes the node call its endpoint half a dozen times, so only those nodes are
asked, and at a slow pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError
from lptui.fleet.facts.reward import NodeReward
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, Role
from lptui.fleet.units import Address, Round
from lptui.probes.livepeer import routes
from lptui.probes.livepeer.identity import an_address, decimal, yes_or_no
from lptui.probes.livepeer.status import count, json_object
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import HttpAnswer

ROUTES: Final = ("/currentRound", "/roundInitialized", "/orchestratorInfo")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeRewardProbe:
    """The word of each node that calls reward, by what the configuration says of it."""

    name: str = "node-reward"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        chain = fleet.chain
        if chain is None or not chain.orchestrators:
            return ()
        registered = {item.address for item in chain.orchestrators}
        named = {item.reward_caller for item in chain.orchestrators}
        nodes = [n for n in fleet.nodes.values() if n.is_livepeer and n.cli is not None]
        sure = [
            n.name
            for n in nodes
            if n.name in named or n.account in registered or Role.REWARD in n.roles
        ]
        return sure or [n.name for n in nodes if Role.ORCHESTRATOR in n.roles]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.events

    def source(self, fleet: Fleet, target: str) -> str:
        cli = fleet.nodes[target].cli
        via = f"{cli.via}: " if cli is not None and cli.via else ""
        return f"{via}{cli.url.rstrip('/') if cli else target}/orchestratorInfo"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeReward, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        endpoint = asking.fleet.nodes[target].cli
        if endpoint is None:
            raise LptuiError(target, "has no CLI address configured")
        http = asking.reach.http(endpoint)

        async def one(path: str) -> HttpAnswer | LptuiError:
            try:
                return await routes.read(http, path, asking.deadline_s)
            except LptuiError as error:
                return error

        async with asyncio.TaskGroup() as group:
            tasks = {path: group.create_task(one(path)) for path in ROUTES}
        with routes.of(target):
            word = parse_reward({path: task.result() for path, task in tasks.items()})
        return (Answer(Key(NodeReward, target), word),)


def parse_reward(answers: Mapping[str, HttpAnswer | LptuiError]) -> NodeReward:
    """A node's word from the answers of `ROUTES`, or why there was none.

    Raises the failure of `/orchestratorInfo` (HttpError, BadAnswerError) where the other routes
    gave nothing either.
    """
    errors: list[tuple[str, str]] = []
    failures: list[LptuiError] = []

    def part(path: str, parse: Callable[[bytes, str], T]) -> T | None:
        answer = answers[path]
        try:
            if isinstance(answer, LptuiError):
                raise answer
            return parse(routes.body(answer, path), path)
        except LptuiError as error:
            failures.append(error)
            errors.append((path, clean(error.why or error.what, 120)))
            return None

    number = part("/currentRound", _round)
    initialized = part("/roundInitialized", yes_or_no)
    record = part("/orchestratorInfo", _record)
    if record is None and number is None:
        raise failures[-1]
    if record is None:
        return NodeReward(number, initialized, errors=tuple(errors))
    address, last, active, registered = record
    return NodeReward(number, initialized, address, last, active, registered, tuple(errors))


def _round(raw: bytes, what: str) -> Round:
    number = decimal(raw, what)
    if count(number) is None:
        raise BadAnswerError(what, f"absurdly large: {number}")
    return Round(number)


def _record(raw: bytes, what: str) -> tuple[Address | None, Round, bool, bool]:
    record = json_object(raw, what).get("Transcoder")
    if not isinstance(record, dict):
        raise BadAnswerError(what, "no Transcoder in it")
    address, last = record.get("Address"), count(record.get("LastRewardRound"))
    if not isinstance(address, str) or last is None:
        raise BadAnswerError(what, "no Address or LastRewardRound in it")
    return (
        an_address(address.encode("utf-8", "replace"), what),
        Round(last),
        record.get("Active") is True,
        record.get("Status") == "Registered",
    )

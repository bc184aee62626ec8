"""Asks go-livepeer nodes: sign of life and block, metrics, identity."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lptui.errors import LptuiError
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.reading import Key
from lptui.fleet.topology import Endpoint, Fleet
from lptui.probes.livepeer import routes
from lptui.probes.livepeer.identity import ROUTES, parse_identity
from lptui.probes.livepeer.metrics import PAGE_LIMIT, parse_metrics
from lptui.probes.livepeer.status import parse_block, parse_status
from lptui.probes.probe import Answer, Asking
from lptui.transport.protocols import Http, HttpAnswer

AT_ONCE: Final = 3
"""Requests to one node at the same time; each is a channel of its own."""

_LONG_PAGE: Final = 256 * 1024
"""A metrics page beyond this is read in a thread: it would hold up the screen."""


def _cli(fleet: Fleet, target: str) -> Endpoint:
    endpoint = fleet.nodes[target].cli
    if endpoint is None:
        raise LptuiError(target, "has no CLI address configured")
    return endpoint


def _with_cli(fleet: Fleet) -> tuple[str, ...]:
    return tuple(n.name for n in fleet.nodes.values() if n.is_livepeer and n.cli is not None)


def _words(endpoint: Endpoint, path: str) -> str:
    via = f"{endpoint.via}: " if endpoint.via else ""
    return f"{via}{endpoint.url.rstrip('/')}{path}"


@dataclass(frozen=True, slots=True)
class NodeStatusProbe:
    """`/status` of each node with a CLI address, and `/currentBlock` where it is on chain."""

    name: str = "node-status"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return _with_cli(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.node

    def source(self, fleet: Fleet, target: str) -> str:
        return _words(_cli(fleet, target), "/status")

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeStatus, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        http = asking.reach.http(_cli(asking.fleet, target))
        end = asking.clock.monotonic() + asking.deadline_s
        who = asking.latest.value(NodeIdentity, target)
        if who is not None and who.account is None:
            return [await _status(http, asking, target)]
        status, block = await asyncio.gather(
            _status(http, asking, target), _block(http, asking, target), return_exceptions=True
        )
        if isinstance(status, BaseException):
            raise status
        if isinstance(block, LptuiError):
            return [status, Answer(Key(NodeBlock, target), problem=block.problem())]
        if isinstance(block, BaseException):
            raise block
        if who is None and isinstance(block.value, NodeBlock) and block.value.block == 0:
            # Off chain nodes say 0 as well: which this is must be known first.
            try:
                own = await routes.read(http, "/ethAddr", max(0.1, end - asking.clock.monotonic()))
            except LptuiError as error:
                return [status, Answer(Key(NodeBlock, target), problem=error.problem())]
            if routes.is_off_chain(own):
                return [status]
        return [status, block]


async def _status(http: Http, asking: Asking, target: str) -> Answer:
    answer = await routes.read(http, "/status", asking.deadline_s)
    with routes.of(target):
        status = parse_status(routes.body(answer, "/status"), answer.took_s)
    return Answer(Key(NodeStatus, target), status)


async def _block(http: Http, asking: Asking, target: str) -> Answer:
    answer = await routes.read(http, "/currentBlock", asking.deadline_s)
    with routes.of(target):
        return Answer(Key(NodeBlock, target), parse_block(routes.body(answer, "/currentBlock")))


@dataclass(frozen=True, slots=True)
class NodeMetricsProbe:
    """`/metrics` of each node, at its own metrics address where it has one."""

    name: str = "node-metrics"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(
            node.name
            for node in fleet.nodes.values()
            if node.is_livepeer and (node.metrics is not None or node.cli is not None)
        )

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.metrics

    def source(self, fleet: Fleet, target: str) -> str:
        return _words(self._endpoint(fleet, target), "/metrics")

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeMetrics, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        http = asking.reach.http(self._endpoint(asking.fleet, target))
        answer = await routes.read(http, "/metrics", asking.deadline_s, limit=PAGE_LIMIT)
        key = Key(NodeMetrics, target)
        if answer.status == 404:
            return (Answer(key, NodeMetrics(monitored=False)),)
        before = asking.latest.value(NodeMetrics, target)
        with routes.of(target):
            raw = routes.body(answer, "/metrics")
            if len(raw) > _LONG_PAGE:
                metrics = await asyncio.to_thread(parse_metrics, raw, before)
            else:
                metrics = parse_metrics(raw, before)
        return (Answer(key, metrics),)

    @staticmethod
    def _endpoint(fleet: Fleet, target: str) -> Endpoint:
        endpoint = fleet.nodes[target].metrics or _cli(fleet, target)
        # Operators write the address with and without the path; it is asked for once.
        return replace(endpoint, url=endpoint.url.rstrip("/").removesuffix("/metrics"))


@dataclass(frozen=True, slots=True)
class NodeIdentityProbe:
    """Who each node is: account, roles, chain, gas cap, and whether it takes transactions."""

    name: str = "node-identity"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return _with_cli(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.identity

    def source(self, fleet: Fleet, target: str) -> str:
        return _words(_cli(fleet, target), "/ethAddr and others")

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeIdentity, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        http = asking.reach.http(_cli(asking.fleet, target))
        turns = asyncio.Semaphore(AT_ONCE)
        end = asking.clock.monotonic() + asking.deadline_s

        async def one(path: str) -> HttpAnswer | LptuiError:
            async with turns:
                left = max(0.1, end - asking.clock.monotonic())
                try:
                    return await routes.read(http, path, left)
                except LptuiError as error:
                    return error

        # A route that makes the node call its RPC hangs when that hangs; the others count.
        async with asyncio.TaskGroup() as group:
            tasks = {path: group.create_task(one(path)) for path in ROUTES}
        with routes.of(target):
            who = parse_identity({path: task.result() for path, task in tasks.items()})
        return (Answer(Key(NodeIdentity, target), who),)

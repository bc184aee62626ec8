"""Action `rebalance`: gives a pool's servers weights that go with what their nodes can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from lptui.actions import serving, weighing
from lptui.actions.capacity import measured
from lptui.actions.drivers.driver import WEIGHT, Change
from lptui.actions.drivers.haproxy import HEAVIEST
from lptui.actions.moves import servers, shares
from lptui.actions.options import MOST_STEP
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.actions.weighing import Weighed, Weights
from lptui.fleet.facts.balancer import BalancerState, Server
from lptui.fleet.pools import places, places_of, pool_selector, pools_named, serves
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Node

SPEC = ActionSpec(
    id="rebalance",
    title="Rebalance",
    key="b",
    effect=Effect.WRITE,
    subject="backend",
    help="weighs a pool's servers by their nodes' sessions, encoders and latency",
    probes=(*serving.PROBES, "node-metrics", "gpu", "host-processes"),
    proof=serving.PROBES,
    options=(MOST_STEP,),
    together=True,
)

USUAL_STEP: Final = 50.0

NGINX_HEAVIEST: Final = 65_535
"""nginx has no limit of its own."""

IGNORED: Final = "first"
"""The algorithm that takes no notice of weights (load-balancers.md §1.4)."""

BY_SESSIONS: Final = ("leastconn", "least_conn", "least_time", "random")
BY_CLIENT: Final = (
    *("source", "uri", "url_param", "hdr", "rdp-cookie", "map-based", "hash"),
    *("ip_hash", "sticky"),
)

Pool = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Weighing:
    """A pool as it is, and the weights that its servers should have.

    `measured` and `unmeasured` are the servers in service and what was read of them.
    """

    balancer: Balancer
    backend: str
    algorithm: str
    servers: tuple[Server, ...]
    left_out: tuple[str, ...]
    measured: Mapping[str, str]
    unmeasured: Mapping[str, str]
    off: tuple[str, ...]
    was: Weights
    to: Weights

    @property
    def is_judged(self) -> bool:
        """Enough of it is measured to compare anything, or it has nothing to compare."""
        return len(self.servers) < 2 or len(self.measured) > 1

    @property
    def changes(self) -> list[Change]:
        return [
            Change(self.backend, name, WEIGHT, str(self.was[name]), str(weight))
            for name, weight in self.to.items()
            if weight != self.was[name]
        ]


class Rebalance(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        known = places(snapshot)
        pools = dict.fromkeys((place.balancer, place.backend) for place in known)
        return tuple(pool_selector(pool, known) for pool in pools)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        known = places(snapshot)
        pools = dict.fromkeys((p.balancer, p.backend) for p in places_of(snapshot, node.name))
        return tuple(pool_selector(pool, known) for pool in pools)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        known = places(snapshot)
        pools = list(dict.fromkeys(p for word in request.targets for p in pools_named(word, known)))
        most = Fraction(request.number("most-step", USUAL_STEP, 1, 1000)) / 100
        known_pools = [_weighed(snapshot, pool, most) for pool in pools]
        found = [one for one in known_pools if one is not None]
        judged = [one for one in found if one.is_judged]
        unjudged = [one for one in found if not one.is_judged]
        conditions = serving.are_read(snapshot, [balancer for balancer, _ in pools])
        if not pools:
            why = f"no balancer has a pool {request.words}"
            conditions.append(Precondition("a pool is named", False, why))
        for one in judged or unjudged:
            conditions += _conditions(one)
        changes = {name: [c for one in of for c in one.changes] for name, of in _by_name(found)}
        conditions += serving.may_be_told(snapshot, changes)
        names = ", ".join(backend for _, backend in pools) or request.words
        touched = [one for one in found if one.changes]
        return Plan(
            action=SPEC.id,
            target=request.words,
            summary=f"weigh the servers of {names} by what their nodes can do",
            steps=tuple(_steps(snapshot, touched)),
            preconditions=tuple(conditions),
            cost="no money",
            effect="; ".join(map(_in_words, touched)) or "nothing changes",
            facts=tuple(fact for one in touched for fact in _facts(one)),
            warnings=(*_warnings(snapshot, touched), *_left_alone(unjudged if judged else ())),
            blast=f"new sessions of {names} are spread anew; those that are there stay",
            lock=serving.fleet_lock(snapshot.fleet),
            done=_done(found) if all(one.met for one in conditions) else "",
        )


def _weighed(snapshot: Snapshot, pool: Pool, most: Fraction) -> _Weighing | None:
    """None when the balancer's state is not known."""
    state = snapshot.fresh(BalancerState, pool[0])
    if state is None:
        return None
    balancer = snapshot.fleet.balancers[pool[0]]
    proxy = state.backend(pool[1])
    every = state.backend_servers(pool[1])
    members = [one for one in every if serves(one) and not one.backup and one.weight]
    seen = {one.name: measured(snapshot, balancer, one) for one in members}
    loads = {name: one.load for name, one in seen.items() if one.load is not None}
    usual = weighing.typical([load.latency_s for load in loads.values() if load.latency_s])
    weighed = [
        Weighed(
            one.name,
            one.weight or 1,
            weighing.worth(loads[one.name], usual) if one.name in loads else None,
        )
        for one in members
    ]
    return _Weighing(
        balancer=balancer,
        backend=pool[1],
        algorithm=proxy.algorithm if proxy is not None else "",
        servers=tuple(members),
        left_out=tuple(one.name for one in every if one not in members),
        measured={name: seen[name].words for name in loads},
        unmeasured={name: one.words for name, one in seen.items() if name not in loads},
        off=weighing.off_aim(weighed),
        was={one.name: one.weight for one in weighed},
        to=weighing.reweighed(weighed, most=most, heaviest=_heaviest(balancer, weighed)),
    )


def _heaviest(balancer: Balancer, weighed: Sequence[Weighed]) -> int:
    limit = HEAVIEST if balancer.kind is BalancerKind.HAPROXY else NGINX_HEAVIEST
    return max(limit, *(one.weight for one in weighed), 1)


def _conditions(one: _Weighing) -> list[Precondition]:
    """What must hold for one pool; `may_be_told` says the rest."""
    found = [_counts(one)]
    for server in one.servers:
        if server.throttle is not None:
            why = f"its slow start has brought it to {server.throttle:.0f} % of its weight"
            name = f"{one.backend}/{server.name} has its full weight"
            found.append(Precondition(name, False, why, "wait for the end of it"))
    for name, words in one.measured.items():
        found.append(Precondition(f"{one.backend}/{name} is measured", True, words))
    if not one.is_judged:
        name = f"two servers of {one.backend} are measured"
        how = "name their nodes in the balancer's `servers`, and see to their metrics"
        found.append(Precondition(name, False, _why_unmeasured(one), how))
    return found


def _counts(one: _Weighing) -> Precondition:
    name = f"weights count in {one.backend}"
    words = f"it balances by {one.algorithm or 'an algorithm that is not told'}"
    if one.algorithm != IGNORED:
        return Precondition(name, True, words)
    how = "choose another `balance` in haproxy.cfg"
    return Precondition(name, False, f"{words}: the first one with room, whatever it weighs", how)


def _why_unmeasured(one: _Weighing) -> str:
    return "; ".join(f"{name}: {words}" for name, words in one.unmeasured.items())


def _by_name(found: Iterable[_Weighing]) -> list[tuple[str, list[_Weighing]]]:
    """By balancer."""
    names: dict[str, list[_Weighing]] = {}
    for one in found:
        names.setdefault(one.balancer.name, []).append(one)
    return list(names.items())


def _steps(snapshot: Snapshot, touched: Sequence[_Weighing]) -> list[Step]:
    """All weights of a balancer at once, then a look at each of its pools."""
    steps: list[Step] = []
    for _, pools in _by_name(touched):
        balancer = pools[0].balancer
        changes = [change for one in pools for change in one.changes]
        step = servers.step(balancer, changes, "set weights", floor=0, now=snapshot)
        was = ", ".join(f"{change.path} {change.was}" for change in changes)
        to = "; ".join(map(_in_words, pools))
        steps.append(
            replace(
                step,
                precondition=f"weights are {was}",
                postcondition=f"{balancer.name} says {to}",
                undo=f"weights back to {was}",
            )
        )
        steps += [shares.step(balancer, one.backend, one.was, one.to) for one in pools]
    return steps


def _in_words(one: _Weighing) -> str:
    """Each server's weight and share, before and after."""
    return ", ".join(f"{path}: {words}" for path, words in _facts(one))


def _facts(one: _Weighing) -> list[tuple[str, str]]:
    before, after = weighing.shares(one.was), weighing.shares(one.to)
    return [
        (
            f"{one.backend}/{name}",
            f"weight {one.was[name]} -> {one.to[name]},"
            f" share {_percent(before[name])} -> {_percent(after[name])}",
        )
        for name in one.to
    ]


def _percent(share: Fraction) -> str:
    return f"{float(share):.1%}"


def _warnings(snapshot: Snapshot, touched: Sequence[_Weighing]) -> list[str]:
    found = serving.forgotten_at_reload(snapshot, dict.fromkeys(o.balancer.name for o in touched))
    for one in touched:
        for name, why in one.unmeasured.items():
            found.append(f"{one.backend}/{name} keeps its weight relative to the others: {why}")
        if one.left_out:
            found.append(f"{one.backend}: not in service, or a backup: {', '.join(one.left_out)}")
        if one.algorithm.startswith(BY_SESSIONS):
            why = "it looks at sessions in flight, so shares only tend to the weights"
            found.append(f"{one.backend} balances by {one.algorithm}: {why}")
        elif one.algorithm.startswith(BY_CLIENT):
            why = "it keeps clients where they are, so shares follow only with new clients"
            found.append(f"{one.backend} balances by {one.algorithm}: {why}")
    return found


def _left_alone(unjudged: Iterable[_Weighing]) -> list[str]:
    return [f"{one.backend} is left alone: {_why_unmeasured(one)}" for one in unjudged]


def _done(found: Sequence[_Weighing]) -> str:
    if any(one.changes for one in found):
        return ""
    if any(one.off for one in found):
        return "no whole weights come nearer to what the nodes can do"
    return "each server has the share that its node can carry, as near as matters"

"""Actions `set-max-gas-price`, `set-max-sessions`, `set-log-level`: a running node's settings.

Each is read before and after, and is forgotten when the node restarts.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from lptui.actions import sender, serving
from lptui.actions.moves import node_setting, session_cap
from lptui.actions.moves.node_setting import GAS_CAP, LOG_LEVEL, NO_CAP
from lptui.actions.options import LEVEL, PRICE, SESSIONS
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.facts.chain import GasPrices, SignerAccount
from lptui.fleet.facts.gas import FeeTrend
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics
from lptui.fleet.gas import exact_gwei, suggested_cap
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role
from lptui.fleet.units import format_gwei, format_units
from lptui.text import clean

SUGGESTED: Final = "suggested"
MOST_PRICE: Final = 10**15
"""A million gwei: nobody means more."""
MOST_SESSIONS: Final = 100_000
MOST_LEVEL: Final = 10
STEEP: Final = 100
"""A cap so many times the present price protects from nothing."""

_PRICE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?(gwei|wei)", re.ASCII | re.IGNORECASE)


class _Setting(Stepwise, ABC):
    """What the settings have in common: one node, one value, read back."""

    spec: ActionSpec
    what: str

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return tuple(n.name for n in snapshot.fleet.nodes.values() if self._has(snapshot, n))

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return (node.name,) if self._has(snapshot, node) else ()

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        target = request.target
        node = snapshot.fleet.nodes.get(target)
        if node is None or not self._has(snapshot, node):
            why = "no node of the fleet with such a setting has that name"
            missing = Precondition("node configured", False, why)
            summary = f"set the {self.what}"
            return Plan(self.spec.id, target, summary, (), (missing,), "no money", "none")
        now = self._now(snapshot, node)
        wanted, told = self._wanted(snapshot, request)
        conditions = [sender.is_up(snapshot, node), *self._conditions(snapshot, node)]
        conditions += [self._known(snapshot, node, now), told]
        known = now is not None and wanted is not None
        done = f"{node.name} has {self._words(wanted or '')} already" if now == wanted else ""
        to = self._words(wanted) if wanted is not None else "?"
        return Plan(
            action=self.spec.id,
            target=target,
            summary=f"set the {self.what} of {target} to {to}",
            steps=(self._step(node, now or "", wanted or ""),) if known and not done else (),
            preconditions=tuple(conditions),
            cost="no money",
            effect=self._effect(node),
            warnings=(
                "it is forgotten when the node restarts: change its start too, to keep it",
                *(self._warnings(snapshot, node, now, wanted) if known else ()),
            ),
            blast=node.name,
            lock=serving.fleet_lock(snapshot.fleet),
            done=done if known else "",
        )

    def _conditions(self, snapshot: Snapshot, node: Node) -> Sequence[Precondition]:
        return ()

    def _known(self, snapshot: Snapshot, node: Node, now: str | None) -> Precondition:
        name = f"its {self.what} is known"
        if now is not None:
            return Precondition(name, True, f"{node.name} has {self._words(now)}")
        why = f"{node.name} does not tell it"
        return Precondition(name, None, why, "see the node's own findings")

    def _words(self, value: str) -> str:
        return value

    def _warnings(
        self, snapshot: Snapshot, node: Node, now: str | None, wanted: str | None
    ) -> Sequence[str]:
        return ()

    @abstractmethod
    def _has(self, snapshot: Snapshot, node: Node) -> bool: ...

    @abstractmethod
    def _now(self, snapshot: Snapshot, node: Node) -> str | None: ...

    @abstractmethod
    def _wanted(self, snapshot: Snapshot, request: Request) -> tuple[str | None, Precondition]: ...

    @abstractmethod
    def _step(self, node: Node, now: str, wanted: str) -> Step: ...

    @abstractmethod
    def _effect(self, node: Node) -> str: ...


class SetMaxGasPrice(_Setting):
    """The most that a node pays for a unit of gas; while gas costs more it sends nothing."""

    what = GAS_CAP.name
    spec = ActionSpec(
        id="set-max-gas-price",
        title="Set the gas price cap",
        key="",
        effect=Effect.WRITE,
        subject="node",
        help="sets the most that a node pays for gas (-maxGasPrice) until it restarts",
        probes=("node-status", "node-identity", "node-metrics", "chain"),
        proof=("node-identity",),
        options=(PRICE,),
    )

    def _has(self, snapshot: Snapshot, node: Node) -> bool:
        if not node.is_livepeer or node.cli is None or snapshot.fleet.chain is None:
            return False
        identity = snapshot.value(NodeIdentity, node.name)
        return bool(node.account) or identity is None or identity.account is not None

    def _now(self, snapshot: Snapshot, node: Node) -> str | None:
        identity = snapshot.value(NodeIdentity, node.name)
        return GAS_CAP.read(identity) if identity is not None else None

    def _conditions(self, snapshot: Snapshot, node: Node) -> Sequence[Precondition]:
        return (sender.offers_transactions(snapshot, node),)

    def _wanted(self, snapshot: Snapshot, request: Request) -> tuple[str | None, Precondition]:
        name = "the cap is named"
        written = request.option(PRICE.name, SUGGESTED).strip().lower()
        if written == SUGGESTED:
            cap = suggested_cap(*_prices(snapshot))
            if cap is None:
                why = "gas prices could not be read"
                return None, Precondition(name, None, why, f"--{PRICE.name} '0.05 gwei'")
            trend = _prices(snapshot)[1]
            seen = f", highest base fee of late {format_gwei(trend.highest)}" if trend else ""
            return str(cap), Precondition(name, True, f"suggested: {exact_gwei(cap)}{seen}")
        found = _PRICE.fullmatch(written)
        wei = Decimal(found[1]) * (10**9 if found[2] == "gwei" else 1) if found else Decimal(0)
        if not 0 < wei <= MOST_PRICE or wei != int(wei):
            why = f"{clean(written, 40)!r} is no price above 0 like 0.05 gwei"
            return None, Precondition(name, False, why, "a cap of 0 is never set")
        return str(int(wei)), Precondition(name, True, exact_gwei(int(wei)))

    def _words(self, value: str) -> str:
        return GAS_CAP.words(value) if value else "?"

    def _step(self, node: Node, now: str, wanted: str) -> Step:
        return node_setting.step(node, GAS_CAP, now, wanted)

    def _effect(self, node: Node) -> str:
        return f"{node.name} sends its transactions while gas costs no more than that"

    def _warnings(
        self, snapshot: Snapshot, node: Node, now: str | None, wanted: str | None
    ) -> Sequence[str]:
        found: list[str] = []
        cap = int(wanted or 0)
        prices, _ = _prices(snapshot)
        if prices is not None and cap < prices.gas_price:
            price = format_gwei(prices.gas_price)
            found.append(f"gas costs {price} now: the node would send nothing")
        elif prices is not None and prices.gas_price and cap > STEEP * prices.gas_price:
            found.append(f"that is over {STEEP} times the present price: it protects from nothing")
        identity = snapshot.value(NodeIdentity, node.name)
        account = identity.account if identity is not None else node.account
        held = snapshot.fresh(SignerAccount, account) if account else None
        need = cap * snapshot.fleet.thresholds.reward_gas
        if held is not None and held.balance < need:
            has, wants = format_units(held.balance, 6), format_units(need, 6)
            found.append(f"its {has} ETH do not cover a reward call at that cap ({wants} ETH)")
        if now == NO_CAP:
            found.append("the node has no cap now; only a restart takes one away again")
        return found


class SetMaxSessions(_Setting):
    """How many sessions an orchestrator takes on."""

    what = "session cap"
    spec = ActionSpec(
        id="set-max-sessions",
        title="Set the session cap",
        key="",
        effect=Effect.WRITE,
        subject="node",
        help="sets how many sessions an orchestrator takes (-maxSessions) until it restarts",
        probes=("node-status", "node-metrics"),
        proof=("node-metrics",),
        options=(SESSIONS,),
    )

    def _has(self, snapshot: Snapshot, node: Node) -> bool:
        return Role.ORCHESTRATOR in node.roles and node.cli is not None

    def _now(self, snapshot: Snapshot, node: Node) -> str | None:
        metrics = snapshot.fresh(NodeMetrics, node.name)
        return (
            None if metrics is None or metrics.max_sessions is None else str(metrics.max_sessions)
        )

    def _wanted(self, snapshot: Snapshot, request: Request) -> tuple[str | None, Precondition]:
        written = request.option(SESSIONS.name, "").strip()
        wanted = _number(written, 1, MOST_SESSIONS)
        return wanted, _named(wanted, written, SESSIONS.name, f"1 to {MOST_SESSIONS}")

    def _step(self, node: Node, now: str, wanted: str) -> Step:
        return session_cap.step(node, now, wanted)

    def _effect(self, node: Node) -> str:
        return f"{node.name} takes new sessions up to that; those that it has go on"

    def _warnings(
        self, snapshot: Snapshot, node: Node, now: str | None, wanted: str | None
    ) -> Sequence[str]:
        metrics = snapshot.fresh(NodeMetrics, node.name)
        sessions = metrics.current_sessions if metrics is not None else None
        if sessions is None or int(wanted or 0) >= sessions:
            return ()
        return (f"it has {sessions} sessions now: it takes none until enough of them have ended",)


class SetLogLevel(_Setting):
    """How much a node writes into its log."""

    what = LOG_LEVEL.name
    spec = ActionSpec(
        id="set-log-level",
        title="Set the log level",
        key="",
        effect=Effect.WRITE,
        subject="node",
        help="sets how much a node writes into its log (-v) until it restarts",
        probes=("node-status", "node-identity"),
        proof=("node-identity",),
        options=(LEVEL,),
    )

    def _has(self, snapshot: Snapshot, node: Node) -> bool:
        return node.is_livepeer and node.cli is not None

    def _now(self, snapshot: Snapshot, node: Node) -> str | None:
        identity = snapshot.value(NodeIdentity, node.name)
        return LOG_LEVEL.read(identity) if identity is not None else None

    def _wanted(self, snapshot: Snapshot, request: Request) -> tuple[str | None, Precondition]:
        written = request.option(LEVEL.name, "").strip()
        wanted = _number(written, 0, MOST_LEVEL)
        return wanted, _named(wanted, written, LEVEL.name, f"0 to {MOST_LEVEL}")

    def _step(self, node: Node, now: str, wanted: str) -> Step:
        return node_setting.step(node, LOG_LEVEL, now, wanted)

    def _effect(self, node: Node) -> str:
        return f"{node.name} writes more or less into its log; 3 is its own default, 6 is all"


def _prices(snapshot: Snapshot) -> tuple[GasPrices | None, FeeTrend | None]:
    chain = snapshot.fleet.chain
    if chain is None:
        return None, None
    return snapshot.fresh(GasPrices, chain.network), snapshot.fresh(FeeTrend, chain.network)


def _number(written: str, least: int, most: int) -> str | None:
    if not re.fullmatch(r"\d{1,9}", written, re.ASCII) or not least <= int(written) <= most:
        return None
    return str(int(written))


def _named(wanted: str | None, written: str, option: str, range_words: str) -> Precondition:
    name = "the value is named"
    if wanted is not None:
        return Precondition(name, True, wanted)
    why = f"{clean(written, 40)!r} is no number from {range_words}" if written else "none is"
    return Precondition(name, False, why, f"--{option} N: {range_words}", "" if written else option)

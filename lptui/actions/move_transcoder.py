"""Action `move-transcoder`: a transcoder works for another orchestrator (`-orchAddr`).

go-livepeer has no such order (livepeer.md §3.6): its setting is changed in its environment file
while it is stopped, and its new orchestrator's own list proves that it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from lptui.actions import serving
from lptui.actions.environment_edit import is_writable
from lptui.actions.moves import registered, units
from lptui.actions.moves.environment import environment_step
from lptui.actions.options import ADDRESS, TO
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.facts.environment import NodeEnvironment, is_hidden
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.pools import balancers_of, places_of, server_at, serves, unread
from lptui.fleet.registration import USUAL_PORT, orchestrator_at, orchestrator_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role
from lptui.text import clean, plural

SPEC = ActionSpec(
    id="move-transcoder",
    title="Move a transcoder",
    key="",
    effect=Effect.WRITE,
    subject="transcoder",
    help="lets a transcoder work for another orchestrator, and sees it registered there",
    probes=(*serving.PROBES, *units.PROBES, "environment"),
    proof=("environment", "node-status"),
    options=(TO, ADDRESS),
)


class MoveTranscoder(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return tuple(
            node.name
            for node in snapshot.fleet.nodes_with(Role.TRANSCODER)
            if node.environment_file and node.service
        )

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return (node.name,)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        fleet = snapshot.fleet
        node = fleet.nodes[request.target]
        variable = node.environment.orchestrator
        was, conditions = _setting(snapshot, node)
        to, condition = _orchestrator(fleet, node, request.option("to"))
        conditions.append(condition)
        address = ""
        if to is not None:
            address, condition = _address(snapshot, node, to, request.option("address"))
            conditions.append(condition)
            conditions.append(_tells(snapshot, to))
        old = _old(snapshot, node, was)
        if old is not None:
            conditions += _not_the_last(snapshot, old)
        steps: list[Step] = []
        if to is not None and all(one.met is True for one in conditions):
            steps = [
                units.stop_step(snapshot, node),
                environment_step(node, variable, was, address, f"point it at {to.name}"),
                units.start_step(snapshot, node),
                registered.step(snapshot, node, to),
            ]
        name, whom = to.name if to else "another orchestrator", old.name if old else was or "nobody"
        return Plan(
            action=SPEC.id,
            target=request.words,
            summary=f"move {node.name} from {whom} to {name}",
            steps=tuple(steps),
            preconditions=tuple(conditions),
            cost="no money; the segments that it has in hand are done again by others",
            effect=f"{node.name} works for {name}",
            facts=(("to", name), ("from", whom)),
            blast=f"{whom} loses a transcoder; {node.name} does nothing until it is registered",
            warnings=() if old is not None or was is None else (_unknown_old(was),),
            lock=serving.fleet_lock(fleet),
            done=_done(snapshot, node, was, to, address),
        )


def _setting(snapshot: Snapshot, node: Node) -> tuple[str | None, list[Precondition]]:
    """What its file says now; None when it says nothing."""
    name, variable = f"{node.name}: its setting is known", node.environment.orchestrator
    if not node.environment_file or node.service is None:
        why = "it needs a `unit` or `container`, and an `environment_file`"
        return None, [Precondition(name, False, why, "add them to the configuration")]
    facts = snapshot.fresh(NodeEnvironment, node.name)
    if facts is None:
        problem = snapshot.reading(NodeEnvironment, node.name).problem
        why = str(problem) if problem else "its file was not read"
        return None, [Precondition(name, None, why, problem.remedy if problem else "")]
    was = facts.value(variable)
    if facts.is_link:
        why = f"{node.environment_file} is a symbolic link"
        return was, [Precondition(name, False, why, "name the file itself: environment_file")]
    words = f"{variable}={was}" if was is not None else f"no {variable}"
    return was, [Precondition(name, True, f"{node.environment_file} says {words}")]


def _orchestrator(fleet: Fleet, node: Node, to: str) -> tuple[Node | None, Precondition]:
    name = "the other orchestrator is named"
    known = [one.name for one in fleet.nodes_with(Role.ORCHESTRATOR) if one is not node]
    if to in known:
        return fleet.nodes[to], Precondition(name, True, to)
    why = f"{to} is none" if to else "none is"
    choice = TO.name if known and not to else ""
    remedy = f"--to NAME: one of {', '.join(known) or 'none'}"
    return None, Precondition(name, False, why, remedy, choice)


def _address(snapshot: Snapshot, node: Node, to: Node, written: str) -> tuple[str, Precondition]:
    """Under which address transcoders reach it: as others have it, else the one that it tells."""
    name = f"{to.name}'s address for transcoders is known"
    if written:
        what = clean(written, 120)
        met = is_writable(written) and " " not in written
        words = f"{what}, as given" if met else f"{what!r} is none that a file can hold"
        return written if met else "", Precondition(name, met, words)
    for other in snapshot.fleet.nodes_with(Role.TRANSCODER):
        boss = orchestrator_of(snapshot, other) if other is not node else None
        facts = snapshot.fresh(NodeEnvironment, other.name)
        used = facts.value(other.environment.orchestrator) if facts is not None else None
        if boss is to and used and not is_hidden(used):
            return used, Precondition(name, True, f"{used}, as {other.name} has it")
    uri = urlsplit(to.service_uri or "")
    shared = _shares_address(snapshot.fleet, to)
    if uri.hostname and not shared:
        place = uri.netloc if uri.port else f"{uri.netloc}:{USUAL_PORT}"
        return place, Precondition(name, True, f"{place}, its service address")
    why = f"its service address is shared with {shared}" if shared else "it has no service address"
    return "", Precondition(name, False, why, "say it: --address HOST:PORT")


def _shares_address(fleet: Fleet, node: Node) -> str:
    """Who else is reached under its service address: there one may come to anybody."""
    if node.service_uri is None:
        return ""
    others = [
        one.name
        for one in fleet.nodes.values()
        if one is not node and one.service_uri == node.service_uri
    ]
    others += [one.name for one in fleet.balancers.values() if one.public_uri == node.service_uri]
    return ", ".join(others)


def _tells(snapshot: Snapshot, to: Node) -> Precondition:
    """Its list is the proof; without it nothing could be said of the move's end."""
    name = f"{to.name} tells its transcoders"
    status = snapshot.fresh(NodeStatus, to.name)
    if status is None:
        problem = snapshot.reading(NodeStatus, to.name).problem
        why = str(problem) if problem else "its last answer is too old"
        return Precondition(name, None, why, "see its own findings")
    return Precondition(name, True, plural(status.transcoders_number, "transcoder"))


def _old(snapshot: Snapshot, node: Node, was: str | None) -> Node | None:
    """The orchestrator that it works for, by its process, else by its file."""
    boss = orchestrator_of(snapshot, node)
    if boss is not None or was is None:
        return boss
    return _at(snapshot, node, was)


def _done(snapshot: Snapshot, node: Node, was: str | None, to: Node | None, address: str) -> str:
    """Its file says so, and its process, as far as that can be told, was started with it."""
    if to is None or was is None:
        return ""
    says_so = was == address or _at(snapshot, node, was) is to
    if not says_so or orchestrator_of(snapshot, node) not in (None, to):
        return ""
    return f"{node.name} works for {to.name} already: its file says {was}"


def _at(snapshot: Snapshot, node: Node, was: str) -> Node | None:
    """The orchestrator that a setting names; go-livepeer takes the first of several."""
    return orchestrator_at(snapshot.fleet, node, was.split(",")[0])


def _unknown_old(was: str) -> str:
    return f"which orchestrator {was} is could not be told: whether it keeps enough is not known"


def _not_the_last(snapshot: Snapshot, old: Node) -> list[Precondition]:
    """Without a transcoder, an orchestrator turns down what its balancer still sends it."""
    name = f"{old.name} can do without it"
    status = snapshot.fresh(NodeStatus, old.name)
    if status is None:
        problem = snapshot.reading(NodeStatus, old.name).problem
        return [Precondition(name, None, str(problem or "its last answer is too old"))]
    if why := unread(snapshot, balancers_of(snapshot.fleet, old.name)):
        return [Precondition(name, None, f"what it is sent could not be read: {why}")]
    places = places_of(snapshot, old.name)
    sent = [one.path for one in places if (server := server_at(snapshot, one)) and serves(server)]
    left = max(0, status.transcoders_number - 1)
    if left or status.local_transcoding:
        rest = "itself" if status.local_transcoding else plural(left, "transcoder")
        return [Precondition(name, True, f"it keeps {rest}")]
    if places and not sent:
        return [Precondition(name, True, "it is out of service everywhere")]
    where = f"and gets traffic as {', '.join(sent)}" if sent else "and is behind no balancer"
    return [
        Precondition(name, False, f"it would have no transcoder left, {where}", "drain it first")
    ]

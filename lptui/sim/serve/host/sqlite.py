"""`sqlite3 … file:PATH?… SQL`: the ticket queue of a node's database, which root alone may read."""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote

from lptui.clock import utc
from lptui.sim.serve.host.call import Call, Reply
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.machine import Machine
from lptui.sim.world.tickets import WinningTicket
from lptui.sim.world.world import World


def sqlite3(world: World, machine: Machine, call: Call) -> Reply:
    """The tickets by state, round and face value, after the machine's time."""
    uri = next((word for word in call.words if word.startswith("file:")), "")
    path = unquote(uri.removeprefix("file:").partition("?")[0])
    node = next((n for n in world.nodes_on(machine.name) if n.database == path), None)
    if node is None or not call.is_root:
        said = "unable to open database file"
        return Reply("", 1, f'Error: unable to open database "{uri}": {said}\n')
    if "FROM ticketQueue" not in call.words[-1]:
        return Reply("", 1, "Error: in prepare, not simulated\n")
    now = f"now|{world.host_time(machine):.3f}\n"
    return Reply(now + "".join(f"{row}\n" for row in _rows(node)))


def _rows(node: LivepeerProcess) -> list[str]:
    groups: Counter[tuple[str, int, int]] = Counter()
    came: dict[tuple[str, int, int], float] = {}
    redeemed: dict[tuple[str, int, int], float] = {}
    for ticket in node.queue.tickets:
        key = (_state(ticket), ticket.round, ticket.face)
        groups[key] += 1
        came[key] = min(came.get(key, ticket.came), ticket.came)
        if ticket.redeemed is not None:
            redeemed[key] = max(redeemed.get(key, 0.0), ticket.redeemed)
    return [
        f"{state}|{number}|{count}|{_bytes(face)}|{_when(came[state, number, face])}|"
        f"{_when(redeemed.get((state, number, face)))}"
        for (state, number, face), count in sorted(groups.items(), key=lambda item: -item[0][1])
    ]


def _state(ticket: WinningTicket) -> str:
    return "waiting" if ticket.redeemed is None else "redeemed"


def _bytes(face: int) -> str:
    return face.to_bytes((face.bit_length() + 7) // 8, "big").hex().upper()


def _when(at: float | None) -> str:
    return "" if at is None else f"{utc(at):%Y-%m-%d %H:%M:%S}"

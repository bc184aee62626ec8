"""Fifty hosts: lptui, ssh in parallel and ansible, side by side and in turn."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.fanout import Ansible, Cost, SshFanout
from benchmarks.lab import Lab, relay
from benchmarks.table import Results, median

ROUNDS = 15
ANSIBLE_ROUNDS = 4


def steady(lab: Lab, results: Results) -> None:
    """The recurring reading of all hosts, everything connected already."""
    for round_trip in sorted(lab.ports):
        title = f"steady, +{round_trip} ms"
        with SshFanout(lab, round_trip, multiplexed=True) as fanout:
            fanout.round()
            ours, theirs = _in_turn(lab, round_trip, fanout)
        wall = median([cost.wall_s for cost in ours])
        operator = median([cost.operator_s for cost in ours])
        ssh_wall = median([cost.wall_s for cost in theirs])
        ssh_operator = median([cost.operator_s for cost in theirs])
        nodes = sum(cost.nodes_s for cost in ours) / len(ours) / len(lab.names)
        ssh_nodes = sum(cost.nodes_s for cost in theirs) / len(theirs) / len(lab.names)
        results.add(f"{title}: lptui, wall", wall * 1e3, "ms")
        results.add(f"{title}: ssh over ControlMaster, wall", ssh_wall * 1e3, "ms")
        results.add(f"{title}: lptui, CPU of the operator", operator * 1e3, "ms")
        results.add(f"{title}: ssh, CPU of the operator", ssh_operator * 1e3, "ms")
        results.add(f"{title}: lptui, CPU a node", nodes * 1e3, "ms", at_most=3)
        results.add(f"{title}: ssh, CPU a node", ssh_nodes * 1e3, "ms")
        if round_trip:
            bare = bare_round_trip(len(lab.names), round_trip)
            results.add(f"{title}: round trip of the relay, 50 at once", bare * 1e3, "ms")
            results.add(f"{title}: lptui, in round trips", wall / bare, "x", at_most=1.3)
        else:
            results.add(f"{title}: ssh / lptui, wall", ssh_wall / wall, "x", at_least=3)
            times = ssh_operator / operator
            results.add(f"{title}: ssh / lptui, CPU of the operator", times, "x", at_least=15)
        if Ansible.is_installed():
            ansible = Ansible(lab, round_trip)
            ansible.round()
            rounds = [ansible.round() for _ in range(ANSIBLE_ROUNDS)]
            an_wall = median([cost.wall_s for cost in rounds])
            results.add(f"{title}: ansible -m raw, wall", an_wall * 1e3, "ms")
            if not round_trip:
                results.add(f"{title}: ansible / lptui, wall", an_wall / wall, "x", at_least=25)


def _in_turn(lab: Lab, round_trip: int, fanout: SshFanout) -> tuple[list[Cost], list[Cost]]:
    """Rounds of both contestants, half of one before and half after the other."""
    theirs = [fanout.round() for _ in range(ROUNDS // 2)]
    config = str(lab.lptui_config(round_trip))
    done = _worker("rounds", config, str(ROUNDS), str(lab.sshd_pid))
    theirs += [fanout.round() for _ in range(ROUNDS - ROUNDS // 2)]
    return [Cost(**item) for item in done], theirs


def cold(lab: Lab, results: Results) -> None:
    """From nothing: a whole `check` against one command on each host by parallel ssh."""
    fanout = SshFanout(lab, 0, multiplexed=False)
    config = str(lab.lptui_config(0))
    argv = [sys.executable, "-m", "lptui", "--headless", "check", "--config", config]
    ours: list[Cost] = []
    theirs: list[Cost] = []
    for _ in range(5):
        theirs.append(fanout.round())
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run([*argv], check=False, capture_output=True)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        ours.append(Cost(wall, own, 0.0))
    wall = median([cost.wall_s for cost in ours])
    ssh_wall = median([cost.wall_s for cost in theirs])
    results.add("cold: lptui --headless check, wall", wall * 1e3, "ms")
    results.add("cold: ssh in parallel, one command, wall", ssh_wall * 1e3, "ms")
    results.add("cold: ssh / lptui, wall", ssh_wall / wall, "x", at_least=1)
    results.add(
        "cold: lptui, CPU of the operator", median([c.operator_s for c in ours]) * 1e3, "ms"
    )
    results.add(
        "cold: ssh, CPU of the operator", median([c.operator_s for c in theirs]) * 1e3, "ms"
    )


def dead(lab: Lab, results: Results) -> None:
    """Ten hosts that accept and say nothing: the other forty keep their two seconds."""
    found = _worker("gaps", str(lab.lptui_config(0, dead=10)), "20")
    longest = max(item["longest_gap_s"] for item in found)
    results.add("ten dead of fifty: hosts that answer", len(found), "", at_least=40)
    results.add("ten dead of fifty: longest gap of the others", longest, "s", at_most=2.5)


def bare_round_trip(connections: int, round_trip_ms: int) -> float:
    """What the relay itself takes when so many connections each exchange one line at once."""
    values = []
    with relay(("echo", 0), round_trip_ms / 1000) as port:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for made in sockets:
                made.sendall(b"x" * 100)
            for made in sockets:
                made.recv(200)
            values.append(time.perf_counter() - started)
        for made in sockets:
            made.close()
    return median(values)


def _worker(*arguments: str) -> Sequence[dict[str, float]]:
    argv = [sys.executable, "-m", "benchmarks.steady", *arguments]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    found: list[dict[str, float]] = json.loads(done.stdout)
    return found

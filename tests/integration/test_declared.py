"""Declared commands through a real sshd: what is run, what proves it, and what a kill leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lptui.actions.reading import Said, read
from lptui.fleet.declared import DeclaredCommand, Target
from lptui.report.declared import exit_code, render
from lptui.transport.reach import FleetReach
from tests.e2e.command import Operator, Outcome
from tests.forked import Console
from tests.sshd import Sshd, sshd
from tests.waiting import until

__all__ = ["sshd"]

APPEND = 'printf "%s\\n" "$2" >> "$1"'
"""A script that adds a line to a file: its arguments are the file and the line."""


class Hosts:
    """Two hosts that are one sshd, an operator, and a folder that commands leave traces in."""

    def __init__(self, server: Sshd, folder: Path) -> None:
        self.operator = Operator(folder)
        self.folder = folder
        self.config = folder / "lptui.yaml"
        login = {
            "address": server.host,
            "port": server.port,
            "user": server.user,
            "identity": str(server.identity),
        }
        self.document: dict[str, Any] = {
            "name": f"declared-{uuid.uuid4().hex}",  # its lock is in the hosts' /tmp
            "ssh": {"known_hosts": str(server.known_hosts), "config": []},
            "hosts": {"h1": login, "h2": login},
            "nodes": {
                "t1": {"host": "h1", "role": "transcoder", "unit": "lp@1", "cli": "none"},
                "t2": {"host": "h2", "role": "transcoder", "unit": "lp@2", "cli": "none"},
            },
            "commands": {},
        }

    @property
    def trace(self) -> Path:
        """What the commands of a test write to."""
        return self.folder / "trace"

    @property
    def traced(self) -> list[str]:
        return self.trace.read_text().splitlines() if self.trace.exists() else []

    def declare(self, name: str, *run: str, **more: Any) -> None:
        """A command; as one of nodes that writes, unless told otherwise."""
        self.document["commands"][name] = {
            "run": list(run),
            "on": "node",
            "effect": "write",
            **more,
        }
        self.config.write_text(yaml.safe_dump(self.document))

    def declare_script(self, name: str, script: str, **more: Any) -> None:
        """A script that is given the trace's path and the target's name."""
        self.declare(name, "sh", "-ec", script, "sh", str(self.trace), "{node}", **more)

    async def lptui(self, *words: str) -> Outcome:
        argv = ("--config", str(self.config), "--headless", *words)
        return await asyncio.to_thread(self.operator.run, *argv)

    async def act(self, *words: str) -> tuple[int, Any]:
        """The exit code and the JSON of what is not asked about."""
        outcome = await self.lptui(*words, "--yes", "--format", "json")
        assert outcome.out, outcome.err
        return outcome.code, json.loads(outcome.out)

    @asynccontextmanager
    async def killed(self, *words: str) -> AsyncIterator[None]:
        """The same command, killed by SIGKILL once it has left a trace."""
        console = Console(
            *("--config", str(self.config), "--headless", *words, "--yes"),
            cwd=self.folder,
            environment=self.operator.environment(),
        )
        try:
            await until(lambda: self.traced or console.poll() is not None, 60)
            assert console.poll() is None, console.out + console.err
            console.kill()
            yield
        finally:
            console.kill()


@pytest.fixture
def hosts(sshd: Sshd, tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(sshd, tmp_path)
    yield made
    for left in Path("/tmp").glob(f"lptui-fleet-{made.document['name']}*"):
        shutil.rmtree(left, ignore_errors=True)


@pytest.fixture
def gate(hosts: Hosts) -> Iterator[str]:
    """Lines of a script that wait until the test is over, 20 s at most."""
    path = hosts.folder / "gate"
    yield f"n=0; while [ ! -e '{path}' ] && [ $n -lt 400 ]; do sleep 0.05; n=$((n+1)); done"
    path.touch()


NASTY = ["a b", "'q'", '"d"', "$HOME", "`id`", "; touch x", "*", "~", "\\", "ü", "-n", "{{node}}"]


async def read_on(sshd: Sshd, *run: str, timeout_s: float = 20.0) -> Said:
    """What a command that only reads gives, for the host `node`."""
    command = DeclaredCommand("try", run, ("host",), "read", timeout_s=timeout_s)
    reach = FleetReach(sshd.fleet())
    try:
        [said] = await read(sshd.fleet(), reach, command, [Target("node")])
        return said
    finally:
        await reach.close()


class TestReading:
    async def test_what_only_reads_is_run_at_once_and_its_output_is_printed(
        self, hosts: Hosts
    ) -> None:
        hosts.declare("say", "printf", r"%s\n", "{node} on {host}: {unit}", effect="read")
        outcome = await hosts.lptui("run", "say", "t1")
        assert (outcome.code, outcome.out) == (0, "t1 on h1: lp@1.service\n"), outcome.err
        outcome = await hosts.lptui("run", "say", "all", "--read-only")
        assert outcome.out.splitlines() == [
            *("t1:", "  t1 on h1: lp@1.service"),
            *("t2:", "  t2 on h2: lp@2.service"),
        ]

    async def test_output_is_bounded_and_cannot_touch_the_terminal(self, sshd: Sshd) -> None:
        said = await read_on(sshd, "seq", "1", "5000")
        assert len(said.stdout) == 1001
        assert said.stdout[-1] == "… more than 1000 lines, cut"
        said = await read_on(sshd, "printf", r"\033[2J\033]0;x\007[red]a\342\200\256b\n")
        assert said.stdout == ("[red]a b",)

    async def test_how_it_ends_is_told(self, sshd: Sshd) -> None:
        said = await read_on(sshd, "sh", "-c", "echo no >&2; exit 7")
        assert (said.status, said.stderr) == (7, ("no",))
        assert render("bad", [said], 0.0, "text") == "no\nfailed: it ended with status 7"
        assert exit_code([said]) == 2
        said = await read_on(sshd, "sleep", "20", timeout_s=0.5)
        assert said.status is None
        assert "its outcome is unknown" in said.error
        assert exit_code([said]) == 3
        assert (await read_on(sshd, "no-such-program-here")).status == 127

    async def test_arguments_arrive_as_they_were_written(self, sshd: Sshd) -> None:
        said = await read_on(sshd, "sh", "-c", 'for x; do printf "%s\\n" "$x"; done', "sh", *NASTY)
        assert said.stdout == (*NASTY[:-1], "{node}")

    async def test_a_dry_run_only_shows_the_plan(self, hosts: Hosts) -> None:
        hosts.declare_script("say", APPEND, effect="read")
        outcome = await hosts.lptui("run", "say", "t1", "--dry-run")
        assert outcome.code == 0
        assert "run say for t1" in outcome.out
        assert hosts.traced == []


class TestNaming:
    async def test_what_is_not_declared_is_told_with_what_is(self, hosts: Hosts) -> None:
        hosts.declare("flush", "true")
        outcome = await hosts.lptui("run", "flsh", "t1")
        assert (outcome.code, outcome.out) == (3, "")
        assert "no such command is declared" in outcome.err
        assert "did you mean: flush?" in outcome.err
        assert "one of: flush" in (await hosts.lptui("run")).err

    async def test_targets_are_those_that_it_is_for(self, hosts: Hosts) -> None:
        hosts.declare("flush", "true", on="node:t1")
        outcome = await hosts.lptui("run", "flush", "t2", "--yes")
        assert outcome.code == 1
        assert "nothing there works for t1" in outcome.err
        hosts.declare("both", "true", on=["h1", "h2"])
        assert "which host?" in (await hosts.lptui("run", "both", "--yes")).err


class TestChecked:
    """A command whose effect can be read."""

    def declare(self, hosts: Hosts, script: str = APPEND, **more: Any) -> None:
        check = ["grep", "-qx", "{node}", str(hosts.trace)]
        undo = ["sed", "-i", "/^{node}$/d", str(hosts.trace)]
        hosts.trace.touch()
        hosts.declare_script("mark", script, check=check, undo=undo, **more)

    async def test_it_asks_plans_proves_and_records(self, hosts: Hosts) -> None:
        self.declare(hosts, confirm="mind the gap", effect="destructive")
        refused = await hosts.lptui("run", "mark", "t1")
        assert refused.code == 1
        assert "nobody to ask" in refused.err
        plan = (await hosts.lptui("run", "mark", "t1", "--dry-run", "--format", "json")).json[
            "plan"
        ]
        assert "mind the gap" in plan["warnings"]
        assert hosts.traced == []
        code, told = await hosts.act("run", "mark", "t1")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert told["plan"]["hash"] == plan["hash"]
        assert told["result"]["summary"].endswith(": its check ends with status 0")
        assert hosts.traced == ["t1"]
        assert "run mark" in (await hosts.lptui("runs")).out

    async def test_what_is_done_is_not_done_again(self, hosts: Hosts) -> None:
        self.declare(hosts)
        await hosts.act("run", "mark", "t1")
        code, told = await hosts.act("run", "mark", "t1")
        assert (code, hosts.traced) == (0, ["t1"])
        assert "already" in told["result"]["summary"]

    async def test_a_success_that_does_not_show_is_a_failure(self, hosts: Hosts) -> None:
        self.declare(hosts, "true", timeout="1s")
        code, told = await hosts.act("run", "mark", "t1")
        assert (code, told["result"]["outcome"]) == (2, "failed")
        assert "still its check ends with status 1" in told["result"]["summary"]

    async def test_a_failure_that_shows_all_the_same_is_a_success(self, hosts: Hosts) -> None:
        self.declare(hosts, f"{APPEND}; exit 3")
        code, told = await hosts.act("run", "mark", "t1")
        assert (code, told["result"]["outcome"]) == (0, "done")

    async def test_undone_by_its_own_command(self, hosts: Hosts) -> None:
        self.declare(hosts)
        await hosts.act("run", "mark", "all")
        assert hosts.traced == ["t1", "t2"]
        runs = (await hosts.lptui("runs", "--format", "json")).json["runs"]
        code, told = await hosts.act("undo", runs[-1]["run"])
        assert (code, hosts.traced) == (0, []), told

    async def test_killed_after_its_effect_it_is_not_run_again(
        self, hosts: Hosts, gate: str
    ) -> None:
        self.declare(hosts, f"{APPEND}; {gate}")
        async with hosts.killed("run", "mark", "t1"):
            code, told = await hosts.act("resume")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert hosts.traced == ["t1"]

    async def test_killed_before_its_effect_it_is_run_when_it_is_resumed(
        self, hosts: Hosts, gate: str
    ) -> None:
        self.declare(hosts, f'printf "begun\\n" >> "$1"; {gate}; false')
        async with hosts.killed("run", "mark", "t1"):
            refused = await hosts.lptui("run", "mark", "t2", "--yes")
            assert refused.code == 1, "nothing else is begun meanwhile"
            self.declare(hosts)
            code, told = await hosts.act("resume", "--dry-run")
            assert code == 0
            assert [step["standing"] for step in told["steps"]] == ["to do"]


class TestUnchecked:
    """A command of which nothing but its end can be known."""

    async def test_its_end_is_its_proof(self, hosts: Hosts) -> None:
        hosts.declare_script("mark", f"echo fine; {APPEND}")
        outcome = await hosts.lptui("run", "mark", "t1", "--yes")
        assert outcome.code == 0, outcome.out
        assert "it ended with status 0" in outcome.out
        assert "t1: fine" in outcome.err, "its output is progress"
        hosts.declare("bad", "sh", "-c", "echo why >&2; exit 3")
        code, told = await hosts.act("run", "bad", "t1")
        assert (code, told["result"]["outcome"]) == (2, "failed")
        assert "status 3: why" in told["result"]["summary"]

    async def test_one_after_the_other_and_none_after_a_failure(self, hosts: Hosts) -> None:
        hosts.declare_script("mark", f'{APPEND}; [ "$2" != t1 ]')
        code, told = await hosts.act("run", "mark", "all")
        assert (code, hosts.traced) == (2, ["t1"])
        assert "step 1 of 2" in told["result"]["summary"]

    async def test_killed_it_is_never_run_again_by_itself(self, hosts: Hosts, gate: str) -> None:
        hosts.declare_script("mark", f"{APPEND}; {gate}", undo=["rm", str(hosts.trace)])
        async with hosts.killed("run", "mark", "all"):
            code, told = await hosts.act("resume", "--dry-run")
            assert code == 0
            assert [step["standing"] for step in told["steps"]] == ["cannot be read", "to do"]
            assert "it may have run" in told["steps"][0]["seen"]
            code, told = await hosts.act("resume")
        assert (code, told["result"]["outcome"]) == (3, "unknown")
        assert "it may have run" in told["result"]["summary"]
        assert hosts.traced == ["t1"], "neither again, nor the next one"
        plan = (await hosts.lptui("run", "mark", "t2", "--dry-run", "--format", "json")).json[
            "plan"
        ]
        assert plan["may_run"], "it holds nothing up any more"

    async def test_killed_it_is_undone_by_its_own_command(self, hosts: Hosts, gate: str) -> None:
        hosts.declare_script("mark", f"{APPEND}; {gate}", undo=["rm", str(hosts.trace)])
        async with hosts.killed("run", "mark", "t1"):
            code, told = await hosts.act("undo")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert hosts.traced == []

    async def test_without_an_undo_that_is_said(self, hosts: Hosts) -> None:
        hosts.declare_script("mark", APPEND)
        plan = (await hosts.lptui("run", "mark", "t1", "--dry-run", "--format", "json")).json[
            "plan"
        ]
        assert "it cannot be undone: no `undo` is declared" in plan["warnings"]
        await hosts.act("run", "mark", "t1")
        runs = (await hosts.lptui("runs", "--format", "json")).json["runs"]
        code, told = await hosts.act("undo", runs[-1]["run"])
        assert (code, told["result"]["outcome"]) == (2, "failed")
        assert "it cannot be undone" in told["result"]["summary"]


async def test_a_host_that_does_not_answer_is_not_asked(hosts: Hosts, sshd: Sshd) -> None:
    hosts.declare_script("mark", APPEND)
    sshd.stop()
    with contextlib.suppress(ProcessLookupError):
        code, told = await hosts.act("run", "mark", "t1")
    assert (code, told["result"]["outcome"]) == (1, "refused")
    assert told["plan"]["preconditions"][0]["name"] == "h1 reached"

"""`acceptance`, `health` and `get` through the front door; a real HAProxy that obeys `health`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import forked
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import NodeConfig
from tests.haproxy import Haproxy, haproxy, is_installed

AGENT_S = 120.0
"""What HAProxy gets to ask its agent, which starts a Python on a busy machine, and to obey."""

NOT_DOWN = "no check"
"""HAProxy's word for a server whose own health it does not check: the agent's alone counts."""


def lptui(folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    ran = forked.run(*words, cwd=folder, environment=environment)
    return ran.returncode, ran.stdout, ran.stderr


def demo(folder: Path, scenario: str, *words: str) -> tuple[int, str, str]:
    return lptui(folder, "--demo", "--scenario", scenario, "--headless", *words)


def test_the_demos_nodes_are_accepted_until_something_is_wrong(tmp_path: Path) -> None:
    code, told, _ = demo(tmp_path, "healthy", "acceptance", "transcoder-1")
    assert (code, told.partition(" (")[0]) == (0, "transcoder-1: accepted")
    code, told, _ = demo(tmp_path, "gpu-hot", "acceptance", "transcoder-4", "--format", "json")
    found = json.loads(told)
    bad = [line for line in found["lines"] if line["verdict"] == "not"]
    assert (code, found["exit_code"], found["verdict"]) == (1, 1, "not")
    assert [line["topic"] for line in bad] == ["GPUs are well"]
    assert all(line["evidence"] and line["remedy"] for line in bad)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("acceptance", "orch-9"), 3, "the fleet has no such node"),
        (("acceptance",), 3, "takes one node"),
        (("acceptance", "orch-1", "--format", "agent"), 3, "use text or json"),
        (("health", "orch-1", "--format", "markdown"), 3, "use text or json or agent or http"),
        (("get", "orch-1", "/reward"), 1, "only routes without effect"),
        (("get", "orch-1", "/status?a=b"), 1, "only routes without effect"),
        (("get", "geth-1", "/status"), 3, "it has no CLI API"),
        (("check", "--format", "agent"), 3, "has no format agent"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    got, out, err = demo(tmp_path, "healthy", *words)
    assert (got, out, said in err) == (code, "", True)


@asynccontextmanager
async def agent(folder: Path, node: str) -> AsyncIterator[int]:
    """The port of a socket whose connections are a `health` run's input and output, as inetd's
    and systemd's are."""
    words = ("-m", "lptui", "--headless", "health", node, "--format", "agent")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    under_way: set[asyncio.Task[None] | None] = set()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        descriptor = os.dup(writer.get_extra_info("socket").fileno())
        try:
            os.set_blocking(descriptor, True)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                cwd=folder,
                env=environment,
                stdin=descriptor,
                stdout=descriptor,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await process.wait()
        finally:
            os.close(descriptor)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close()
        await asyncio.wait([task for task in under_way if task is not None])


def configure(folder: Path, balancer: Haproxy, nodes: dict[str, LivepeerNode]) -> None:
    declared = {
        name: {"host": "here", "roles": ["orchestrator"], "cli": {"url": node.url}}
        for name, node in nodes.items()
    }
    pool = {"kind": "haproxy", "host": "here", "socket": balancer.socket, "backends": ["web"]}
    fleet = {
        "name": "here",
        "hosts": {"here": {"local": True}},
        "nodes": declared,
        "balancers": {"edge": pool | {"servers": {name: name for name in nodes}}},
    }
    (folder / "lptui.yaml").write_text(json.dumps(fleet))


async def until(balancer: Haproxy, column: str, value: str) -> None:
    async with asyncio.timeout(AGENT_S):
        while value not in await balancer.figure("web/a", column):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.skipif(not is_installed(), reason="needs haproxy")
async def test_haproxy_does_as_the_agent_says(tmp_path: Path) -> None:
    async with running_node(NodeConfig(name="a")) as a, running_node(NodeConfig(name="b")) as b:
        async with agent(tmp_path, "a") as port:
            check = f"agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 3s weight 100"
            ports = [node.url.rpartition(":")[2] for node in (a, b)]
            servers = [f"a 127.0.0.1:{ports[0]} {check}", f"b 127.0.0.1:{ports[1]}"]
            # The agent is a Python that starts anew each time.
            async with haproxy(servers, "    timeout check 30s") as balancer:
                configure(tmp_path, balancer, {"a": a, "b": b})
                await until(balancer, "agent_status", "L7OK")
                assert await balancer.status("web/a") == NOT_DOWN
                assert await balancer.figure("web/a", "weight") == "100"
                # What an operator set is kept: the agent never says `ready`.
                await balancer.cli("set server web/a state drain")
                await a.stop()
                await until(balancer, "agent_status", "L7STS")
                assert "down (node-up: down:" in await balancer.figure("web/a", "last_agt")
                await balancer.cli("set server web/a state ready")
                assert (await balancer.status("web/a")).startswith("DOWN")
                await balancer.cli("set server web/b state drain")
                # The last one is kept, with less of its weight, though it does not answer.
                await until(balancer, "status", NOT_DOWN)
                assert await balancer.figure("web/a", "weight") == "50"
        code, told, _ = await asyncio.to_thread(
            lptui, tmp_path, "--headless", "get", "b", "/status"
        )
        assert (code, json.loads(told)["Version"]) == (0, "0.9.1")
        code, told, _ = await asyncio.to_thread(
            lptui, tmp_path, "--headless", "health", "b", "--format", "http"
        )
        assert told.startswith(("HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\n"))
        code, told, _ = await asyncio.to_thread(
            lptui, tmp_path, "--headless", "acceptance", "a", "--format", "json"
        )
        topics = {line["topic"]: line["verdict"] for line in json.loads(told)["lines"]}
        assert (code, topics["answers"], topics["host reached"]) == (1, "not", "ok")

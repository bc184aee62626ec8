"""Connections over their life: ssh_config, jump hosts, sharing, loss, half-open peers, bounds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lptui.errors import DeadlineError, ProblemKind, TransportError
from lptui.fleet.topology import Ssh
from lptui.transport.pool import Limits
from lptui.transport.protocols import Command
from tests.ports import free_port
from tests.reaching import HELLO, failure, hello, reach_of
from tests.relay import relay
from tests.sshd import Sshd, running_sshd, sshd
from tests.waiting import on_this_machine, until

__all__ = ["sshd"]


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Sshd]:
    """A second sshd, as the jump host; it forwards and has no shell."""
    with running_sshd(tmp_path / "bastion", {"ForceCommand": "/bin/false"}) as server:
        yield server


def logins(server: Sshd) -> int:
    return server.log.count("Accepted publickey")


def config_for(path: Path, server: Sshd, host: str, extra: str = "") -> str:
    return (
        f"Host {host}\n HostName {server.host}\n Port {server.port}\n User {server.user}\n"
        f" IdentityFile {server.identity}\n UserKnownHostsFile {server.known_hosts}\n{extra}"
    )


async def test_an_alias_of_ssh_config_is_enough(sshd: Sshd, tmp_path: Path) -> None:
    included = tmp_path / "included"
    included.write_text(
        config_for(tmp_path, sshd, "edge-*", f" IdentityFile {tmp_path}/missing # no such key\n")
    )
    config = tmp_path / "config"
    config.write_text(
        f"# a comment\nInclude {included}\n"
        "Match originalhost edge-9\n  User somebody # not this one\n"
        "Host other # a comment after a value\n  Port 1 # another\n"
        'Host *\n  AddKeysToAgent yes # unknown here\n  SetEnv "A=b # c"\n'
    )
    async with reach_of(Ssh("edge-1", config_files=(str(config),))) as reach:
        assert await hello(reach) == "hello\n"


async def test_a_mistake_in_ssh_config_names_file_and_line(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host x # fine\n  Port 22 # fine\nHost *\n  Port many\n")
    async with reach_of(sshd.ssh(port=None, config_files=(str(config),))) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.SSH_CONFIG
    assert str(config) in error.why
    assert "line 4" in error.why


async def test_a_jump_host_is_logged_in_to_once(sshd: Sshd, bastion: Sshd) -> None:
    before = logins(sshd)
    hosts = [sshd.ssh(f"n{number}", jump=("bastion",)) for number in range(4)]
    names = ("bastion", "n0", "n1", "n2", "n3")
    async with reach_of(bastion.ssh("bastion"), *hosts, names=names) as reach:
        words = await asyncio.gather(*(hello(reach, name) for name in names[1:]))
        assert words == ["hello\n"] * 4
    assert logins(bastion) == 1
    assert logins(sshd) - before == 4


async def test_proxyjump_chain_of_ssh_config(sshd: Sshd, bastion: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        config_for(tmp_path, bastion, "gate", f" IdentityFile {sshd.identity}\n")
        + config_for(tmp_path, sshd, "inner")
        + config_for(tmp_path, sshd, "target", " ProxyJump gate,inner\n")
    )
    ssh = Ssh("target", config_files=(str(config),))
    async with reach_of(ssh, ssh, names=("a", "b")) as reach:
        assert await hello(reach, "a") == "hello\n"
        assert await hello(reach, "b") == "hello\n"
    assert logins(bastion) == 1
    assert "127.0.0.1" in sshd.log


async def test_a_jump_host_by_address(sshd: Sshd) -> None:
    jump = f"{sshd.user}@127.0.0.1:{sshd.port}"
    async with reach_of(sshd.ssh(jump=(jump,))) as reach:
        assert await hello(reach) == "hello\n"


async def test_a_failing_jump_host_is_named(sshd: Sshd) -> None:
    gate = sshd.ssh("gate", port=free_port())
    host = sshd.ssh("inner", jump=("gate",))
    async with reach_of(gate, host, names=("gate", "inner")) as reach:
        error = await failure(reach, "inner")
    assert error.kind is ProblemKind.JUMP_HOST
    assert "gate" in error.why
    assert "refused" in error.why


async def test_a_host_that_its_jump_host_cannot_reach(sshd: Sshd, bastion: Sshd) -> None:
    host = sshd.ssh("inner", port=free_port(), jump=("gate",))
    async with reach_of(bastion.ssh("gate"), host, names=("gate", "inner")) as reach:
        error = await failure(reach, "inner")
    assert error.kind is ProblemKind.REFUSED
    assert "inner" in error.what


async def test_a_jump_host_that_may_not_forward(sshd: Sshd, tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"AllowTcpForwarding": "no"}) as gate:
        host = sshd.ssh("inner", jump=("gate",))
        async with reach_of(gate.ssh("gate"), host, names=("gate", "inner")) as reach:
            error = await failure(reach, "inner")
    assert error.kind is ProblemKind.FORBIDDEN
    assert "AllowTcpForwarding" in error.remedy


async def test_jump_hosts_in_a_circle(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    one, two = sshd.ssh("one", jump=("two",)), sshd.ssh("two", jump=("one",))
    alias = Ssh("a", config_files=(str(config),))
    async with reach_of(one, two, alias, names=("one", "two", "a")) as reach:
        for host in ("one", "a"):
            with pytest.raises(TransportError, match="circle") as caught:
                await reach.shell(host).run(HELLO, 20)
            assert caught.value.problem().kind in (
                ProblemKind.SSH_CONFIG,
                ProblemKind.JUMP_HOST,
            )


async def test_all_users_of_a_host_share_one_connection(sshd: Sshd) -> None:
    before = logins(sshd)
    async with reach_of(sshd.ssh()) as reach:
        await asyncio.gather(
            *(hello(reach) for _ in range(10)),
            *(reach.execute("h0", HELLO[0]) for _ in range(4)),
            *(reach.connect_time("h0", f"127.0.0.1:{sshd.port}", 5) for _ in range(4)),
        )
    assert logins(sshd) - before == 1


async def test_a_killed_connection_fails_its_users_at_once_and_is_made_again(sshd: Sshd) -> None:
    with_long_life = Limits(backoff_first_s=0.05, backoff_longest_s=0.1)
    async with reach_of(sshd.ssh(), limits=with_long_life) as reach:
        await hello(reach)
        waiting = asyncio.create_task(
            reach.shell("h0").run([Command(("sleep", "30"), timeout_s=60)], 60)
        )
        command = asyncio.create_task(reach.execute("h0", Command(("sleep", "30"), timeout_s=60)))
        await until(lambda: processes(sshd).count("sleep") == 2, what="both sleeps run")
        started = time.monotonic()
        sshd.cut()
        with pytest.raises(TransportError) as caught:
            await waiting
        assert caught.value.kind is ProblemKind.DISCONNECTED
        result = await command
        assert result.status is None, "nobody knows how it ended"
        assert time.monotonic() - started < on_this_machine(2)
        await retried(lambda: hello(reach))


def processes(server: Sshd) -> str:
    names = []
    for pid in server.sessions():
        try:
            names.append(Path(f"/proc/{pid}/comm").read_text())
        except OSError:
            continue
    return " ".join(names)


async def retried(ask: object, deadline_s: float = 30.0) -> None:
    """Asks until it works: what the collector does."""
    ends = time.monotonic() + deadline_s
    while True:
        try:
            assert callable(ask)
            await ask()
            return
        except TransportError:
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)


async def test_a_frozen_peer_is_noticed_within_seconds(sshd: Sshd, tmp_path: Path) -> None:
    with running_sshd(tmp_path) as server:
        async with reach_of(server.ssh()) as reach:
            await hello(reach)
            server.freeze()
            started = time.monotonic()
            with pytest.raises(TransportError) as caught:
                await reach.shell("h0").run(HELLO, 30)
            assert caught.value.kind is ProblemKind.DISCONNECTED
            assert time.monotonic() - started < on_this_machine(9)
            await retried(lambda: hello(reach))


async def test_deadlines_hold_on_a_silent_way(sshd: Sshd) -> None:
    async with relay(sshd.host, sshd.port) as way, reach_of(relayed(sshd, way.port)) as reach:
        await hello(reach)
        way.silent = True
        for ask in (
            reach.shell("h0").run(HELLO, 0.3),
            reach.connect_time("h0", "127.0.0.1:1", 0.3),
            reach.exchange("h0", "/nowhere", b"x", 0.3),
            reach.execute("h0", Command(("true",), timeout_s=0.3)),
        ):
            started = time.monotonic()
            with pytest.raises((DeadlineError, TransportError)):
                await ask
            assert time.monotonic() - started < on_this_machine(12)
        way.silent = False


def relayed(server: Sshd, port: int) -> Ssh:
    """The server behind a relay's port, under its own host key."""
    line = server.known_hosts.read_text().split(maxsplit=1)[1]
    known = server.folder / f"known_hosts_{port}"
    known.write_text(f"[127.0.0.1]:{port} {line}")
    return server.ssh(port=port, known_hosts=str(known))


@pytest.mark.parametrize("after", [0, 10, 100, 900, 1500, 2200])
async def test_a_peer_that_closes_half_way(sshd: Sshd, after: int) -> None:
    async with relay(sshd.host, sshd.port) as way:
        way.cut_after = after
        async with reach_of(relayed(sshd, way.port)) as reach:
            with pytest.raises(TransportError) as caught:
                await reach.shell("h0").run([Command(("sleep", "20"), timeout_s=30)], 20)
            assert caught.value.kind in (
                ProblemKind.DISCONNECTED,
                ProblemKind.SSH_PROTOCOL,
                ProblemKind.NO_SHELL,
            )


async def test_dead_hosts_do_not_delay_the_living(sshd: Sshd) -> None:
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(128)
    dead = [sshd.ssh(f"dead{n}", port=silent.getsockname()[1]) for n in range(20)]
    limits = Limits(handshakes=4, per_target=20, slow_s=0.3, login_s=5.0)
    async with reach_of(*dead, sshd.ssh(), limits=limits) as reach:
        asked = [asyncio.create_task(hello(reach, f"h{n}")) for n in range(20)]
        await asyncio.sleep(0)
        started = time.monotonic()
        assert await hello(reach, "h20") == "hello\n"
        assert time.monotonic() - started < on_this_machine(4.5), "the dead gave up their places"
        for _ in range(20):
            assert await hello(reach, "h20", 1.0) == "hello\n"
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    silent.close()


async def test_logins_to_one_address_are_bounded(tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"MaxStartups": "10:100:10"}) as server:
        hosts = [server.ssh(f"n{n}") for n in range(25)]
        async with reach_of(*hosts, limits=Limits()) as reach:
            words = await asyncio.gather(*(hello(reach, f"h{n}") for n in range(25)))
    assert words == ["hello\n"] * 25, "none was dropped"


async def test_closing_ends_what_waits(sshd: Sshd) -> None:
    async with relay(sshd.host, sshd.port) as way, reach_of(relayed(sshd, way.port)) as reach:
        way.silent = True
        waiting = asyncio.create_task(reach.shell("h0").run(HELLO, 30))
        await until(lambda: way.accepted)
        await reach.close()
        with pytest.raises(TransportError, match="closing"):
            await waiting
        with pytest.raises(TransportError, match="closing"):
            await reach.shell("h0").run(HELLO, 30)


async def test_no_listening_port_and_no_leaked_descriptor(sshd: Sshd) -> None:
    before = descriptors()
    async with reach_of(sshd.ssh()) as reach:
        await hello(reach)
        opened = set(descriptors().values()) - set(before.values())
        assert any(name.startswith("socket:") for name in opened), "the connection itself"
        assert not opened & listening(), "a port was opened on the operator's machine"
    await until(lambda: len(descriptors()) <= len(before))


def listening() -> set[str]:
    """Every listening TCP socket of this machine, named as `descriptors` names it."""
    tables = (Path("/proc/net") / table for table in ("tcp", "tcp6"))
    lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {f"socket:[{fields[9]}]" for fields in lines if fields[3] == "0A"}


def descriptors() -> dict[str, str]:
    """This process's open files."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found[entry.name] = str(entry.readlink())
    return found

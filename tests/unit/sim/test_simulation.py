"""Starting and ending: nothing is left behind, and nobody gets in without the run's key."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import asyncssh
import pytest

from lptui.config import load_fleet
from lptui.errors import LptuiError
from lptui.fleet.topology import Ssh
from lptui.sim import start
from lptui.sim.simulation import Simulation
from lptui.sim.thread import DemoThread
from tests.waiting import until


async def log_in(ssh: Ssh, **changes: object) -> asyncssh.SSHClientConnection:
    options: dict[str, object] = {
        "username": ssh.user,
        "client_keys": list(ssh.identities),
        "known_hosts": ssh.known_hosts,
        "agent_path": None,
        "config": (),
        **changes,
    }
    return await asyncssh.connect("127.0.0.1", ssh.port or 0, **options)


def ssh_of(simulation: Simulation, host: str) -> Ssh:
    ssh = simulation.fleet.hosts[host].ssh
    assert ssh is not None
    return ssh


async def test_close_leaves_no_task_no_socket_and_no_file(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    simulation = await start(directory=tmp_path / "run")
    ssh = ssh_of(simulation, "vault-1")
    connection = await log_in(ssh)
    await connection.create_process("exec /bin/sh", encoding=None)
    reader, _ = await connection.open_connection("127.0.0.1", 10935)
    await simulation.close()
    async with asyncio.timeout(30):
        with pytest.raises(asyncssh.ConnectionLost):
            await reader.read()
        await connection.wait_closed()
    await simulation.close()
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()
    assert list(tmp_path.iterdir()) == []
    for host in simulation.fleet.hosts.values():
        assert host.ssh is not None
        with socket.socket() as probe, pytest.raises(OSError, match="refused"):
            probe.connect(("127.0.0.1", host.ssh.port or 0))


async def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run")
    try:
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
        files = list((tmp_path / "run").iterdir())
        assert len(files) == 2
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    finally:
        await simulation.close()


async def test_a_folder_that_was_there_stays_and_keeps_what_it_had(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    simulation = await start(directory=tmp_path)
    await simulation.close()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


async def test_logins_and_host_keys_are_strict(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=13)
    try:
        ssh = ssh_of(simulation, "gpu-1")
        stranger = asyncssh.generate_private_key("ssh-ed25519")
        with pytest.raises(asyncssh.PermissionDenied):
            await log_in(ssh, client_keys=[stranger])
        with pytest.raises(asyncssh.PermissionDenied):
            await log_in(ssh, username="root")
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await log_in(ssh, known_hosts=b"")
        lines = Path(ssh.known_hosts or "").read_text().splitlines()
        assert len(lines) == len({line.split()[2] for line in lines}) == 13
    finally:
        await simulation.close()


async def test_a_person_gets_a_prompt_and_can_leave(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=12)
    try:
        connection = await log_in(ssh_of(simulation, "vault-1"))
        process = await connection.create_process(term_type="xterm", encoding=None)
        process.stdin.write(b"hostname\rexit\r")
        async with asyncio.timeout(30):
            shown = await process.stdout.read()
            assert (await process.wait()).exit_status == 0
        assert b"hostname\r\nvault-1\r\n" in shown
        connection.close()
        await connection.wait_closed()
    finally:
        await simulation.close()


async def test_a_command_gets_what_is_written_to_it(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=12)
    try:
        connection = await log_in(ssh_of(simulation, "vault-1"))
        process = await connection.create_process("sudo -n tee /etc/motd", encoding=None)
        for part in (b"one\n", b"\xff", b"two"):
            process.stdin.write(part)
        process.stdin.write_eof()
        async with asyncio.timeout(30):
            assert await process.stdout.read() == b"one\n\xfftwo"
            assert (await process.wait()).exit_status == 0
        file = simulation.world.machines["vault-1"].files.find("/etc/motd")
        assert file is not None
        assert file.text.encode("utf-8", "surrogateescape") == b"one\n\xfftwo"
        connection.close()
        await connection.wait_closed()
    finally:
        await simulation.close()


async def test_streams_end_with_the_process_that_serves_them(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=12)
    try:
        connection = await log_in(ssh_of(simulation, "vault-1"))
        reader, writer = await connection.open_connection("127.0.0.1", 10935)
        writer.write(b"GET /EthChainID HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            assert b"200 OK" in await reader.readline()
            await connection.run("sudo -n systemctl stop livepeer-reward.service")
            assert (await reader.read()).endswith(b"42161")
        with pytest.raises(asyncssh.ChannelOpenError, match="refused"):
            await connection.open_connection("127.0.0.1", 10935)
        await connection.run("sudo -n systemctl start livepeer-reward.service")
        await connection.open_connection("127.0.0.1", 10935)
        connection.close()
        await connection.wait_closed()
    finally:
        await simulation.close()


async def test_a_reboot_cuts_every_connection_until_the_machine_is_there_again(
    tmp_path: Path,
) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=12)
    try:
        ssh = ssh_of(simulation, "vault-1")
        connection, other = await log_in(ssh), await log_in(ssh)
        bystander = await log_in(ssh_of(simulation, "orch-1"))
        done = await connection.run("sudo -n systemctl reboot")
        assert done.exit_status == 0
        async with asyncio.timeout(30):
            await connection.wait_closed()
            await other.wait_closed()
        with pytest.raises((asyncssh.Error, OSError)):
            await log_in(ssh)
        assert not bystander.is_closed()
        machine = simulation.world.machines["vault-1"]
        machine.boots_until = simulation.world.clock.now()
        await until(lambda: machine.boots_until is None)
        back = await log_in(ssh)
        assert str((await back.run("hostname")).stdout) == "vault-1\n"
        for one in (back, bystander):
            one.close()
            await one.wait_closed()
    finally:
        await simulation.close()


async def test_nothing_listens_beyond_loopback(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run")
    try:
        for host in simulation.fleet.hosts.values():
            assert host.ssh is not None
            assert host.ssh.address == "127.0.0.1"
        assert simulation.fleet.rpcs["public"].url.startswith("http://127.0.0.1:")
    finally:
        await simulation.close()


async def test_the_default_fleet_starts_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    simulation = await start(directory=tmp_path / "run")
    took = time.monotonic() - began
    await simulation.close()
    assert took < 1.5


async def test_the_configuration_describes_the_same_fleet(tmp_path: Path) -> None:
    simulation = await start(directory=tmp_path / "run", hosts=30)
    try:
        path = simulation.keep("lptui.yaml", simulation.config_text.encode())
        read = load_fleet(path)
        for name in (
            *("nodes", "rpcs", "balancers", "chain", "thresholds", "intervals"),
            *("guards", "commands"),
        ):
            assert getattr(read, name) == getattr(simulation.fleet, name)
        assert list(read.hosts) == list(simulation.fleet.hosts)
        backups = {name: host.backups for name, host in simulation.fleet.hosts.items()}
        assert {name: host.backups for name, host in read.hosts.items()} == backups
        assert {s.address for s in read.signers} >= {s.address for s in simulation.fleet.signers}
    finally:
        await simulation.close()


async def test_a_mistake_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(LptuiError, match="no scenario of that name"):
        await start("nonsense", directory=tmp_path / "run")
    with pytest.raises(LptuiError, match="simulated fleet of 3 hosts"):
        await start(hosts=3, directory=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_thread_serves_and_ends() -> None:
    before = threading.active_count()
    demo = DemoThread(hosts=14)
    fleet = demo.start()
    ssh = fleet.hosts["gpu-1"].ssh
    assert ssh is not None
    key = Path(ssh.identities[0])
    assert key.exists()
    with socket.create_connection(("127.0.0.1", ssh.port or 0), 5) as link:
        assert link.recv(4) == b"SSH-"
    began = time.monotonic()
    assert demo.stop()
    assert time.monotonic() - began < 3
    assert demo.stop()
    assert threading.active_count() == before
    assert not key.parent.exists()


def test_the_thread_passes_mistakes_on() -> None:
    demo = DemoThread("nonsense")
    with pytest.raises(LptuiError, match="no scenario of that name"):
        demo.start()
    assert demo.stop()


def test_what_killed_runs_left_behind_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = tmp_path / f"lptui-demo-{child.pid}-abc"
    alive = tmp_path / f"lptui-demo-{os.getpid()}-abc"
    other = tmp_path / "lptui-demo-of-somebody"
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "login").write_text("key")
    demo = DemoThread(hosts=12)
    demo.start()
    assert demo.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive.name, other.name])


def test_a_thread_that_was_never_started_can_be_stopped() -> None:
    assert DemoThread().stop()


@pytest.mark.parametrize("how", ["stdin", "term"])
def test_the_process_says_when_it_serves_and_ends_when_told(tmp_path: Path, how: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lptui.sim", "--hosts", "14", "--directory", str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = json.loads(process.stdout.readline())
        assert line["hosts"] == 14
        assert len(load_fleet(Path(line["config"])).hosts) == 14
        if how == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()
    assert list(tmp_path.iterdir()) == []


def test_the_process_refuses_unknown_scenarios(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lptui.sim", "--scenario", "x", "--directory", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=30,
    )
    assert done.returncode == 2
    assert "healthy" in done.stderr
    assert "Traceback" not in done.stderr

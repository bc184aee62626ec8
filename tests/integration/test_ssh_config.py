"""`~/.ssh/config` as OpenSSH reads it, against a real sshd and OpenSSH's own client."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.topology import Ssh
from lptui.transport.pool import Limits
from tests.reaching import failure, hello, reach_of
from tests.sshd import Sshd, running_sshd, sshd
from tests.waiting import until

__all__ = ["sshd"]

PATIENT = Limits(login_s=5.0)
"""OpenSSH's own reading is a process, and a busy machine takes its time to start one."""


def host(server: Sshd, name: str = "node", extra: str = "") -> str:
    """The server as a `Host`; the first value of an option wins, so `extra` does."""
    return (
        f"Host {name}\n{extra} HostName {server.host}\n Port {server.port}\n User {server.user}\n"
        f" IdentityFile {server.identity}\n UserKnownHostsFile {server.known_hosts}\n"
    )


def written(folder: Path, text: str) -> Ssh:
    config = folder / "config"
    config.write_text(text, "latin-1")
    return Ssh("node", config_files=(str(config),))


def as_openssh(ssh: Ssh) -> bool:
    """OpenSSH gets there with the same configuration."""
    assert ssh.config_files is not None
    command = ["ssh", "-F", ssh.config_files[0], "-o", "BatchMode=yes", ssh.alias, "echo hello"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    return done.stdout == b"hello\n"


@pytest.mark.parametrize(
    ("before", "extra"),
    [
        pytest.param("Host other\n Port 1 # don't\n", "", id="an apostrophe in a comment"),
        pytest.param("# caf\xe9\n", "", id="not UTF-8"),
        pytest.param("Host other # node\n Port 1\n", "", id="a comment after Host"),
        pytest.param("Include {folder}/*.conf\n", "", id="included files in their order"),
        pytest.param('Match host node exec "test %h = node"\n Port {port}\n', "", id="tokens"),
        pytest.param("Match final host 127.0.0.1\n Compression no\n", "", id="final"),
        pytest.param("", " UserKnownHostsFile {folder}/known_%n_%p\n", id="tokens in a name"),
        pytest.param(
            "",
            " HostKeyAlias a.key\n UserKnownHostsFile {folder}/known_%k\n",
            id="a key under another name",
        ),
        pytest.param("", " GlobalKnownHostsFile {known}\n UserKnownHostsFile none\n", id="global"),
        pytest.param("", " ProxyJump none\n ProxyCommand none\n", id="none"),
    ],
)
async def test_what_openssh_understands(
    sshd: Sshd, tmp_path: Path, before: str, extra: str
) -> None:
    key = sshd.known_hosts.read_text().split(maxsplit=1)[1]
    (tmp_path / "known_a.key").write_text(f"a.key {key}")
    (tmp_path / f"known_node_{sshd.port}").write_text(sshd.known_hosts.read_text())
    for number in range(20, 0, -1):
        port = sshd.port if number == 1 else 1
        (tmp_path / f"{number:02}.conf").write_text(f"Host node\n Port {port}\n")
    names = {"folder": tmp_path, "port": sshd.port, "known": sshd.known_hosts}
    last = "Host *\n ProxyJump nowhere\n" if "ProxyJump" in extra else ""
    text = before.format(**names) + host(sshd, extra=extra.format(**names)) + last
    ssh = written(tmp_path, text)
    assert as_openssh(ssh), "the test itself"
    async with reach_of(ssh, limits=PATIENT) as reach:
        assert await hello(reach) == "hello\n"


async def test_the_address_that_connections_come_from(sshd: Sshd, tmp_path: Path) -> None:
    ssh = written(tmp_path, host(sshd, extra=" BindAddress 127.0.0.1\n"))
    async with reach_of(ssh, limits=PATIENT) as reach:
        assert await hello(reach) == "hello\n"
    ssh = written(tmp_path, host(sshd, extra=" BindAddress 192.0.2.1\n"))
    async with reach_of(ssh, limits=PATIENT) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.UNREACHABLE
    assert "assign" in error.why, "this machine has no such address"


async def test_a_key_under_another_name_is_named_in_the_remedy(sshd: Sshd, tmp_path: Path) -> None:
    ssh = written(tmp_path, host(sshd, extra=" HostKeyAlias other.key\n"))
    async with reach_of(ssh, limits=PATIENT) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.HOST_KEY_UNKNOWN
    assert f"ssh-keyscan -p {sshd.port} {sshd.host}" in error.remedy
    assert "as other.key" in error.remedy


async def test_an_unknown_key_behind_a_jump_host_is_scanned_from_there(
    sshd: Sshd, tmp_path: Path
) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    inner = sshd.ssh("inner", jump=("gate",), known_hosts=str(empty))
    async with reach_of(sshd.ssh("gate"), inner, names=("gate", "inner")) as reach:
        error = await failure(reach, "inner")
    assert error.kind is ProblemKind.HOST_KEY_UNKNOWN
    assert "on its jump host" in error.remedy


GATE = "ssh -F {config} -W %h:%p gate 2>{said}"


async def test_proxycommand_is_a_shells_line(tmp_path: Path, sshd: Sshd) -> None:
    with running_sshd(tmp_path / "gate") as gate:
        config, said = tmp_path / "config", tmp_path / "said"
        command = GATE.format(config=config, said=said)
        text = host(gate, "gate") + host(sshd, extra=f" ProxyCommand {command}\n")
        async with reach_of(written(tmp_path, text), limits=PATIENT) as reach:
            assert await hello(reach) == "hello\n"
            assert said.exists()
        await until(lambda: not gate.sessions(), what="the program has ended")


async def test_what_proxycommand_says_is_not_taken_for_the_hosts_words(
    tmp_path: Path, sshd: Sshd
) -> None:
    relay = f"nc() {{ exec 3<>/dev/tcp/$1/$2; cat <&3 & cat >&3; }}; nc {sshd.host} {sshd.port}"
    noise = '(while :; do echo noise >&2; sleep 0.01; done) & trap "kill $!" EXIT'
    script = tmp_path / "way"
    script.write_text(f"#!/bin/bash\n{noise}\n{relay}\n")
    script.chmod(0o700)
    ssh = written(tmp_path, host(sshd, extra=f" ProxyCommand {script}\n"))
    async with reach_of(ssh, limits=PATIENT) as reach:
        for _ in range(20):
            assert await hello(reach) == "hello\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sh -c 'echo no way to the office >&2; exit 3'", "no way to the office"),
        ("/nonexistent/program", "not found"),
        ("true", "ended without reaching"),
    ],
)
async def test_a_proxycommand_that_fails_is_named(
    sshd: Sshd, tmp_path: Path, command: str, said: str
) -> None:
    ssh = written(tmp_path, host(sshd, extra=f" ProxyCommand {command}\n"))
    async with reach_of(ssh, limits=PATIENT) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.UNREACHABLE
    assert said in error.why
    assert "ProxyCommand" in error.remedy


async def test_a_proxycommand_that_hangs_is_ended(sshd: Sshd, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    ssh = written(
        tmp_path, host(sshd, extra=f" ProxyCommand sh -c 'echo $$ >{mark}; exec sleep 60'\n")
    )
    async with reach_of(ssh, limits=PATIENT) as reach:
        error = await failure(reach)
        assert error.kind is ProblemKind.TIMEOUT
        assert "through ProxyCommand" in error.why
        await until(lambda: not Path(f"/proc/{mark.read_text().strip()}").exists(), what="it ended")

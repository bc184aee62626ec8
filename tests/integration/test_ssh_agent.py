"""Keys that only an agent can use: which are offered, in which order, with which certificate."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.topology import Ssh
from lptui.transport.pool import Limits
from tests.reaching import failure, hello, reach_of
from tests.ssh_agent import add, agent
from tests.sshd import Sshd, make_key, running_sshd, sshd, start_sshd

__all__ = ["agent", "sshd"]


async def test_encrypted_key_is_used_through_the_agent(
    tmp_path: Path, agent: Path, sshd: Sshd
) -> None:
    server = tmp_path / "server"
    server.mkdir()
    make_key(server / "identity", passphrase="a secret")
    daemon = start_sshd(server)
    try:
        config = tmp_path / "config"
        config.write_text(f"Host *\n IdentityAgent {agent}\n")
        ssh = daemon.ssh(config_files=(str(config),))
        async with reach_of(ssh) as reach:
            error = await failure(reach)
        assert error.kind is ProblemKind.AUTHENTICATION
        assert "ssh-add" in error.remedy
        for number in range(8):  # junk that must not use up MaxAuthTries
            add(agent, make_key(tmp_path / f"junk{number}"))
        add(agent, server / "identity", "a secret")
        async with reach_of(ssh) as reach:
            assert await hello(reach) == "hello\n"
    finally:
        daemon.stop()


async def test_identity_comes_before_the_keys_of_a_full_agent(
    sshd: Sshd, tmp_path: Path, agent: Path
) -> None:
    for number in range(8):
        add(agent, make_key(tmp_path / f"junk{number}"))
    config = tmp_path / "config"
    config.write_text(f"Host *\n IdentityAgent {agent}\n")
    async with reach_of(sshd.ssh(config_files=(str(config),))) as reach:
        assert await hello(reach) == "hello\n"
    stranger = make_key(tmp_path / "stranger")
    ssh = sshd.ssh(config_files=(str(config),), identities=(str(stranger),))
    async with reach_of(ssh) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.AUTHENTICATION
    assert "too many keys" in error.why
    assert "IdentitiesOnly" in error.remedy


def with_agent(server: Sshd, agent: Path, folder: Path, text: str) -> Ssh:
    """The server as a `Host` of ssh_config that names the agent and the keys."""
    config = folder / "config"
    config.write_text(f"Host *\n IdentityAgent {agent}\n{text}")
    return server.ssh(identities=(), config_files=(str(config),))


@pytest.mark.parametrize("named", ["identity.pub", "identity"])
async def test_a_public_key_file_names_the_agents_key(
    tmp_path: Path, agent: Path, named: str
) -> None:
    """Keys of a token or a password manager have no private file."""
    with running_sshd(tmp_path / "server") as server:
        add(agent, server.identity)
        server.identity.unlink()
        for number in range(8):
            add(agent, make_key(tmp_path / f"junk{number}"))
        for only in ("yes", "no"):
            text = f" IdentityFile {server.folder / named}\n IdentitiesOnly {only}\n"
            ssh = with_agent(server, agent, tmp_path, text)
            async with reach_of(ssh, limits=Limits()) as reach:
                assert await hello(reach) == "hello\n"


@pytest.mark.parametrize("name", ["identity-cert.pub", "elsewhere-cert.pub"])
async def test_a_certificate_goes_with_the_agents_key(
    tmp_path: Path, agent: Path, name: str
) -> None:
    authority = make_key(tmp_path / "authority")
    public = Path(f"{authority}.pub").read_text().strip()
    folder = tmp_path / "server"
    folder.mkdir()
    identity = make_key(folder / "identity", passphrase="a secret")
    add(agent, identity, "a secret")
    server = start_sshd(folder, authorized=f"cert-authority {public}")
    try:
        sign = ("ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", server.user)
        subprocess.run([*sign, f"{identity}.pub"], check=True)
        (folder / "identity-cert.pub").rename(folder / name)
        text = f" IdentityFile {identity}\n IdentitiesOnly yes\n CertificateFile {folder / name}\n"
        async with reach_of(with_agent(server, agent, tmp_path, text)) as reach:
            assert await hello(reach) == "hello\n"
    finally:
        server.stop()

"""Every way in which a login can fail, and the remedy that it names; against a real sshd."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lptui.clock import FrozenClock
from lptui.errors import HostKeyError, ProblemKind
from lptui.transport.pool import Limits
from tests.ports import free_port
from tests.reaching import failure, hello, reach_of
from tests.sshd import Sshd, make_key, running_sshd, sshd, start_sshd

__all__ = ["sshd"]


async def test_unknown_key_names_fingerprint_and_remedy(sshd: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    async with reach_of(sshd.ssh(known_hosts=str(empty))) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.HOST_KEY_UNKNOWN
    assert isinstance(error, HostKeyError)
    printed = subprocess.run(
        ["ssh-keygen", "-lf", str(sshd.folder / "host_key.pub")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split()[1] in error.why
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {empty}" in error.remedy


async def test_a_missing_known_hosts_file_is_an_unknown_key(sshd: Sshd, tmp_path: Path) -> None:
    async with reach_of(sshd.ssh(known_hosts=str(tmp_path / "nowhere"))) as reach:
        assert (await failure(reach)).kind is ProblemKind.HOST_KEY_UNKNOWN


async def test_changed_key_is_told_apart_and_nothing_is_sent(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    key = Path(f"{other}.pub").read_text().split()[:2]
    known = tmp_path / "known_hosts"
    known.write_text(f"[{sshd.host}]:{sshd.port} {' '.join(key)}\n")
    async with reach_of(sshd.ssh(known_hosts=str(known))) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.HOST_KEY_CHANGED
    assert "CHANGED" in error.why
    assert error.why.count("SHA256:") == 2
    assert f"ssh-keygen -f {known} -R '[127.0.0.1]:{sshd.port}'" in error.remedy


async def test_a_key_of_the_address_is_none_of_the_name(sshd: Sshd) -> None:
    """Whoever answers for names must not be able to send one host's connections to another."""
    async with reach_of(sshd.ssh(address="localhost")) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.HOST_KEY_UNKNOWN
    assert "localhost" in error.remedy


async def test_changed_key_of_another_kind(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other", "ecdsa")
    key = Path(f"{other}.pub").read_text().split()[:2]
    known = tmp_path / "known_hosts"
    known.write_text(f"[{sshd.host}]:{sshd.port} {' '.join(key)}\n")
    async with reach_of(sshd.ssh(known_hosts=str(known))) as reach:
        assert (await failure(reach)).kind is ProblemKind.HOST_KEY_CHANGED


async def test_revoked_key(sshd: Sshd, tmp_path: Path) -> None:
    line = sshd.known_hosts.read_text()
    known = tmp_path / "known_hosts"
    known.write_text(f"{line}@revoked {line}")
    async with reach_of(sshd.ssh(known_hosts=str(known))) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.HOST_KEY_CHANGED
    assert "revoked" in error.why


async def test_hashed_known_hosts_and_damaged_lines(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("garbage\n@nonsense x y z\n|9|x|y ssh-ed25519 AAAA\n\xff\n")
    with known.open("a") as file:
        file.write(sshd.known_hosts.read_text())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], capture_output=True, check=False)
    async with reach_of(sshd.ssh(known_hosts=str(known))) as reach:
        assert await hello(reach) == "hello\n"


async def test_known_hosts_of_the_fleet(sshd: Sshd) -> None:
    ssh = sshd.ssh(known_hosts=None)
    async with reach_of(ssh, known_hosts=str(sshd.known_hosts)) as reach:
        assert await hello(reach) == "hello\n"


async def test_no_setting_of_ssh_config_switches_the_check_off(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n StrictHostKeyChecking no\n UserKnownHostsFile none\n")
    ssh = sshd.ssh(known_hosts=None, config_files=(str(config),))
    async with reach_of(ssh) as reach:
        assert (await failure(reach)).kind is ProblemKind.HOST_KEY_UNKNOWN


async def test_key_that_is_not_accepted(sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    async with reach_of(sshd.ssh(identities=(str(stranger),))) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.AUTHENTICATION
    assert "stranger" in error.why
    assert "authorized_keys" in error.remedy


@pytest.mark.parametrize(
    ("options", "wants"),
    [
        (
            {
                "AuthenticationMethods": "publickey,keyboard-interactive",
                "KbdInteractiveAuthentication": "yes",
            },
            "keyboard-interactive",
        ),
        ({"PubkeyAuthentication": "no", "PasswordAuthentication": "yes"}, "password"),
    ],
)
async def test_a_host_that_wants_more_than_a_key(
    tmp_path: Path, options: dict[str, str], wants: str
) -> None:
    with running_sshd(tmp_path, options) as server:
        async with reach_of(server.ssh()) as reach:
            error = await failure(reach)
    assert error.kind is ProblemKind.AUTHENTICATION
    assert error.why.endswith(f"it wants {wants}")
    assert "sshd_config" in error.remedy


def test_an_old_algorithm_puts_nothing_on_the_screen() -> None:
    script = (
        "import warnings, lptui.transport.ssh\n"
        "from cryptography.utils import CryptographyDeprecationWarning as Notice\n"
        "warnings.warn_explicit('old', Notice, 'dh.py', 1, 'asyncssh.crypto.dh')\n"
        "warnings.warn_explicit('mine', Notice, 'x.py', 1, 'elsewhere')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert b"mine" in done.stderr
    assert b"old" not in done.stderr


@pytest.mark.filterwarnings("ignore:Diffie-Hellman")
async def test_no_algorithm_in_common(tmp_path: Path) -> None:
    old = {"KexAlgorithms": "diffie-hellman-group1-sha1"}
    with running_sshd(tmp_path, old) as server:
        for _ in range(5):
            async with reach_of(server.ssh()) as reach:
                error = await failure(reach)
            # sshd closes at once; now and then that overtakes what it offers.
            if error.kind is not ProblemKind.DISCONNECTED:
                break
        assert error.kind is ProblemKind.SSH_PROTOCOL
        assert error.why.endswith("it offers only diffie-hellman-group1-sha1")
        config = tmp_path / "config"
        config.write_text("Host *\n KexAlgorithms +diffie-hellman-group1-sha1\n")
        async with reach_of(server.ssh(config_files=(str(config),))) as reach:
            assert await hello(reach) == "hello\n", "the remedy that it names helps"


async def test_port_where_nothing_listens(sshd: Sshd) -> None:
    async with reach_of(sshd.ssh(port=free_port())) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.REFUSED
    assert "sshd" in error.remedy


async def test_name_that_does_not_resolve(sshd: Sshd) -> None:
    async with reach_of(sshd.ssh(address="nowhere.invalid")) as reach:
        error = await failure(reach)
    assert error.kind is ProblemKind.UNREACHABLE
    assert "resolve" in error.why
    assert "DNS" in error.remedy


@asynccontextmanager
async def peer(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
) -> AsyncIterator[int]:
    """A TCP server that is no sshd."""

    writers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        answer(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def _greet(text: bytes, *, close: bool) -> Callable[..., None]:
    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        if close:
            writer.close()

    return answer


@pytest.mark.parametrize(
    ("text", "close", "kind"),
    [
        (b"", True, ProblemKind.SSH_PROTOCOL),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", True, ProblemKind.SSH_PROTOCOL),
        (b"\x1b[31m\0\xff" * 2000, False, ProblemKind.SSH_PROTOCOL),
        (b"noise\n" * 100_000, False, ProblemKind.SSH_PROTOCOL),
        (b"SSH-1.0-old\r\n", False, ProblemKind.SSH_PROTOCOL),
        (b"SSH-2.0-x\r\n", True, ProblemKind.DISCONNECTED),
        (b"SSH-2.0-x\r\n" + b"\xff" * 400, False, ProblemKind.SSH_PROTOCOL),
        (b"", False, ProblemKind.TIMEOUT),
        (b"SSH-2.0-x\r\n", False, ProblemKind.TIMEOUT),
    ],
)
async def test_what_listens_is_not_an_sshd(
    sshd: Sshd, text: bytes, close: bool, kind: ProblemKind
) -> None:
    async with peer(_greet(text, close=close)) as port, reach_of(sshd.ssh(port=port)) as reach:
        error = await failure(reach)
    assert error.kind is kind, error
    assert error.why.isprintable()


async def test_user_certificate(tmp_path: Path) -> None:
    authority = make_key(tmp_path / "authority")
    public = Path(f"{authority}.pub").read_text().strip()
    daemon = start_sshd(tmp_path / "server", authorized=f"cert-authority {public}")
    try:
        async with reach_of(daemon.ssh()) as reach:
            assert (await failure(reach)).kind is ProblemKind.AUTHENTICATION
        subprocess.run(
            [
                *("ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", daemon.user),
                f"{daemon.identity}.pub",
            ],
            check=True,
        )
        async with reach_of(daemon.ssh()) as reach:
            assert await hello(reach) == "hello\n"
    finally:
        daemon.stop()


async def test_host_certificate(tmp_path: Path) -> None:
    authority = make_key(tmp_path / "authority")
    server = tmp_path / "server"
    server.mkdir()
    key = make_key(server / "host_key")
    subprocess.run(
        [
            *("ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", "127.0.0.1"),
            f"{key}.pub",
        ],
        check=True,
    )
    with running_sshd(server, {"HostCertificate": f"{key}-cert.pub"}) as daemon:
        known = tmp_path / "known_hosts"
        public = " ".join(Path(f"{authority}.pub").read_text().split()[:2])
        known.write_text(f"@cert-authority * {public}\n")
        async with reach_of(daemon.ssh(known_hosts=str(known))) as reach:
            assert await hello(reach) == "hello\n"


async def test_backoff_gives_the_last_error_at_once_and_tries_again_later(sshd: Sshd) -> None:
    clock = FrozenClock()
    accepted = []

    def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(1)
        writer.close()

    limits = Limits(connect_s=1.0, backoff_first_s=4.0)
    async with (
        peer(refuse) as port,
        reach_of(sshd.ssh(port=port), clock=clock, limits=limits) as reach,
    ):
        first = await failure(reach)
        for _ in range(5):
            again = await failure(reach)
            assert again.problem() == first.problem()
            assert again is not first
        assert len(accepted) == 1, "no attempt during back-off"
        clock.advance(4.01)
        await failure(reach)
        assert len(accepted) == 2
        clock.advance(3.9)
        await failure(reach)
        assert len(accepted) == 2, "the second delay is at least as long as the first at most"
        reach.retry_now("h0")
        await failure(reach)
        assert len(accepted) == 3

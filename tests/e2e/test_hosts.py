"""One host broken at a time: the right word in its place, and all others still read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.command import Outcome, SideBySide
from tests.e2e.fleet import BEHIND_JUMP, MACHINE, Document, Edit, RealFleet, machine
from tests.e2e.servers import blackhole, flood, greeting, hang_up, talking, unused_port
from tests.relay import relay
from tests.sshd import Sshd, make_key

HOST_TOPICS = ("HostVitals", "HostUnits", "HostDisks", "HostSystem", "HostClock", "HostGpus")
VICTIM = "orch-1"


class StartSshd(Protocol):
    """Starts a sshd of a test's own."""

    def __call__(self, options: Mapping[str, str] | None = None, *, known: bool = True) -> Sshd: ...


def elsewhere(port: int, *, direct: bool = False) -> Edit:
    """The victim's address leads to another port, with the jump host or without."""

    def edit(document: Document) -> None:
        host = document["hosts"][VICTIM]
        host["port"] = port
        if direct:
            del host["jump"]

    return edit


def assert_only_the_victim(outcome: Outcome, *kinds: str) -> None:
    """Its readings fail with this kind and a remedy, its findings say so, the rest is there."""
    for topic in HOST_TOPICS:
        error = outcome.error(topic, VICTIM)
        assert error["kind"] in kinds, error
        assert error["what"]
        assert error["why"]
        assert error["remedy"], error
        assert "\n" not in error["remedy"]
    for topic in ("NodeStatus", "NodeIdentity", "NodeMetrics"):
        assert outcome.error(topic, VICTIM)["kind"] in kinds
        assert outcome.error(topic, VICTIM)["remedy"]
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()
    found = outcome.finding(f"host-up@{VICTIM}")
    assert (found["severity"], found["cause"]) == ("CRITICAL", None)
    assert found["remedy"]
    for check in ("disk", "memory", "load"):
        assert outcome.severity(f"{check}@{VICTIM}") == "UNKNOWN"
    assert outcome.finding(f"node-up@{VICTIM}")["cause"] == f"host-up@{VICTIM}"
    # One thing is broken, so one thing is to be mended.
    assert outcome.roots(MACHINE) == {f"host-up@{VICTIM}": "CRITICAL"}


@pytest.fixture
def other_sshd(real_fleet: RealFleet, tmp_path: Path) -> Iterator[StartSshd]:
    """Starts a sshd that knows the fleet's key, and whose host key the operator knows."""
    with contextlib.ExitStack() as stack:

        def start(options: Mapping[str, str] | None = None, *, known: bool = True) -> Sshd:
            server = machine(tmp_path / "sshd", real_fleet.identity, options)
            stack.callback(server.stop)
            if known:
                lines = server.known_hosts.read_text()
                both = (real_fleet.folder / "known_hosts").read_text() + lines
                (tmp_path / "known_hosts").write_text(both)
            return server

        yield start


def trusting(server: Sshd, tmp_path: Path, **more: object) -> Edit:
    """The victim is this server, whose key is in the operator's known_hosts."""

    def edit(document: Document) -> None:
        document["ssh"]["known_hosts"] = str(tmp_path / "known_hosts")
        document["hosts"][VICTIM] |= {"port": server.port, **more}

    return edit


Server = Callable[[], AbstractContextManager[int]]
DIRECT, JUMP = True, False
INSTEAD: dict[str, tuple[Server, bool, tuple[str, ...]]] = {
    "refuses": (unused_port, DIRECT, ("refused",)),
    "refuses-behind-the-jump-host": (unused_port, JUMP, ("refused",)),
    "hangs": (blackhole, DIRECT, ("timeout",)),
    "hangs-behind-the-jump-host": (blackhole, JUMP, ("timeout",)),
    "hangs-up": (partial(talking, hang_up), DIRECT, ("ssh-protocol",)),
    "hangs-up-behind-the-jump-host": (partial(talking, hang_up), JUMP, ("ssh-protocol",)),
    "floods": (partial(talking, flood), JUMP, ("ssh-protocol",)),
    "ssh-1": (partial(talking, greeting(b"SSH-1.5-Old\r\n")), JUMP, ("ssh-protocol",)),
    "ssh-and-then-garbage": (
        partial(talking, greeting(b"SSH-2.0-" + b"\x1b[2J" * 60 + b"\r\n" + bytes(4096))),
        *(JUMP, ("ssh-protocol",)),
    ),
    # One that goes on waiting may still greet: then it is late, and nothing worse is known.
    "smtp": (
        partial(talking, greeting(b"220 mail \x1b]0;owned\x07[bold]ready[/bold]\r\n")),
        *(JUMP, ("ssh-protocol", "timeout")),
    ),
    "http": (
        partial(talking, greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>")),
        *(JUMP, ("ssh-protocol", "timeout")),
    ),
    "tls": (
        partial(talking, greeting(b"\x16\x03\x01\x02\x00\x01\x00" + bytes(range(256)) * 4)),
        *(JUMP, ("ssh-protocol", "timeout")),
    ),
}
"""What listens where the host's sshd should, how it is reached, and the error's kinds."""


@pytest.fixture(scope="module")
def instead(real_fleet: RealFleet) -> SideBySide:
    def asked(server: Server, direct: bool) -> Outcome:
        with server() as port:
            return real_fleet.check(elsewhere(port, direct=direct))

    return SideBySide({name: partial(asked, *case[:2]) for name, case in INSTEAD.items()})


@pytest.mark.parametrize("name", INSTEAD)
def test_something_else_in_place_of_sshd(instead: SideBySide, name: str) -> None:
    assert_only_the_victim(instead[name], *INSTEAD[name][2])
    assert "sshd" in instead[name].finding(f"host-up@{VICTIM}")["remedy"]


@pytest.mark.parametrize("passed", [60, 900, 2100])
def test_closes_half_way_through_the_handshake(
    real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path, passed: int
) -> None:
    server = real_fleet.sshds[VICTIM]
    with real_fleet.stage.holding(relay("127.0.0.1", server.port)) as way:
        way.cut_after = passed
        key = server.known_hosts.read_text().replace(f":{server.port}", f":{way.port}")
        (tmp_path / "known_hosts").write_text((real_fleet.folder / "known_hosts").read_text() + key)

        def edit(document: Document) -> None:
            document["ssh"]["known_hosts"] = str(tmp_path / "known_hosts")
            document["hosts"][VICTIM]["port"] = way.port

        outcome = real_fleet.check(edit)
    assert_only_the_victim(outcome, "disconnected")


def test_unknown_host_key(real_fleet: RealFleet, other_sshd: StartSshd) -> None:
    server = other_sshd(known=False)
    outcome = real_fleet.check(elsewhere(server.port))
    assert_only_the_victim(outcome, "host-key-unknown")
    assert "known_hosts" in outcome.finding(f"host-up@{VICTIM}")["remedy"]
    # The operator has to compare something.
    told = outcome.error("HostVitals", VICTIM)
    assert "SHA256:" in told["why"] + told["remedy"]


def test_changed_host_key(real_fleet: RealFleet, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    key = " ".join(Path(f"{stranger}.pub").read_text().split()[:2])
    name = f"[127.0.0.1]:{real_fleet.sshds[VICTIM].port}"
    known = (real_fleet.folder / "known_hosts").read_text()
    changed = re.sub(rf"^{re.escape(name)} .*$", f"{name} {key}", known, flags=re.MULTILINE)
    (tmp_path / "known_hosts").write_text(changed)

    def edit(document: Document) -> None:
        document["ssh"]["known_hosts"] = str(tmp_path / "known_hosts")

    outcome = real_fleet.check(edit)
    assert_only_the_victim(outcome, "host-key-changed")


def test_wrong_login_key(real_fleet: RealFleet, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")

    def edit(document: Document) -> None:
        document["hosts"][VICTIM]["identity"] = str(stranger)

    outcome = real_fleet.check(edit)
    assert_only_the_victim(outcome, "authentication")
    assert "authorized_keys" in outcome.finding(f"host-up@{VICTIM}")["remedy"]


def test_login_key_that_is_no_file(real_fleet: RealFleet, tmp_path: Path) -> None:
    def edit(document: Document) -> None:
        document["hosts"][VICTIM]["identity"] = str(tmp_path / "nothing-here")

    outcome = real_fleet.check(edit)
    told = outcome.error("HostVitals", VICTIM)
    assert told["kind"] in ("ssh-config", "authentication")
    assert "nothing-here" in told["why"] + told["remedy"]
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()


def test_jump_host_down(real_fleet: RealFleet) -> None:
    with unused_port() as port:

        def edit(document: Document) -> None:
            document["hosts"]["bastion"]["port"] = port

        outcome = real_fleet.check(edit)
    assert outcome.error("HostVitals", "bastion")["kind"] == "refused"
    for name in BEHIND_JUMP:
        error = outcome.error("HostVitals", name)
        assert error["kind"] == "jump-host"
        assert "bastion" in error["why"]
        assert outcome.finding(f"host-up@{name}")["cause"] == "host-up@bastion"
    assert outcome.roots(MACHINE) == {"host-up@bastion": "CRITICAL"}
    # What does not go through it is there: the treasury, its nodes, two endpoints, the chain.
    read = {"HostVitals@treasury", "NodeStatus@reward", "RpcHead@pool", "RpcHead@hosted"}
    assert not read & set(outcome.errors)
    assert outcome.reading("ChainRound", "devnet")["value"]["initialized"] is True
    assert outcome.severity("round-initialized@devnet") == "OK"


def test_jump_host_hangs(real_fleet: RealFleet) -> None:
    with blackhole() as port:

        def edit(document: Document) -> None:
            document["hosts"]["bastion"]["port"] = port

        outcome = real_fleet.check(edit, answer_s=8)
    assert outcome.error("HostVitals", "bastion")["kind"] == "timeout"
    assert outcome.roots(MACHINE) == {"host-up@bastion": "CRITICAL"}
    assert outcome.reading("ChainRound", "devnet")["value"]["initialized"] is True


NOLOGIN = Path("/usr/sbin/nologin")


@pytest.mark.skipif(not NOLOGIN.exists(), reason="no nologin")
def test_login_shell_is_nologin(
    real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path
) -> None:
    server = other_sshd({"ForceCommand": str(NOLOGIN)})
    outcome = real_fleet.check(trusting(server, tmp_path))
    for topic in HOST_TOPICS:
        error = outcome.error(topic, VICTIM)
        assert error["kind"] == "no-shell"
        assert error["remedy"]
    # HTTP needs no shell: the node on that host is read all the same.
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()
    assert outcome.severity(f"node-up@{VICTIM}") == "OK"
    assert outcome.severity(f"disk@{VICTIM}") == "UNKNOWN"


@pytest.mark.parametrize("command", ["cat /dev/zero", "yes", "yes ''"])
def test_floods_instead_of_a_shell(
    real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path, command: str
) -> None:
    server = other_sshd({"ForceCommand": command})
    outcome = real_fleet.check(trusting(server, tmp_path), answer_s=8)
    assert outcome.error("HostVitals", VICTIM)["kind"] in ("no-shell", "output-too-large")
    assert outcome.error("HostVitals", VICTIM)["remedy"]
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()


def test_a_shell_that_says_nothing(
    real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path
) -> None:
    server = other_sshd({"ForceCommand": "exec sleep 1000"})
    outcome = real_fleet.check(trusting(server, tmp_path), answer_s=8)
    assert outcome.error("HostVitals", VICTIM)["kind"] == "timeout"
    assert outcome.error("HostVitals", VICTIM)["remedy"]
    assert outcome.severity(f"node-up@{VICTIM}") == "OK"


def test_a_login_that_talks(real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path) -> None:
    """A banner and a start-up file that prints are no fault."""
    banner = tmp_path / "banner"
    banner.write_bytes(b"\x1b[31mAuthorised use only [bold]\x1b[0m\n" * 20)
    server = other_sshd(
        {"Banner": str(banner), "ForceCommand": "echo '@@0 1 0'; echo Welcome; exec /bin/sh"}
    )
    outcome = real_fleet.check(trusting(server, tmp_path))
    assert outcome.errors == {}


def test_cut_while_it_is_asked(
    real_fleet: RealFleet, other_sshd: StartSshd, tmp_path: Path
) -> None:
    """A session that sshd ends after a moment: whatever is lost is said to be lost."""
    server = other_sshd({"ForceCommand": "timeout 0.3 /bin/sh"})
    outcome = real_fleet.check(trusting(server, tmp_path), answer_s=8)
    assert {name for name in outcome.errors if not name.endswith(f"@{VICTIM}")} == set()
    for name, kind in outcome.errors.items():
        assert kind in ("disconnected", "no-shell", "timeout"), name

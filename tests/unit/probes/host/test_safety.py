"""What an hourly look at a host makes of what it says, and what is judged of that."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, Problem, ProblemKind
from lptui.fleet.facts.host import HostClock, HostListeners, HostSystem, HostVitals, Listener
from lptui.fleet.facts.links import Attempt, ClosedPorts
from lptui.fleet.facts.safety import HostSafety, PendingUpdates, SshLogins, Volume
from lptui.fleet.finding import Severity
from lptui.fleet.safety import Safety
from lptui.probes.host.listeners import parse as parse_listeners
from lptui.probes.host.safety import become_for
from lptui.probes.host.safety_commands import FUNCTION
from lptui.probes.host.safety_parse import parse_core, parse_fqdn, parse_look, parse_sshd
from lptui.probes.host.system import parse as parse_system
from tests.snapshots import NOW, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding
from tests.unit.probes.host.given import sample
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]
UPTIME_S = 864_000.0
LUKS = "CRYPT-LUKS2-0d3f0c0c0d3f0c0c0d3f0c0c0d3f0c0c"
LVM_ON_LUKS = f"""\
mount 254:1 ext4 /dev/mapper/vg-root /
mount 8:1 vfat /dev/sda1 /boot
mount 254:2 ext4 /dev/mapper/vg-my\\040data /my\\040data
mount 0:52 nfs 192.0.2.9:/srv /nfs
block dm-0 254:0 sda3_crypt {LUKS}-sda3_crypt sda3
block dm-1 254:1 vg-root LVM-ZkAA dm-0
block dm-2 254:2 vg-data LVM-ZkBB dm-0 sdb
block sda 8:0 - -
block sda1 8:1 - - sda
block sda3 8:3 - - sda
block sdb 8:16 - -
lists 1763668000
"""
BTRFS = f"""\
mount 0:31 btrfs /dev/mapper/one /
block dm-0 254:0 one {LUKS}-one sda2
block dm-1 254:1 two {LUKS}-two sdb2
block sda2 8:2 - - sda
block sdb2 8:18 - - sdb
block sda 8:0 - -
block sdb 8:16 - -
btrfs 6fd3 dm-0
"""
SSHD = """\
port 22
permitrootlogin without-password
passwordauthentication no
kbdinteractiveauthentication no
usepam yes
permitemptypasswords no
authenticationmethods any
"""


def encrypted(text: str, *paths: str) -> list[bool | None]:
    return [volume.encrypted for volume in parse_look(text, paths).volumes]


def test_an_encrypted_device_is_found_below_volumes_and_partitions() -> None:
    paths = ("/", "/boot", "/my data", "/nfs", "/none")
    assert encrypted(LVM_ON_LUKS, *paths) == [True, False, False, None, None]
    assert parse_look(LVM_ON_LUKS, ()).lists_at == 1763668000


@pytest.mark.parametrize(
    ("more", "verdict"), [("btrfs 6fd3 dm-1", True), ("btrfs 6fd3 sda", False), ("", True)]
)
def test_all_devices_of_a_btrfs_count(more: str, verdict: bool) -> None:
    assert encrypted(f"{BTRFS}{more}\n", "/") == [verdict]


@pytest.mark.parametrize("kind", ["CRYPT-VERITY-aa", "CRYPT-INTEGRITY-aa", "LVM-aa", "-"])
def test_what_only_keeps_data_whole_hides_nothing(kind: str) -> None:
    assert encrypted(BTRFS.replace(LUKS, kind), "/") == [False]


def test_devices_that_lie_on_each_other_are_not_known() -> None:
    text = "mount 9:0 ext4 /dev/md0 /\nblock md0 9:0 - - md1\nblock md1 9:1 - - md0\n"
    assert encrypted(text, "/") == [None]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_this_machines_own_mounts_and_devices(shell: list[str]) -> None:
    script = f"{FUNCTION.text}; {FUNCTION.name}"
    done = subprocess.run([*shell, "-c", script], capture_output=True, text=True, check=True)
    own = subprocess.run(["stat", "-c", "%Hd:%Ld", "/"], capture_output=True, text=True, check=True)
    first = next(line for line in done.stdout.splitlines() if line.split()[-1] == "/")
    assert first.split()[:2] == ["mount", own.stdout.strip()]
    assert [volume.path for volume in parse_look(done.stdout, ["/"]).volumes] == ["/"]


def test_ubuntus_own_count_of_updates() -> None:
    text = (
        "mount 8:1 ext4 /dev/sda1 /\nnotified 1763668790\nupdate \n"
        "update 12 updates can be applied immediately.\n"
        "update 3 of these updates are standard security updates.\n"
    )
    expected = PendingUpdates(12, 3, "update-notifier", 1763668790.0)
    assert parse_look(text, ()).notified == expected
    assert parse_look(text.replace("3 of these", "no"), ()).notified == replace(
        expected, security=0
    )
    assert parse_look("mount 8:1 ext4 /dev/sda1 /\n", ()).notified is None


@pytest.mark.parametrize(
    ("lines", "password"),
    [
        ("", False),
        ("passwordauthentication yes\n", True),
        ("kbdinteractiveauthentication yes\n", True),
        ("kbdinteractiveauthentication yes\nusepam no\n", False),
        ("passwordauthentication yes\nauthenticationmethods publickey,password\n", False),
        ("passwordauthentication yes\nauthenticationmethods publickey password\n", True),
    ],
    ids=["keys", "by sshd", "by PAM", "without PAM", "a key as well", "a key or else"],
)
def test_whether_a_password_is_enough(lines: str, password: bool) -> None:
    logins = parse_sshd(f"root\n{lines}{SSHD}")
    assert logins == SshLogins("prohibit-password", password, ports=(22,), as_root=True)


def test_what_is_no_answer_of_sshd() -> None:
    with pytest.raises(BadAnswerError):
        parse_sshd("sudo: a password is required\n")


def test_root_is_asked_only_where_keys_alone_are_stated() -> None:
    host = FleetBuilder().fleet.hosts["edge-1"]
    assert become_for(host) == ""
    stated = replace(host, safety=Safety(keys_only=True))
    assert become_for(stated) == "sudo"
    assert become_for(replace(stated, privilege="none")) == ""


@pytest.mark.parametrize(
    ("said", "name"),
    [("edge-1.example.net\n", "edge-1.example.net"), ("a b\n", ""), ("\x1b[2J\n", ""), ("", "")],
)
def test_whole_names(said: str, name: str) -> None:
    assert parse_fqdn(said) == name


@HOSTILE
@given(st.text(), st.lists(st.sampled_from(LVM_ON_LUKS.splitlines()), max_size=6))
def test_no_text_breaks_the_parsers(text: str, lines: list[str]) -> None:
    for parser in (parse_sshd, lambda text: parse_look(text, ["/"])):
        with contextlib.suppress(BadAnswerError):
            assert repr(parser("\n".join([*lines, text]))).isprintable()
    assert repr(parse_core(text)).isprintable()


def test_the_machines_id_is_known_again_and_not_kept() -> None:
    text = sample("system.txt")
    written = "365fadc8ce354f009628ec84b844178d"
    system = parse_system(f"{text}machine_id {written}\n")
    assert len(system.machine_key) == 12
    assert written not in repr(system)
    assert parse_system(f"{text}machine_id uninitialized\n").machine_key == ""


def test_whose_a_listening_socket_is() -> None:
    text = (
        "State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
        "LISTEN 0 4096 *:8935 *:* uid:998 ino:7 sk:1 cgroup:/system.slice/lp.service v6only:0 <->\n"
        "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* ino:7 sk:2 cgroup:/system.slice/ssh.socket <->\n"
        "LISTEN 0 128 0.0.0.0:23 0.0.0.0:* ino:7 sk:2 cgroup:/ <->\n"
        "LISTEN 0 128 0.0.0.0:24 0.0.0.0:*\n"
    )
    found = parse_listeners(text).listeners
    assert [one.unit for one in found] == ["lp.service", "ssh.socket", "", ""]


# What is judged.


def stated(host: str = "edge-1", **changes: Any) -> FleetBuilder:
    return FleetBuilder().configure_host(host, safety=Safety(**changes))


def test_nothing_is_judged_that_is_not_stated() -> None:
    checks = {"ssh-password-login", "ssh-root-login", "security-updates", "disk-encryption"}
    checks |= {"port-unexpected", "port-open"}
    logins = SshLogins("yes", True, empty=True)
    fleet = FleetBuilder().change(
        HostSafety, "edge-1", logins=logins, volumes=(Volume("/", False),)
    )
    fleet.change(HostSafety, "edge-1", updates=PendingUpdates(9, 9, "apt-get"))
    assert not {f"{check}@edge-1" for check in checks} & by_id(fleet).keys()


@pytest.mark.parametrize(
    ("logins", "passwords", "root"),
    [
        (SshLogins("prohibit-password", False), OK, OK),
        (SshLogins("yes", False), OK, OK),
        (SshLogins("prohibit-password", True), WARNING, OK),
        (SshLogins("yes", True), WARNING, CRITICAL),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_logins(logins: SshLogins | None, passwords: Severity, root: Severity) -> None:
    why = "" if logins else "sshd -T: status 1: sudo: a password is required"
    fleet = stated(keys_only=True)
    fleet.change(HostSafety, "edge-1", logins=logins, logins_problem=why)
    found = finding(fleet, "ssh-password-login@edge-1")
    assert found.severity is passwords
    assert ("lptui sudoers edge-1" in found.remedy) is (logins is None)
    assert finding(fleet, "ssh-root-login@edge-1").severity is root


FRESH, OLD = NOW - 86_400.0, NOW - 30 * 86_400.0


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        (PendingUpdates(9, 1, "apt-get", FRESH), OK),
        (PendingUpdates(9, 2, "dnf", FRESH), WARNING),
        (PendingUpdates(9, None, "dnf", FRESH), UNKNOWN),
        (None, UNKNOWN),
        # Old lists tell of what they know, and not that there is nothing else.
        (PendingUpdates(9, 0, "apt-get", OLD), UNKNOWN),
        (PendingUpdates(9, 2, "apt-get", OLD), WARNING),
        (PendingUpdates(9, 0, "dnf"), UNKNOWN),
    ],
)
def test_updates(updates: PendingUpdates | None, expected: Severity) -> None:
    fleet = stated(security_updates=2).change(HostSafety, "edge-1", updates=updates)
    assert finding(fleet, "security-updates@edge-1").severity is expected


def test_each_package_manager_has_its_own_remedy() -> None:
    for source, remedy in (("apt-get", "apt-get upgrade"), ("dnf", "dnf upgrade --security")):
        waiting = PendingUpdates(9, 2, source, FRESH)
        fleet = stated(security_updates=2).change(HostSafety, "edge-1", updates=waiting)
        assert remedy in finding(fleet, "security-updates@edge-1").remedy


@pytest.mark.parametrize(
    ("installed_at", "ahead_s", "expected"),
    [
        (NOW - 1000 * 86_400.0, 0.0, OK),
        (NOW - 60.0, 0.0, WARNING),
        # By a clock that is an hour ahead this was before the boot.
        (NOW - UPTIME_S + 1800.0, 3600.0, OK),
    ],
)
def test_a_newer_core_package_takes_a_reboot(
    installed_at: float, ahead_s: float, expected: Severity
) -> None:
    core = parse_core(f"{installed_at:.0f} glibc\npackage dbus-broker is not installed\n")
    assert [one.name for one in core] == ["glibc"]
    fleet = FleetBuilder().change(HostSafety, "edge-1", core=core)
    fleet.change(HostVitals, "edge-1", uptime_s=UPTIME_S)
    fleet.change(HostClock, "edge-1", offset_s=ahead_s)
    found = finding(fleet, "reboot-required@edge-1")
    assert found.severity is expected
    assert ("glibc" in found.summary) is (expected is WARNING)


@pytest.mark.parametrize(
    ("known", "expected"),
    [((True, True), OK), ((True, False), WARNING), ((True, None), UNKNOWN), ((), UNKNOWN)],
)
def test_encryption(known: tuple[bool | None, ...], expected: Severity) -> None:
    volumes = tuple(Volume(f"/{number}", one) for number, one in enumerate(known))
    fleet = stated(encrypted=True).change(HostSafety, "edge-1", volumes=volumes)
    assert finding(fleet, "disk-encryption@edge-1").severity is expected


def test_a_port_that_nobody_allowed() -> None:
    fleet = stated(allowed_ports=(9100,))
    own = [Listener("*", port) for port in (22, 8935, 9100)]
    local = [Listener("127.0.0.53%lo", 53), Listener("[::1]", 631)]
    fleet.change(HostListeners, "edge-1", listeners=(*own, *local))
    assert finding(fleet, "port-unexpected@edge-1").severity is OK
    stray = Listener("0.0.0.0", 5432, "postgresql.service")
    fleet.change(HostListeners, "edge-1", listeners=(*own, stray))
    found = finding(fleet, "port-unexpected@edge-1")
    assert found.severity is WARNING
    assert "0.0.0.0:5432 (postgresql.service)" in found.summary


def test_sshs_own_port_is_allowed_wherever_it_is() -> None:
    fleet = stated(allowed_ports=())
    fleet.change(HostSafety, "edge-1", logins=SshLogins("no", False, ports=(2222,)))
    sockets = (Listener("*", 2222), Listener("*", 2223, "sshd.service"))
    fleet.change(HostListeners, "edge-1", listeners=sockets)
    assert finding(fleet, "port-unexpected@edge-1").severity is OK


def tried(kind: ProblemKind | None, why: str = "") -> Attempt:
    problem = Problem(kind, "192.0.2.77:7935", why) if kind else None
    return Attempt("192.0.2.77:7935", None if kind else 0.01, problem)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([tried(ProblemKind.REFUSED), tried(ProblemKind.TIMEOUT)], OK),
        ([tried(ProblemKind.REFUSED), tried(None)], CRITICAL),
        ([tried(None), tried(ProblemKind.INTERNAL)], CRITICAL),
        ([tried(ProblemKind.REFUSED), tried(ProblemKind.INTERNAL)], UNKNOWN),
        ([tried(ProblemKind.UNREACHABLE, "network is unreachable")], UNKNOWN),
    ],
)
def test_ports_that_must_be_closed(attempts: list[Attempt], expected: Severity) -> None:
    fleet = FleetBuilder().put(ClosedPorts(tuple(attempts)), "lb-1")
    assert finding(fleet, "port-open@lb-1").severity is expected


def test_two_hosts_that_are_one_machine() -> None:
    fleet = FleetBuilder().change(HostSystem, "edge-2", machine_key="key-of-edge-1")
    for name, other in (("edge-1", "edge-2"), ("edge-2", "edge-1")):
        found = finding(fleet, f"machine-twice@{name}")
        assert found.severity is WARNING
        assert other in found.summary
    assert finding(fleet, "machine-twice@lb-1").severity is OK
    one = fleet.fleet.hosts["edge-1"].ssh
    assert one is not None
    named_twice = fleet.configure_host("edge-2", ssh=replace(one, port=2222))
    assert finding(named_twice, "machine-twice@edge-1").severity is OK

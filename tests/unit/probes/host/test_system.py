"""System facts, clock and listening sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.host import HostClock, HostListeners, Listener
from lptui.probes.host import clock, listeners, system
from lptui.transport.fake import HANG
from lptui.transport.protocols import Command, Output
from tests.unit.probes.host.given import HOST, asking, sample
from tests.unit.probes.hostile import HOSTILE


def test_system_facts() -> None:
    facts = system.parse(sample("system.txt"))
    assert (facts.hostname, facts.kernel, facts.machine) == ("edge-1", "6.1.0-18-amd64", "x86_64")
    assert facts.os_name == "Debian GNU/Linux 12 (bookworm)"
    assert facts.cpus == 8
    assert facts.groups == ("ops", "adm", "docker")
    assert facts.has_systemd
    assert facts.reboot_required
    assert facts.reboot_packages == ("linux-image-6.1.0-20-amd64", "libc6")
    assert (facts.files_open, facts.files_max) == (592, 2466177)
    assert facts.swap_total == 2097148 * 1024
    assert facts.swap_free == 1048576 * 1024
    assert (facts.psi_cpu, facts.psi_memory, facts.psi_io) == (12.34, 0.0, 0.5)


def test_what_the_kernel_does_not_tell_is_unknown_not_zero() -> None:
    told = ("psi", "Swap", "oom_kill", "file-nr")
    few = [line for line in sample("system.txt").splitlines() if not line.startswith(told)]
    facts = system.parse("\n".join(few))
    assert (facts.psi_cpu, facts.swap_total, facts.swap_free) == (None, None, None)
    assert (facts.oom_kills, facts.files_open) == (None, None)


def test_no_reboot_line_means_no_reboot() -> None:
    text = sample("system.txt").partition("reboot")[0]
    assert not system.parse(text).reboot_required


@pytest.mark.parametrize("gone", ["hostname", "boot_id", "cpus"])
def test_incomplete_system_facts_are_refused(gone: str) -> None:
    lines = sample("system.txt").splitlines()
    with pytest.raises(BadAnswerError):
        system.parse("\n".join(line for line in lines if not line.startswith(gone)))


def test_the_host_s_time_lies_between_question_and_answer() -> None:
    measured = clock.offset(100.0, 0.2, clock.parse_date("103.100000000\n"))
    assert measured.offset_s == pytest.approx(3.0)
    assert measured.uncertainty_s == pytest.approx(0.1)


@pytest.mark.parametrize("text", ["103.%N", "103.", "103.N"])
def test_a_date_without_nanoseconds_is_uncertain_by_half_a_second(text: str) -> None:
    measured = clock.offset(100.0, 0.2, clock.parse_date(text))
    assert measured.offset_s == pytest.approx(3.4)
    assert measured.uncertainty_s == pytest.approx(0.6)


def test_what_the_time_daemons_say() -> None:
    line = "C0000201,192.0.2.1,3,1763668790.5,0.1,-0.1,0.2,-5.1,0.0,0.02,0.01,0.001,64.5,"
    assert clock.parse_chrony(line + "Normal\n") is True
    assert clock.parse_chrony(line + "Not synchronised\n") is False
    assert clock.parse_timedate("NTP=yes\nNTPSynchronized=no\n") is False
    for text in ("", "506 Cannot talk to daemon", line + "Perhaps"):
        with pytest.raises(BadAnswerError):
            clock.parse_chrony(text)


class _Slow(FrozenClock):
    """Every look at the monotonic clock costs 0.6 s."""

    def monotonic(self) -> float:
        self.at += 0.6
        return self.at


async def test_a_slow_way_is_measured_again_and_the_daemon_asked_in_turn() -> None:
    given_, reach = asking(
        {("lptui_date",): "1800000000.5\n", ("timedatectl",): "NTPSynchronized=yes\n"}
    )
    slow = replace(given_, clock=_Slow(), deadline_s=30.0)
    [answer] = await clock.HostClockProbe().ask(slow, HOST)
    assert isinstance(answer.value, HostClock)
    assert (answer.value.synchronised, answer.value.source) == (True, "timedatectl")
    asked = [what[0] for _, _, what in reach.asked]
    assert asked == ["lptui_date"] * 3 + ["chronyc", "timedatectl"]


async def test_no_time_daemon_is_unknown_not_unsynchronised() -> None:
    given_, _ = asking({("lptui_date",): "1800000000.5\n"})
    [answer] = await clock.HostClockProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostClock)
    assert answer.value.synchronised is None
    assert answer.value.offset_s == pytest.approx(0.5)


async def test_a_time_daemon_that_cannot_be_asked_in_time_costs_nothing_of_the_offset() -> None:
    given_, _ = asking({("lptui_date",): "1800000000.5\n", ("chronyc",): HANG}, deadline_s=0.2)
    [answer] = await clock.HostClockProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostClock)
    assert (answer.value.synchronised, answer.value.source) == (None, "")
    assert answer.value.offset_s == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("running", "others", "newer"),
    [
        ("6.1.0-18-amd64", ["6.1.0-21-amd64", "6.1.0-9-amd64"], "6.1.0-21-amd64"),
        ("6.1.0-18-amd64", ["6.1.0-9-amd64"], ""),
        ("6.1.0-18-amd64", ["6.1.0-21-cloud-amd64", "6.1.0-21-rt-amd64"], ""),
        ("5.15.0-91-generic", ["5.15.0-100-generic"], "5.15.0-100-generic"),
        (
            "5.14.0-362.8.1.el9_3.x86_64",
            ["5.14.0-362.13.1.el9_3.x86_64", "5.14.0-427.el9_4.x86_64"],
            "5.14.0-427.el9_4.x86_64",
        ),
        (
            "5.14.0-503.el9.x86_64",
            ["5.14.0-503.11.1.el9_5.x86_64", "5.14.0-503.9.1.el9_5.x86_64+debug"],
            "5.14.0-503.11.1.el9_5.x86_64",
        ),
        ("5.14.0-503.5.1.el9_5.x86_64", ["5.14.0-503.el9.x86_64"], ""),
        ("6.5.0-0.deb12.4-amd64", ["6.5.0-0.deb12.11-amd64"], "6.5.0-0.deb12.11-amd64"),
        ("6.6.8-arch1-1", ["6.6.10-arch1-1"], "6.6.10-arch1-1"),
        ("", ["6.1.0-21-amd64"], ""),
    ],
)
def test_a_kernel_that_is_installed_and_not_running(
    running: str, others: list[str], newer: str
) -> None:
    """Plain Debian and Red Hat leave no mark of their own that a reboot is due."""
    installed = [running, *others] if running else others
    assert system.newer_kernel(running, installed) == newer
    assert system.newer_kernel(running, others) == "", "whose kernel comes from outside"


def test_facts_that_are_incomplete_are_refused_with_what_to_do() -> None:
    with pytest.raises(BadAnswerError, match="incomplete") as caught:
        system.parse("hostname edge-1\nncpus \n")
    assert caught.value.remedy


def test_a_newer_kernel_is_a_reason_to_reboot() -> None:
    lines = [line for line in sample("system.txt").splitlines() if "reboot" not in line]
    own = "modules 6.1.0-18-amd64"
    facts = system.parse("\n".join([*lines, own, "modules 6.1.0-21-amd64"]))
    assert (facts.reboot_required, facts.newer_kernel) == (True, "6.1.0-21-amd64")
    assert not system.parse("\n".join([*lines, own])).reboot_required


def test_listeners_of_ss_and_netstat() -> None:
    by_ss = listeners.parse(sample("ss.txt"))
    assert [(one.address, one.port, one.is_loopback) for one in by_ss.listeners] == [
        ("127.0.0.1", 7935, True),
        ("[::]", 22, False),
        ("0.0.0.0", 22, False),
        ("*", 8935, False),
        ("127.0.0.53%lo", 53, True),
        ("[::ffff:127.0.0.1]", 9000, True),
    ]
    by_netstat = listeners.parse(sample("netstat.txt"))
    assert Listener("::", 8935) in by_netstat.listeners
    assert Listener("127.0.0.1", 7935) in by_netstat.listeners


def test_a_listener_that_cannot_be_read_is_never_just_left_out() -> None:
    with pytest.raises(BadAnswerError):
        listeners.parse(sample("ss.txt") + "LISTEN 0 128 what? *:*\n")
    with pytest.raises(BadAnswerError):
        listeners.parse("")
    many = "".join(f"LISTEN 0 128 127.0.0.1:{port} 0.0.0.0:*\n" for port in range(1, 60_000))
    with pytest.raises(BadAnswerError, match="more than"):
        listeners.parse(many)


async def test_netstat_is_asked_where_there_is_no_ss() -> None:
    given_, _ = asking({("netstat",): sample("netstat.txt")})
    [answer] = await listeners.HostListenersProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostListeners)
    given_, _ = asking({})
    with pytest.raises(CommandError) as caught:
        await listeners.HostListenersProbe().ask(given_, HOST)
    assert caught.value.kind is ProblemKind.COMMAND_NOT_FOUND
    assert "iproute2" in caught.value.remedy


@HOSTILE
@given(
    st.lists(
        st.sampled_from([*sample("ss.txt").splitlines(), *sample("system.txt").splitlines()])
        | st.text(max_size=40),
        max_size=14,
    ).map("\n".join)
)
def test_any_text_is_facts_or_a_bad_answer(text: str) -> None:
    for parse in (
        system.parse,
        listeners.parse,
        clock.parse_date,
        clock.parse_chrony,
        clock.parse_timedate,
    ):
        try:
            parse(text)
        except BadAnswerError:
            continue


async def test_silence_of_the_system_function_is_a_problem() -> None:
    def answer(command: Command) -> Output:
        return Output(b"", 2)

    given_, _ = asking(answer)
    with pytest.raises(CommandError):
        await system.HostSystemProbe().ask(given_, HOST)

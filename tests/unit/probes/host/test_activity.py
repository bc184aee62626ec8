"""Disks and sockets of a host, and what is installed on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.activity import HostActivity, HostPrograms
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.reading import Key
from lptui.present.activity import cpu_words, disk_words, program_words, socket_words
from lptui.probes.host import activity, programs
from lptui.probes.host.vitals import parse as parse_vitals
from lptui.probes.host.vitals import with_cpu_share
from lptui.transport.protocols import Output
from tests.unit.probes.host.given import HOST, asking, sample
from tests.unit.probes.hostile import HOSTILE

SAMPLE = """\
uptime 1000.50
disk nvme0n1 1000 5000 80000 400000 600 5400 4000
disk sda 0 0 0 0 0 0 0
orphaned 1
time_wait 12
open 81
counted
state 01 80
state 04 2
state 05 3
state 06 12
state 08 1
state 0A 17
"""
LATER = SAMPLE.replace("1000.50", "1010.50").replace(
    "1000 5000 80000 400000 600 5400 4000", "1100 5300 100480 810000 650 5750 6500"
)
MANY = SAMPLE.partition("counted")[0]


def test_counters_alone_make_no_rate() -> None:
    first = activity.parse(SAMPLE)
    disk = first.disks[0]
    assert (disk.name, disk.reads, disk.bytes_written) == ("nvme0n1", 1000, 400_000 * 512)
    assert (disk.io_ms, disk.busy_ms) == (6000, 4000)
    assert activity.with_rates(first, None) == first
    assert disk_words(disk) == "busy ?, ? read, ? written, ? requests/s"


async def test_rates_are_between_two_readings_by_the_host_s_own_clock() -> None:
    known = {Key(HostActivity, HOST): activity.parse(SAMPLE)}
    given_, reach = asking({("lptui_activity",): LATER}, known=known)
    [answer] = await activity.HostActivityProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostActivity)
    disk, idle = answer.value.disks
    assert disk.read_bytes_per_second == 20480 * 512 / 10
    assert disk.written_bytes_per_second == 410_000 * 512 / 10
    assert (disk.requests_per_second, disk.busy, disk.wait_s) == (40.0, 25.0, 0.001)
    assert disk_words(disk) == "busy 25%, 1.0M/s read, 20M/s written, 40 requests/s, 1.0 ms each"
    assert (idle.busy, idle.requests_per_second, idle.wait_s) == (0.0, 0.0, None)
    assert len(reach.asked) == 1


def test_no_rate_over_a_reboot_a_new_disk_or_a_counter_that_went_back() -> None:
    now, before = activity.parse(LATER), activity.parse(SAMPLE)
    assert activity.with_rates(before, now) == before, "booted in between"
    assert activity.with_rates(now, now) == now, "no time has passed"
    assert activity.with_rates(now, replace(before, disks=())) == now, "plugged in"
    reset = replace(before, disks=(replace(before.disks[0], reads=10**9),))
    assert activity.with_rates(now, reset).disks[0].busy is None


def test_sockets_by_state() -> None:
    sockets = activity.parse(SAMPLE).sockets
    assert sockets is not None
    assert (sockets.established, sockets.fin_wait, sockets.listening) == (80, 5, 17)
    assert (sockets.syn_sent, sockets.last_ack) == (0, 0), "none, for all were counted"
    told = "80 established, 17 listening, 12 time-wait, 1 close-wait, 5 fin-wait, 1 orphaned"
    assert socket_words(sockets) == told


def test_too_many_sockets_are_known_by_the_kernel_s_counts_and_no_state_is_zero() -> None:
    sockets = activity.parse(MANY).sockets
    assert sockets is not None
    assert (sockets.open, sockets.time_wait, sockets.established) == (81, 12, None)
    assert socket_words(sockets) == "81 open, 12 time-wait (too many to be counted by state)"
    assert activity.parse("uptime 1.0\n") == HostActivity(1.0)


@pytest.mark.parametrize(
    "line", ["disk sda 1 2", "state 01 x", "state 77 1", "open -1", "garbage", "uptime 1 2"]
)
def test_an_odd_line_fails_the_reading(line: str) -> None:
    with pytest.raises(BadAnswerError):
        activity.parse(f"{SAMPLE}{line}\n")


async def test_a_host_without_awk_says_what_to_install() -> None:
    given_, _ = asking({("lptui_activity",): Output(b"", 127)})
    with pytest.raises(CommandError) as caught:
        await activity.HostActivityProbe().ask(given_, HOST)
    assert (caught.value.kind, "awk" in caught.value.remedy) == (
        ProblemKind.COMMAND_NOT_FOUND,
        True,
    )


_LINES = st.lists(st.sampled_from(SAMPLE.splitlines()) | st.text(max_size=30), max_size=14)


@HOSTILE
@given(_LINES.map("\n".join))
@example("uptime 1.0\nopen " + "9" * 5000)
@example("uptime 1.0\n" + "".join(f"disk sd{n} 1 1 1 1 1 1 1\n" for n in range(5000)))
def test_any_text_is_activity_or_a_bad_answer(text: str) -> None:
    try:
        found = activity.parse(text)
    except BadAnswerError:
        return
    assert len(found.disks) <= activity.MOST_DISKS


def test_the_processor_s_time_by_what_it_was_spent_on() -> None:
    first = parse_vitals(sample("vitals.txt"))
    assert (first.cpu_user_ticks, first.cpu_system_ticks) == (6327 + 10, 4022 + 7 + 88)
    assert cpu_words(first).startswith("user ?, system ?")
    later = _spent(first, user=300, system=100, iowait=40, steal=20)
    assert cpu_words(with_cpu_share(later, first)) == (
        "user 30%, system 10%, waiting for disks 4.0%, taken by the hypervisor 2.0%"
    )
    back = _spent(first, user=300, system=100, iowait=-5, steal=0)
    assert with_cpu_share(back, first).cpu_iowait is None, "the kernel's own count may go back"


def _spent(first: HostVitals, user: int, system: int, iowait: int, steal: int) -> HostVitals:
    """A thousand ticks later."""
    return replace(
        first,
        uptime_s=first.uptime_s + 10,
        cpu_total_ticks=first.cpu_total_ticks + 1000,
        cpu_busy_ticks=first.cpu_busy_ticks + user + system + steal,
        cpu_iowait_ticks=first.cpu_iowait_ticks + iowait,
        cpu_user_ticks=(first.cpu_user_ticks or 0) + user,
        cpu_system_ticks=(first.cpu_system_ticks or 0) + system,
        cpu_steal_ticks=(first.cpu_steal_ticks or 0) + steal,
    )


PROGRAMS = """\
program livepeer
+------------+-------+
Livepeer Node Version: 0.8.9-1a2b3c4d
Golang runtime version: gc go1.23.2
program ffmpeg
ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024 the FFmpeg developers
built with gcc 12 (Debian 12.2.0-14)
end
"""


def test_versions_of_what_is_installed() -> None:
    found = programs.parse(PROGRAMS)
    assert found == HostPrograms("0.8.9-1a2b3c4d", "5.1.6-0+deb12u1")
    assert program_words(found) == "livepeer 0.8.9-1a2b3c4d, ffmpeg 5.1.6-0+deb12u1"


def test_not_installed_and_not_told_are_two_things() -> None:
    assert programs.parse("end\n") == HostPrograms("", "")
    assert programs.parse("program livepeer\nend\n") == HostPrograms(None, "")
    told = program_words(HostPrograms(None, ""))
    assert told == "livepeer ?, ffmpeg not installed (no node needs it)"


def test_an_answer_that_was_cut_off_tells_nothing() -> None:
    with pytest.raises(BadAnswerError, match="cut off"):
        programs.parse(PROGRAMS.removesuffix("end\n"))


@HOSTILE
@given(st.lists(st.sampled_from(PROGRAMS.splitlines()) | st.text(max_size=30), max_size=12))
def test_any_text_is_programs_or_a_bad_answer(lines: list[str]) -> None:
    try:
        found = programs.parse("\n".join(lines))
    except BadAnswerError:
        return
    assert all(len(version or "") <= 60 for version in (found.livepeer, found.ffmpeg))

"""A node's log in files: the last hour of it, each line once, whatever logrotate does meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import LptuiError
from lptui.probes.logs import files
from lptui.probes.logs.files import base_of, seconds_of, stamp_of
from lptui.probes.logs.scan import MOST_LINES
from tests.sshd import need
from tests.unit.probes.hostile import HOSTILE
from tests.unit.probes.logs.looking import NOW, FilesHost, by_kind

EOF, REFUSED = 'Error submitting segment err="EOF"', "dial tcp: connect: connection refused"
NEW_YEAR = 1_798_762_200.0
"""2027-01-01T00:10:00Z"""
AUTUMN = 1_792_891_800.0
"""2026-10-25T01:30:00Z: 02:30 in Berlin, for the second time."""


@pytest.fixture
def host(tmp_path: Path) -> FilesHost:
    return FilesHost(tmp_path)


async def test_the_last_hour_is_counted_by_kind(host: FilesHost) -> None:
    host.say(NOW - 90_000, REFUSED)
    host.say(NOW - 3605, EOF)
    host.say(NOW - 3595, EOF)
    host.say(NOW - 10, EOF)
    host.write(NOW - 10, "panic: runtime error\n\ngoroutine 1 [running]:\n")
    value = await host.look()
    assert by_kind(value) == {"eof": 2, "panic": 1}
    assert (value.since_at, value.behind, value.zone_s) == (NOW - 3600, False, 0)
    eof, panic = value.counts
    assert (eof.newest_at, panic.newest_at) == (NOW - 10, NOW - 10), "a trace has no time itself"
    assert eof.example.endswith(EOF)


async def test_each_line_is_counted_once(host: FilesHost) -> None:
    host.say(NOW - 100, EOF)
    host.say(NOW - 5, EOF)
    first = await host.look()
    host.now = NOW + 60
    assert by_kind(await host.look(first)) == {"eof": 2}
    # Lines with no time of their own, or the time of the last one, are new ones all the same.
    host.write(NOW - 5, "panic: now\n")
    host.say(NOW - 5, REFUSED)
    second = await host.look(first)
    assert by_kind(second) == {"eof": 2, "panic": 1, "refused": 1}
    host.say(NOW + 70, EOF)
    host.now = NOW + 120
    third = await host.look(second)
    assert by_kind(third) == {"eof": 3, "panic": 1, "refused": 1}
    assert by_kind(await host.look(third)) == by_kind(third)
    host.now = NOW + 3630
    assert by_kind(await host.look(third)) == {"eof": 1, "panic": 1, "refused": 1}


@pytest.mark.parametrize(
    "way",
    [
        "create\nnodelaycompress",
        "copytruncate",
        "copytruncate\ncompress",
        "create\ncompress",
        "create\ndateext\ncompress",
        "copytruncate\ndateext\nextension .log",
        "create\nextension .log\ncompress\ncompresscmd /usr/bin/xz\ncompressext .xz",
    ],
    ids=lambda way: way.replace("\n", " "),
)
async def test_a_rotation_by_logrotate_neither_hides_nor_repeats_a_line(
    host: FilesHost, way: str
) -> None:
    logrotate = need(shutil.which("logrotate", path="/usr/sbin:/usr/bin"), "logrotate")
    # A copy has the time at which it is made: here the host's clock is the machine's.
    host.now = float(int(time.time()))
    host.say(host.now - 3700, EOF)
    host.say(host.now - 600, EOF)
    host.say(host.now - 60, REFUSED)
    first = await host.look()
    # One line that nobody has looked at is rotated away, and one is written afterwards.
    host.say(host.now - 1, EOF)
    config = host.folder / "rotate.conf"
    config.write_text(f"{host.log} {{\nsu root root\nrotate 4\n{way}\n}}\n")
    config.chmod(0o644)
    state = host.folder / "state"
    subprocess.run([logrotate, "-f", "-s", str(state), str(config)], check=True, timeout=30)
    assert host.log.stat().st_size == 0
    assert by_kind(await host.look(first)) == {"eof": 2, "refused": 1}
    assert by_kind(await host.look()) == {"eof": 2, "refused": 1}
    host.say(host.now, REFUSED)
    second = await host.look(first)
    assert by_kind(second) == {"eof": 2, "refused": 2}
    fresh = await host.look()
    assert by_kind(fresh) == {"eof": 2, "refused": 2}
    assert (fresh.since_at, fresh.behind) == (host.now - 3600, False)


async def test_lines_that_are_there_twice_while_a_file_is_copied_count_once(
    host: FilesHost,
) -> None:
    host.say(NOW - 50, EOF)
    host.say(NOW - 40, EOF)
    shutil.copy(host.log, f"{host.log}.1")
    os.utime(f"{host.log}.1", (NOW, NOW))
    assert by_kind(await host.look()) == {"eof": 2}


async def test_junk_holes_and_huge_lines_are_passed_over(host: FilesHost) -> None:
    host.say(NOW - 4000, EOF)
    with host.log.open("r+b") as file:
        # What copytruncate leaves to a writer that does not append: a hole, then its line.
        file.truncate(3_000_000_000)
    host.say(NOW - 30, EOF)
    host.write(NOW - 29, bytes(range(256)) * 200 + b"\n")
    host.write(NOW - 28, b"x" * 2_000_000 + b'err="EOF"\n')
    host.write(NOW - 27, b"\x011 0\n")
    host.say(NOW - 20, "\x1b[31m[red]" + REFUSED)
    value = await host.look()
    assert by_kind(value) == {"eof": 1, "refused": 1}
    assert "\x1b" not in value.counts[1].example


async def test_a_log_that_is_larger_than_is_read_says_since_when(
    host: FilesHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 30_000)
    monkeypatch.setattr(files, "LEAST_BYTES", 3_000)
    host.write(NOW - 1, "".join(host.line(NOW - 3000 + n, EOF) for n in range(2999)))
    value = await host.look()
    assert 300 < by_kind(value)["eof"] < 500
    assert value.behind
    assert NOW - 500 < value.since_at < NOW - 300
    host.now = NOW + 60
    host.write(NOW + 59, "".join(host.line(NOW + n / 10, EOF) for n in range(590)))
    assert (await host.look(value)).behind


async def test_a_flood_is_counted_as_far_as_one_look_goes(host: FilesHost) -> None:
    lines = (host.line(NOW - 100 + n / 10_000, EOF) for n in range(MOST_LINES + 10))
    host.write(NOW - 95, "".join(lines))
    value = await host.look()
    assert (by_kind(value), value.behind) == ({"eof": MOST_LINES}, True)
    rest = await host.look(value)
    assert (by_kind(rest), rest.behind) == ({"eof": MOST_LINES + 10}, False)


async def test_a_log_that_began_later_says_so(host: FilesHost) -> None:
    host.say(NOW - 900, EOF)
    host.say(NOW - 9, EOF)
    assert (await host.look()).since_at == NOW - 900
    host.say(NOW - 5000, EOF, host.folder / "node.log.1")
    assert (await host.look()).since_at == NOW - 3600, "nothing was written in between"


async def test_a_log_of_which_only_the_newest_file_can_be_read_says_since_when(
    host: FilesHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_PACKED", 10)
    host.say(NOW - 60, EOF, host.folder / "node.log.1.gz")
    host.write(NOW - 50, b"")
    value = await host.look()
    assert (by_kind(value), value.since_at) == ({}, NOW - 50)
    host.say(NOW - 40, EOF)
    value = await host.look()
    assert (by_kind(value), value.since_at) == ({"eof": 1}, NOW - 40)


async def test_a_log_that_rests_has_no_errors(host: FilesHost) -> None:
    host.say(NOW - 9000, EOF)
    value = await host.look()
    assert (by_kind(value), value.since_at, value.zone_s) == ({}, NOW - 3600, None)
    host.say(NOW + 30, EOF)
    host.now = NOW + 60
    assert by_kind(await host.look(value)) == {"eof": 1}


async def test_a_log_that_is_read_on_from_its_first_line_lacks_nothing(host: FilesHost) -> None:
    host.say(NOW - 10, EOF)
    value = await host.look()
    host.now = NOW + 60
    assert not (await host.look(value)).behind


async def test_lines_that_were_gone_before_they_were_read_are_told_of(host: FilesHost) -> None:
    host.say(NOW - 10, EOF)
    value = await host.look()
    host.log.unlink()
    host.say(NOW + 30, EOF)
    host.now = NOW + 60
    value = await host.look(value)
    assert (by_kind(value), value.behind) == ({"eof": 2}, True)
    host.now = NOW + 120
    assert (await host.look(value)).behind, "for as long as they would count"
    host.now = NOW + 3700
    assert not (await host.look(value)).behind


async def test_the_first_minutes_of_a_year_follow_the_last_of_another(host: FilesHost) -> None:
    host.now = NEW_YEAR
    for ago in (4200, 1800, 300):
        host.say(NEW_YEAR - ago, EOF)
    value = await host.look()
    assert by_kind(value) == {"eof": 2}
    assert value.counts[0].newest_at == NEW_YEAR - 300
    host.say(NEW_YEAR + 30, EOF)
    host.now += 60
    assert by_kind(await host.look(value)) == {"eof": 3}


@pytest.mark.parametrize(("zone_s", "writes_s"), [(19_800, 19_800), (19_800, 0), (0, 0)])
async def test_times_are_the_hosts_or_utc_as_the_file_itself_proves(
    host: FilesHost, zone_s: int, writes_s: int
) -> None:
    host.zone_s = host.zone_before_s = zone_s
    host.writes_s = writes_s
    host.ahead_s = -400.0
    host.say(NOW - 4000, EOF)
    host.say(NOW - 3000, EOF)
    host.say(NOW - 10, EOF)
    value = await host.look()
    assert (by_kind(value), value.zone_s) == ({"eof": 2}, writes_s)
    assert value.since_at == NOW - 3600


async def test_a_copy_of_a_log_that_had_rested_is_taken_by_the_hosts_clock(host: FilesHost) -> None:
    host.zone_s = host.zone_before_s = host.writes_s = 19_800
    copy = host.folder / "node.log.1"
    host.say(NOW - 2500, EOF, copy)
    os.utime(copy, (NOW - 60, NOW - 60))
    host.write(NOW - 60, b"")
    value = await host.look()
    assert (by_kind(value), value.zone_s) == ({"eof": 1}, 19_800)


@pytest.mark.parametrize("writes_s", [-18_000, 7200], ids=["to the west", "to the east"])
async def test_times_of_another_zone_are_not_known(host: FilesHost, writes_s: int) -> None:
    host.writes_s = writes_s
    host.say(NOW - 10, EOF)
    with pytest.raises(LptuiError, match="in which zone its times are is not known") as caught:
        await host.look()
    assert "TZ" in caught.value.remedy


async def test_lines_without_a_time_are_not_taken_for_new_ones(host: FilesHost) -> None:
    host.write(NOW - 10, f"{EOF}\n{EOF}\n")
    with pytest.raises(LptuiError, match="no line of it has a time"):
        await host.look()


async def test_an_hour_that_comes_twice_is_looked_through_whole(host: FilesHost) -> None:
    host.now, host.zone_s, host.zone_before_s, host.writes_s = AUTUMN - 1850, 7200, 7200, 7200
    for ago in (7300, 5000, 1900):
        host.say(AUTUMN - ago, EOF)
    before = await host.look()
    assert by_kind(before) == {"eof": 2}
    host.now, host.zone_s, host.writes_s = AUTUMN, 3600, 3600
    for ago in (1700, 10):
        host.say(AUTUMN - ago, EOF)
    value = await host.look()
    assert by_kind(value) == {"eof": 4}
    assert value.since_at == AUTUMN - 7200, "and what is said of it is true"
    assert by_kind(await host.look(before)) == {"eof": 4}, "who has been looking goes on"


async def test_files_of_a_pattern_are_logs_of_their_own(host: FilesHost) -> None:
    for name, ago in (("a.log", 90), ("b.log", 80), ("a.log.1", 300), ("other.txt", 10)):
        host.say(NOW - ago, EOF, host.folder / name)
    host.say(NOW - 70, EOF, host.folder / "a.log")
    (host.folder / "link.log").symlink_to(host.folder / "a.log")
    assert by_kind(await host.look(None, f"{host.folder}/*.log")) == {"eof": 4}


async def test_a_log_that_is_not_there_is_not_an_empty_one(host: FilesHost) -> None:
    with pytest.raises(LptuiError, match="none there, or in a folder that is closed"):
        await host.look()


async def test_a_names_words_are_words_alone(host: FilesHost) -> None:
    name = host.folder / "$(touch harm); 'a b'.log"
    host.say(NOW - 10, EOF, name)
    assert by_kind(await host.look(None, f"{host.folder}/*.log")) == {"eof": 1}
    assert not (host.folder / "harm").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("lp.log.1", "lp.log.2.gz", "lp.log-20261127", "lp.log-20261127.xz", "lp-20261127.log"),
        *("lp.1.log", "lp-20261127.log.gz", "lp.log-20261127-1795793093", "lp.log"),
    ],
)
def test_what_a_file_was_rotated_from(name: str) -> None:
    assert base_of(f"/var/log/{name}") == "/var/log/lp.log"


def test_a_number_of_its_own_is_no_rotation() -> None:
    assert base_of("/var/log/livepeer-1.log") == "/var/log/livepeer-1.log"


@given(
    st.floats(NOW, NOW + 40_000_000).map(lambda at: round(at, 6)),
    st.sampled_from((-36_000, 0, 3600, 20_700)),
    st.floats(-9_000, 15_000_000),
)
def test_a_stamp_is_the_time_that_it_was_made_of(at: float, zone_s: int, later: float) -> None:
    told = seconds_of(stamp_of(at, zone_s), zone_s, at + later)
    assert told == pytest.approx(at, abs=0.001)


@given(st.text(max_size=200))
@HOSTILE
def test_any_answer(text: str) -> None:
    for said in (text, f"now 1795793095 +0100 \n{text}"):
        try:
            found = files.parse(("/var/log/a.log",), said)
        except LptuiError:
            continue
        assert all(one.base.startswith("/var/log/a") for one in found.files)

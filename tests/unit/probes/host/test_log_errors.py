"""Errors in a journal: counted by the script itself in a real shell and awk, each line once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.logs import WINDOW_S, LogCount, LogErrors
from lptui.fleet.topology import LogKind, LogSource
from lptui.probes.host.log_errors import added, usable
from lptui.probes.logs.reader import Look, StampedLog
from lptui.probes.logs.scan import MOST_LINES, parse
from tests.unit.probes.logs.looking import LocalShell, by_kind

NOW = 1_795_800_000.0
LINES = (
    'E1127 1 rewardservice.go:69] Error trying to call reward for round 4 err="EOF"',
    'E1127 1 x.go:1] error redeeming ticket sessionID=1 err="insufficient funds for gas"',
    'E1127 1 x.go:1] Error submitting segment err="EOF"',
    "E1127 1 x.go:1] Post https://rpc.example.org: dial tcp: connect: connection refused",
    "E1127 1 x.go:1] 429 Too Many Requests",
    "E1127 1 x.go:1] context deadline exceeded",
    "I1127 1 x.go:1] Processed block=4290429",
    "kind panic 999 1795799999.0 a line that says what the function says",
)


def journal(folder: Path, lines: list[tuple[float, str]], now: float, sees: str) -> StampedLog:
    """The log of a host whose journalctl gives these lines."""
    said = "".join(f"{at:.6f} edge-1 livepeer[8]: {text}\n" for at, text in lines)
    (folder / "said").write_text(said)
    shell = LocalShell(folder)
    first = f'*"-n 1"*) printf %s "{sees}";;'
    shell.program("journalctl", f'case "$*" in {first} *) cat "{folder}/said";; esac')
    return StampedLog(shell, LogSource(LogKind.JOURNAL, "a.service"), now, lambda: 8.0)


async def look(
    folder: Path,
    lines: list[tuple[float, str]],
    before: LogErrors | None = None,
    now: float = NOW,
    sees: str = "x",
) -> LogErrors:
    before = usable(before, now)
    return added(before, await journal(folder, lines, now, sees).new(before), now)


async def test_each_kind_is_counted_by_the_first_that_fits(tmp_path: Path) -> None:
    lines = [(NOW - 100 + n, text) for n, text in enumerate(LINES)]
    value = await look(tmp_path, [(NOW - 3700, LINES[2]), *lines])
    assert by_kind(value) == {
        "reward-failed": 1,
        "redeem-failed": 1,
        "eof": 1,
        "refused": 1,
        "rate-limited": 1,
        "timed-out": 1,
    }
    eof = next(one for one in value.counts if one.kind == "eof")
    assert eof.newest_at == NOW - 98
    assert "Error submitting segment" in eof.example
    assert not value.behind


async def test_a_line_is_counted_once_however_often_it_is_read(tmp_path: Path) -> None:
    lines = [(NOW - 50, LINES[2]), (NOW - 10, LINES[2])]
    first = await look(tmp_path, lines)
    assert by_kind(first) == {"eof": 2}
    # journalctl is asked from the whole second on: it gives the last lines again.
    again = [*lines, (NOW - 10 + 0.000001, LINES[3])]
    second = await look(tmp_path, again, first, NOW + 60)
    assert by_kind(second) == {"eof": 2, "refused": 1}
    nothing = await look(tmp_path, again, second, NOW + 120)
    assert (by_kind(nothing), nothing.read_to) == ({"eof": 2, "refused": 1}, second.read_to)
    # An hour later the first reading's counts are over.
    later = await look(tmp_path, [], second, NOW + WINDOW_S + 30)
    assert by_kind(later) == {"refused": 1}


async def test_a_flood_is_read_as_far_as_one_reading_goes(tmp_path: Path) -> None:
    lines = [(NOW - 100 + n / 10_000, LINES[2]) for n in range(MOST_LINES + 10)]
    value = await look(tmp_path, lines)
    assert (by_kind(value), value.behind) == ({"eof": MOST_LINES}, True)
    rest = await look(tmp_path, lines, value, NOW + 60)
    assert (by_kind(rest), rest.behind) == ({"eof": MOST_LINES + 10}, False)


async def test_a_log_that_may_not_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(LptuiError) as caught:
        await look(tmp_path, [], sees="")
    assert caught.value.kind is ProblemKind.FORBIDDEN
    assert "systemd-journal" in caught.value.remedy


@given(st.text(max_size=80))
def test_anything_else_is_refused(text: str) -> None:
    with contextlib.suppress(LptuiError):
        value = added(None, Look(parse(text, float), NOW - 3600), NOW)
        assert all(isinstance(one, LogCount) for one in value.counts)

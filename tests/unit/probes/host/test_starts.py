"""What a stopped unit would give go-livepeer, in each shell that a host may have."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.probes.host.commands import STARTS_FUNCTION
from lptui.probes.host.units import parse_show, parse_starts
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, WARNING, by_id, finding
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]
UNIT = "livepeer-reward.service"
SECRET = "hunter2-of-the-tests"


def started(words: str) -> str:
    return (
        f"ExecStart={{ path=/usr/bin/livepeer ; argv[]={words} ; ignore_errors=no ; "
        "start_time=[n/a] ; pid=0 ; status=0/0 }"
    )


def asked(shell: list[str], folder: Path, *lines: str) -> tuple[str, tuple[str, ...] | None]:
    """What the function prints where systemctl shows these lines, and what that means."""
    (folder / "shown").write_text("".join(f"{line}\n" for line in lines))
    systemctl = folder / "systemctl"
    systemctl.write_text(f"#!/bin/sh\ncat {folder}/shown\n")
    systemctl.chmod(0o755)
    script = f'PATH={folder}:$PATH; {STARTS_FUNCTION.text}; {STARTS_FUNCTION.name} "$@"'
    done = subprocess.run(
        [*shell, "-c", script, "sh", UNIT], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout, parse_starts(done.stdout)[UNIT]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_only_what_makes_it_something_leaves_the_host(shell: list[str], tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text(f'LP_INITIALIZEROUND="true"\nLP_ETHPASSWORD={SECRET}\nLP_REWARD=0\n')
    text, flags = asked(
        shell,
        tmp_path,
        f"EnvironmentFiles={settings} (ignore_errors=no)",
        started(f"/usr/bin/livepeer -network x --reward=false -ethPassword {SECRET} * -ethUrl a"),
        f'Environment=LP_REWARD=true "LP_X=a b" LP_ETHPASSWORD={SECRET}',
    )
    assert SECRET not in text
    assert flags == ("reward=true", "initializeround=true", "reward=0", "reward=false")


@pytest.mark.parametrize(
    "lines",
    [
        (started("/usr/bin/livepeer -network x $LIVEPEER_OPTS"),),
        (started("/usr/local/bin/start-reward.sh"),),
        (started("/usr/local/bin/livepeer_cli -http 7935"),),
        (started("/usr/bin/livepeer -config /etc/livepeer/r.conf"),),
        ("EnvironmentFiles=/no/such/file (ignore_errors=yes)", started("/usr/bin/livepeer")),
        (started("/usr/bin/livepeer"), started("/usr/bin/livepeer -reward")),
        (),
    ],
    ids=[
        "a variable",
        "a script",
        "its cli",
        "a file of settings",
        "an unread file",
        "two",
        "nothing",
    ],
)
@pytest.mark.parametrize("shell", SHELLS[:1], ids=" ".join)
def test_what_may_be_elsewhere_is_not_known(
    shell: list[str], lines: tuple[str, ...], tmp_path: Path
) -> None:
    assert asked(shell, tmp_path, *lines)[1] is None


@HOSTILE
@given(st.text())
def test_any_text_is_flags_or_nothing(text: str) -> None:
    for flags in parse_starts(f"unit {UNIT}\n{text}").values():
        assert flags is None or all(flag.isprintable() for flag in flags)


def stopped(*flags: str, **unit: object) -> FleetBuilder:
    state = {"active": "inactive", "sub": "dead", "main_pid": None, "exit_status": 0, **unit}
    return FleetBuilder().change_unit("core-1", UNIT, start_flags=flags, **state)


def test_a_unit_that_gives_no_reward_is_named_before_it_is_started() -> None:
    found = finding(stopped(), "role-mismatch@reward")
    assert (found.severity, found.cause) == (CRITICAL, "unit-state@reward")
    assert "does not give -reward" in found.summary
    off = finding(stopped("reward=true", "reward=false"), "role-mismatch@reward")
    assert off.severity is CRITICAL
    assert "-reward=false" in off.evidence[0]


@pytest.mark.parametrize("flags", [("reward",), ("reward=0", "reward=true"), ("orchestrator",)])
def test_a_unit_that_gives_a_role_is_not(flags: tuple[str, ...]) -> None:
    found = by_id(stopped(*flags)).get("role-mismatch@reward")
    assert found is None or "does not give" not in found.summary


def test_a_stand_by_that_could_not_take_over_is_a_warning() -> None:
    fleet = stopped().configure_node("reward", standby_for="redeemer")
    found = finding(fleet, "role-mismatch@reward")
    assert (found.severity, found.cause) == (WARNING, "")


@pytest.mark.parametrize(
    ("has", "asks", "expected"),
    [(20_000, 50_000, WARNING), (50_000, 50_000, OK), (65_536, 1024, OK)],
)
def test_the_limit_of_a_process_against_that_of_its_unit(
    has: int, asks: int, expected: object
) -> None:
    fleet = FleetBuilder().change_unit("core-1", UNIT, fd_limit=has, fd_promised=asks)
    assert finding(fleet, "fd-limit@reward").severity is expected
    assert "fd-limit@reward" not in by_id(fleet.change_unit("core-1", UNIT, fd_promised=None))


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30.0), ("0", 0.0), ("infinity", 0.0), ("soon", None)]
)
def test_watchdogs(written: str, seconds: float | None) -> None:
    text = f"LoadState=loaded\nWatchdogUSec={written}\nLimitNOFILESoft=infinity\n"
    [unit] = parse_show(text, ["a"], None)
    assert (unit.watchdog_s, unit.fd_promised) == (seconds, None)

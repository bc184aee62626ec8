"""What units are told to start: the script in each shell, with a systemctl that says what systemd
does, and nothing secret of it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.upkeep import UnitText
from lptui.probes.host.unit_texts import SCRIPT, parse
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]
START = (
    "ExecStart={ path=/usr/bin/livepeer ; argv[]=/usr/bin/livepeer %s ; ignore_errors=no ; "
    "start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"
)


def asked(shell: list[str], *shown: str, cat: str = "[Service]") -> UnitText:
    says = (
        'systemctl() { case $1 in cat) printf "%s" "$CAT";; show) printf "%s\\n" "$SHOW";; esac; };'
    )
    done = subprocess.run(
        [*shell, "-c", says + SCRIPT, "sh", "a.service"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "SHOW": "\n".join(shown), "CAT": cat},
    )
    assert "hunter2" not in done.stdout
    texts, _ = parse(["a.service"], done.stdout)
    [found] = texts.units
    return found


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_flags_without_secrets_properties_and_a_digest(shell: list[str]) -> None:
    arguments = (
        "-orchestrator -ethPassword hunter2 hunter2-too -orchSecret=hunter2 --maxGasPrice 5 "
        "-ethUrl https://u:hunter2@rpc.example.org/v3/hunter2 -network=mainnet -monitor "
        "-someNewKey hunter2 -nodes https://a.example.org:1/hunter2"
    )
    found = asked(
        shell, "Nice=5", START % arguments, "Environment=", "User=livepeer", "Else=hunter2"
    )
    assert found.program == "/usr/bin/livepeer"
    assert found.flags == (
        ("orchestrator", ""),
        ("maxGasPrice", "5"),
        ("ethUrl", "https://rpc.example.org"),
        ("network", "mainnet"),
        ("monitor", ""),
    )
    assert found.settings == (("Nice", "5"), ("User", "livepeer"))
    assert found.plain
    assert not found.environment
    assert len(found.digest) == 64


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_variables_are_told_of_and_files_that_may_not_be_read_have_no_digest(
    shell: list[str],
) -> None:
    found = asked(shell, START % "$ARGS -v 6", "Environment=LP_ETHPASSWORD=hunter2", cat="")
    assert not found.plain
    assert found.environment
    assert found.digest == ""


def test_two_commands_or_none_are_nothing_to_compare() -> None:
    for shown in ((START % "-v 6", START % "-v 7"), ("Nice=0",)):
        found = asked(["sh"], *shown)
        assert (found.program, found.flags, found.plain) == ("", (), False)


def test_a_pattern_among_the_arguments_stays_as_it_is() -> None:
    assert asked(["sh"], START % "-transcodingOptions /*").flags == (("transcodingOptions", "/*"),)


@given(st.text(max_size=200))
@HOSTILE
def test_anything_else_is_refused_or_harmless(text: str) -> None:
    for answer in (text, f"unit a.service\n{text}"):
        try:
            found, _ = parse(["a.service"], answer)
        except BadAnswerError:
            continue
        assert "\x1b" not in repr(found)

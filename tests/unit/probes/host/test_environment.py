"""What is read of an environment file: the variables that are asked for, and no secret."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.environment import NodeEnvironment, is_hidden
from lptui.fleet.topology import Environment, Fleet, Host, Node, Role
from lptui.probes.host.environment import EnvironmentProbe, command, kept, parse
from lptui.transport.protocols import Output
from tests.unit.probes.host.given import HOST, asking

NAMES = ("LP_ETHURL", "LP_ORCHADDR")
FILE = "/etc/default/livepeer"


def fleet(**facts: object) -> Fleet:
    node = Node("t1", HOST, frozenset({Role.TRANSCODER}), environment_file=FILE, **facts)  # type: ignore[arg-type]
    return Fleet("test", {HOST: Host(HOST, None)}, {"t1": node})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LP_ORCHADDR=o1:8935\n", "o1:8935"),
        ('export LP_ORCHADDR="o1:8935" # one\n', "o1:8935"),
        ("LP_ORCHADDR='o1:8935'\r\n", "o1:8935"),
        ("LP_ORCHADDR=o1:8935 # one\n", "o1:8935"),
        ("LP_ORCHADDR=a\nLP_ORCHADDR=b\n", "b"),
        ("LP_ORCHADDR=\n", ""),
        ("# LP_ORCHADDR=a\n", None),
        ("LP_ORCHADDRESS=a\n", None),
        ("sudo: unable to resolve host edge-1\nLP_ORCHADDR=a\n", "a"),
        ("", None),
    ],
)
def test_the_last_assignment_counts(text: str, value: str | None) -> None:
    facts = parse(text.encode(), NAMES, ())
    assert facts.value("LP_ORCHADDR") == value
    assert not facts.is_link


def test_a_link_is_told() -> None:
    facts = parse(b"link\nLP_ORCHADDR=a\n", NAMES, ())
    assert facts == NodeEnvironment((("LP_ORCHADDR", "a"),), is_link=True)


@pytest.mark.parametrize("line", ['LP_ETHURL="a', "LP_ETHURL=a\\", "LP_ETHURL='a'b"])
def test_what_is_not_taken_apart_is_not_guessed(line: str) -> None:
    with pytest.raises(BadAnswerError, match="LP_ETHURL: its value"):
        parse(line.encode(), NAMES, ())
    assert parse(line.replace("LP_ETHURL", "OTHER").encode(), NAMES, ()) == NodeEnvironment()


@pytest.mark.parametrize(
    "url",
    [
        "https://rpc.example.net/v2/SECRET",
        "https://user:SECRET@rpc.example.net",
        "https://rpc.example.net/?key=SECRET",
        "https://rpc.example.net#SECRET",
        "wss://rpc.example.net/ws/SECRET",
        "https://[::1/SECRET",
    ],
)
def test_an_address_that_may_hold_a_secret_is_cut_and_told_apart(url: str) -> None:
    shown = kept(url)
    assert is_hidden(shown)
    assert "SECRET" not in shown
    assert shown == kept(url)
    assert shown != kept(url + "2")
    assert kept(url, {url}) == url, "it stands in the configuration"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8547", "ws://rpc/", "o1.example.org:8935"])
def test_an_address_of_a_host_alone_is_kept(url: str) -> None:
    assert kept(url) == url


@given(st.text(max_size=60), st.text(alphabet="abcdef0123456789", min_size=13, max_size=40))
def test_nothing_after_a_host_is_ever_kept(path: str, secret: str) -> None:
    assert secret not in kept(f"https://rpc.example.net/{path}{secret}")


async def test_only_named_variables_are_asked_for() -> None:
    other = Environment(orchestrator="MY_ORCH")
    given_asking, reach = asking(lambda _: "MY_ORCH=o1:8935\n", fleet(environment=other))
    [answer] = await EnvironmentProbe().ask(given_asking, "t1")
    assert answer.value.value("MY_ORCH") == "o1:8935"
    [(_, _, argv)] = reach.asked
    assert "(LP_ETHURL|MY_ORCH)=" in argv[-2]


async def test_a_file_that_may_not_be_read_is_named_with_the_right_that_is_missing() -> None:
    said = f"cat: {FILE}: Permission denied\n".encode()
    given_asking, _ = asking(lambda _: Output(said, 1), fleet())
    with pytest.raises(CommandError, match="Permission denied") as caught:
        await EnvironmentProbe().ask(given_asking, "t1")
    assert caught.value.kind is ProblemKind.FORBIDDEN
    assert caught.value.remedy == f"let the login read it, itself or by `sudo -n cat {FILE}`"


SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_sends_those_lines_alone(shell: list[str], tmp_path: Path) -> None:
    file = tmp_path / 'it\'s a "file"'
    file.write_text("A=1\nLP_ORCHSECRET=x\n export LP_ORCHADDR=o1 \nLP_ETHURL='u'\n#LP_ETHURL=v")
    argv = command(str(file), NAMES, "").argv
    assert argv[0] == "sh"
    done = subprocess.run([*shell, *argv[1:]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, " export LP_ORCHADDR=o1 \nLP_ETHURL='u'\n")
    file.rename(tmp_path / "real")
    file.symlink_to(tmp_path / "real")
    done = subprocess.run([*shell, *argv[1:]], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("link\n")
    file.unlink()
    done = subprocess.run([*shell, *argv[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No such file" in done.stderr

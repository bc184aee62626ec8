"""The operator's own ssh gets the console's settings, as OpenSSH itself reads them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.topology import Fleet, Host, Ssh
from lptui.transport.login import argv
from tests.sshd import need

GATE = Host("gate", Ssh("gate", "192.0.2.1", 2200, "jump"))
FULL = Ssh(
    "edge",
    "192.0.2.9",
    2222,
    "ops",
    identities=("/keys/a b", "/keys/c"),
    jump=("gate", "me@192.0.2.2:23"),
    known_hosts="/known hosts",
    config_files=(),
)


def read_by_ssh(words: tuple[str, ...]) -> dict[str, list[str]]:
    """What OpenSSH understands of a command line, without connecting."""
    program = need(shutil.which("ssh"), "ssh")
    done = subprocess.run(
        [program, "-G", *words[1:]], capture_output=True, text=True, check=True, timeout=20
    )
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    return found


def fleet(ssh: Ssh | None) -> Fleet:
    return Fleet("test", {"edge": Host("edge", ssh), "gate": GATE}, known_hosts="/fleet")


def test_all_that_is_declared_is_taken(tmp_path: Path) -> None:
    keys = tuple(str(tmp_path / name) for name in ("a b", "c"))
    for key in keys:
        Path(key).touch()  # ssh leaves out those that are not there
    made = fleet(replace(FULL, identities=keys))
    said = read_by_ssh(argv(made, made.hosts["edge"]))
    assert said["hostname"] == ["192.0.2.9"]
    assert said["port"] == ["2222"]
    assert said["user"] == ["ops"]
    assert said["identityfile"] == list(keys)
    [jump] = said["proxyjump"]
    assert jump.replace("[", "").replace("]", "") == "jump@192.0.2.1:2200,me@192.0.2.2:23"
    assert said["userknownhostsfile"] == ["/known hosts"]
    assert said["stricthostkeychecking"] == ["true"]


def test_what_is_not_declared_is_left_to_the_operators_own_file(tmp_path: Path) -> None:
    own = tmp_path / "config"
    own.write_text("Host edge\n  HostName 192.0.2.77\n  User me\n")
    made = fleet(Ssh("edge", config_files=(str(own),)))
    said = read_by_ssh(argv(made, made.hosts["edge"]))
    assert (said["hostname"], said["user"]) == (["192.0.2.77"], ["me"])
    assert said["userknownhostsfile"] == ["/fleet"]


def test_a_name_is_never_an_option_of_ssh() -> None:
    made = fleet(Ssh("-oProxyCommand=touch evil", config_files=()))
    words = argv(made, made.hosts["edge"])
    assert words[-2:] == ("--", "-oProxyCommand=touch evil")


def test_this_machine_has_a_shell_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/fish")
    made = fleet(None)
    assert argv(made, made.hosts["edge"]) == ("/bin/fish",)


def test_what_ssh_cannot_be_told_is_refused() -> None:
    made = fleet(replace(FULL, config_files=("/one", "/two")))
    with pytest.raises(LptuiError) as caught:
        argv(made, made.hosts["edge"])
    assert caught.value.kind is ProblemKind.SSH_CONFIG

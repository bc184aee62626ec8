"""The printed rules with a real sudo: they are all that is needed, and what lacks is named."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import Operator, Outcome
from tests.lesser_login import LOGIN, SECURE_PATH, LesserLogin, lesser_login

NASTY = ["a,b:c=d", "*?[x]!", "a b", "\\x2d", "#h", "^x$", "'q'", '"d"', "$HOME", "ü", "~"]


class Desk:
    """An operator whose login on the host may do nothing as root, until a file says so."""

    def __init__(self, login: LesserLogin, folder: Path) -> None:
        self.login = login
        self.operator = Operator(folder)
        self.config = folder / "lptui.yaml"
        self.trace = folder / "trace"
        server = login.sshd
        self.document: dict[str, Any] = {
            "name": f"sudoers-{uuid.uuid4().hex}",  # its lock is in the host's /tmp
            "ssh": {"known_hosts": str(server.known_hosts), "config": []},
            "hosts": {
                "h": {
                    "address": server.host,
                    "port": server.port,
                    "user": server.user,
                    "identity": str(server.identity),
                }
            },
            "nodes": {
                "t1": {
                    "host": "h",
                    "role": "transcoder",
                    "unit": r"live\x2dpeer@1.service",
                    "cli": "none",
                    "environment_file": "/etc/default/t 1",
                }
            },
            "commands": {
                "mark": {
                    "run": ["cp", "/etc/hostname", str(self.trace)],
                    "on": "node",
                    "effect": "write",
                    "as_root": True,
                },
                "show": {
                    "run": ["printf", r"%s\n", *NASTY],
                    "on": "h",
                    "effect": "read",
                    "as_root": True,
                },
                "who": {"run": ["whoami"], "on": "h", "effect": "read", "as_root": True},
            },
        }
        self.config.write_text(yaml.safe_dump(self.document))

    def lptui(self, *words: str) -> Outcome:
        return self.operator.run("--config", str(self.config), *words)

    def printed(self) -> str:
        outcome = self.lptui("sudoers", "h")
        assert outcome.code == 0, outcome.err
        return outcome.out

    def install(self, *texts: str) -> None:
        """The whole of what sudo goes by."""
        lines = "".join(f"{text.rstrip()}\n" for text in texts)
        (self.login.folder / "sudoers").write_text(f"{SECURE_PATH}\n{lines}")


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LesserLogin]:
    with lesser_login(tmp_path_factory.mktemp("lesser") / "login") as made:
        yield made


@pytest.fixture
def desk(login: LesserLogin, tmp_path: Path) -> Desk:
    made = Desk(login, tmp_path)
    made.install()
    return made


def test_what_is_printed_is_all_that_is_needed(desk: Desk) -> None:
    text = desk.printed()
    assert f"{LOGIN} ALL=(root) NOPASSWD: /usr/bin/systemctl stop live" in text
    denied = desk.lptui("--headless", "run", "who", "h")
    assert denied.code == 3
    assert "`NOPASSWD: whoami`" in denied.out
    assert "lptui sudoers h" in denied.out
    desk.install(text)
    checked = desk.lptui("sudoers", "--check", "h")
    assert (checked.code, checked.out) == (0, "h: lptui-test may run all 16 commands\n")
    who = desk.lptui("--headless", "run", "who", "h")
    assert (who.code, who.out) == (0, "root\n")


def test_arguments_are_allowed_as_they_are_and_no_others(desk: Desk) -> None:
    desk.install(desk.printed())
    shown = desk.lptui("--headless", "run", "show", "h")
    assert (shown.code, shown.out.splitlines()) == (0, NASTY)
    desk.document["commands"]["show"]["run"][3] = "other"
    desk.config.write_text(yaml.safe_dump(desk.document))
    assert desk.lptui("--headless", "run", "show", "h").code == 3


def test_the_missing_rules_are_named_and_no_others(desk: Desk) -> None:
    rules = desk.printed().splitlines()
    lost = [line for line in rules if "whoami" in line or "reset-failed" in line]
    desk.install(*(line for line in rules if line not in lost))
    checked = desk.lptui("sudoers", "--check")
    assert checked.code == 1
    lines = checked.out.splitlines()
    assert lines[0] == "h: 2 of 16 rules are missing in /etc/sudoers.d/lptui:"
    assert sorted(line.strip() for line in lines[1::2]) == sorted(lost)


def test_a_rule_that_asks_for_a_password_is_missing(desk: Desk) -> None:
    text = desk.printed()
    desk.install(text, f"{LOGIN} ALL=(ALL:ALL) ALL")
    checked = desk.lptui("sudoers", "--check", "h")
    assert checked.code == 1
    assert checked.out.startswith("h: 16 of 16 rules are missing")
    assert "the last rule that fits asks for a password: put this one behind it" in checked.out
    assert desk.lptui("--headless", "run", "who", "h").code == 3
    desk.install(f"{LOGIN} ALL=(ALL:ALL) ALL", text)
    assert desk.lptui("sudoers", "--check", "h").code == 0
    assert desk.lptui("--headless", "run", "who", "h").code == 0


def test_without_any_rule_everything_is_missing(desk: Desk) -> None:
    checked = desk.lptui("sudoers", "--check", "h")
    assert checked.code == 1
    assert checked.out.startswith("h: 16 of 16 rules are missing")
    assert "a password is required" in checked.out


def test_a_change_as_an_unprivileged_login(desk: Desk) -> None:
    desk.install(desk.printed())
    done = desk.lptui("--headless", "run", "mark", "t1", "--yes")
    assert done.code == 0, done.out
    assert desk.trace.stat().st_uid == 0


def test_hosts_are_named_as_they_are_called(desk: Desk) -> None:
    outcome = desk.lptui("sudoers", "hh")
    assert (outcome.code, outcome.out) == (3, "")
    assert "did you mean: h?" in outcome.err or "there are: h" in outcome.err
    assert desk.lptui("sudoers", "--format", "json").code == 3

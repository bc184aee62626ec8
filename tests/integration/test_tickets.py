"""The ticket queue where the login may not read it, and where the program is missing."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import Operator, Outcome
from tests.lesser_login import SECURE_PATH, LesserLogin, lesser_login
from tests.sshd import Sshd, need, start_sshd
from tests.ticket_database import TicketDatabase


class Desk:
    """An operator of one redeemer on a host."""

    def __init__(self, server: Sshd, folder: Path, database: Path) -> None:
        self.operator = Operator(folder)
        self.config = folder / "lptui.yaml"
        document: dict[str, Any] = {
            "name": f"tickets-{uuid.uuid4().hex}",
            "public_addresses": False,
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
                "redeemer": {
                    "host": "h",
                    "role": "redeemer",
                    "cli": 1,  # nothing listens there
                    "database": str(database),
                }
            },
        }
        self.config.write_text(yaml.safe_dump(document))

    def lptui(self, *words: str) -> Outcome:
        return self.operator.run("--config", str(self.config), *words)

    def status(self) -> Outcome:
        return self.lptui("--headless", "status", "--format", "json")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TicketDatabase]:
    folder = tmp_path / "node"
    folder.mkdir(mode=0o700)
    made = TicketDatabase(folder / "lpdb.sqlite3")
    made.win(3500, 10**15, 2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LesserLogin]:
    with lesser_login(tmp_path_factory.mktemp("lesser") / "login") as made:
        yield made


def test_root_is_asked_by_the_printed_rules_alone(
    login: LesserLogin, tmp_path: Path, database: TicketDatabase
) -> None:
    desk = Desk(login.sshd, tmp_path, database.path)
    sudoers = login.folder / "sudoers"
    sudoers.write_text(f"{SECURE_PATH}\n")
    error = desk.status().error("TicketQueue", "redeemer")
    assert error["kind"] == "forbidden"
    assert "lptui sudoers h" in error["remedy"]
    printed = desk.lptui("sudoers", "h")
    assert printed.code == 0
    assert "# winning tickets of node redeemer" in printed.out
    sudoers.write_text(f"{SECURE_PATH}\n{printed.out}")
    reading = desk.status().reading("TicketQueue", "redeemer")
    assert reading["error"] is None
    assert reading["value"]["as_root"] is True
    assert reading["value"]["waiting"] == [
        {"round": 3500, "count": 2, "value_wei": "2000000000000000"}
    ]
    checked = desk.lptui("sudoers", "--check", "h")
    assert (checked.code, checked.out) == (0, "h: lptui-test may run all 3 commands\n")


def test_no_rule_is_wanted_where_the_login_reads_it_itself(
    login: LesserLogin, tmp_path: Path, database: TicketDatabase
) -> None:
    (login.folder / "sudoers").write_text(f"{SECURE_PATH}\n")
    for folder in (database.path.parent, *database.path.parents):
        if str(folder).startswith(str(tmp_path.parent.parent)):
            folder.chmod(0o755)
    desk = Desk(login.sshd, tmp_path, database.path)
    assert "sqlite3" not in desk.lptui("sudoers", "h").out
    assert desk.status().reading("TicketQueue", "redeemer")["value"]["as_root"] is False


_WITHOUT = """\
set -e
mount --bind /usr/bin $1/real
mount --bind $1/programs /usr/bin
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Sshd]:
    """A host with everything but sqlite3."""
    unshare = need(shutil.which("unshare"), "unshare")
    if subprocess.run([unshare, "-m", "true"], check=False).returncode != 0:
        pytest.skip("no mount namespaces here")
    for name in ("programs", "real"):
        (tmp_path / name).mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "sqlite3":
            (tmp_path / "programs" / program.name).symlink_to(tmp_path / "real" / program.name)
    (tmp_path / "without").write_text(_WITHOUT)
    force = f"{unshare} -m sh {tmp_path}/without {tmp_path}"
    server = start_sshd(tmp_path / "sshd", {"ForceCommand": force})
    yield server
    server.stop()


def test_a_host_without_sqlite3_says_so(
    bare: Sshd, tmp_path: Path, database: TicketDatabase
) -> None:
    error = Desk(bare, tmp_path, database.path).status().error("TicketQueue", "redeemer")
    assert error["kind"] == "command-not-found"
    assert "sqlite3 is not installed there" in error["why"]
    assert "install" in error["remedy"]

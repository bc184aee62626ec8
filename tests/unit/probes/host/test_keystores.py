"""Where keys are kept, and who may read them: in real folders, in each shell a node may have."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.keystore import HostKeystores, Keystore
from lptui.fleet.finding import Severity
from lptui.probes.host.keystores import FUNCTION, MOST_FILES, parse, places
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, WARNING, by_id, finding
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]


def process(*flags: tuple[str, str], user: str = "livepeer") -> HostProcesses:
    return HostProcesses((LivepeerProcess(812, user, flags),))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([("ethKeystorePath", "/srv/keys"), ("dataDir", "/data")], "/srv/keys"),
        ([("dataDir", "/data/")], "/data/keystore"),
        ([("datadir", "/data")], "/data/keystore"),
        ([("network", "arbitrum-one-mainnet")], "~livepeer/.lpData/arbitrum-one-mainnet/keystore"),
        ([("orchestrator", "")], "~livepeer/.lpData/offchain/keystore"),
        ([("ethKeystorePath", "relative/keys")], None),
        ([("network", "../../etc")], None),
        ([("transcoder", "")], None),
    ],
)
def test_where_a_process_keeps_its_keys(flags: list[tuple[str, str]], expected: str | None) -> None:
    assert places(process(*flags)) == (() if expected is None else (expected,))


def test_a_user_that_is_no_user_name_leads_nowhere() -> None:
    assert places(process(("orchestrator", ""), user="x/../../y")) == ()


def asked(shell: list[str], *where: str) -> HostKeystores:
    script = f'{FUNCTION.text}; {FUNCTION.name} "$@"'
    done = subprocess.run(
        [*shell, "-c", script, "sh", *where], capture_output=True, text=True, check=False
    )
    return parse(where, done.stdout)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_permissions_as_the_shell_finds_them(shell: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "key store"
    folder.mkdir(mode=0o750)
    for name, mode in (("UTC--1 it's", 0o600), ("UTC--2", 0o640)):
        (folder / name).write_text("{}")
        (folder / name).chmod(mode)
    (folder / "deeper").mkdir()
    lone = folder / "UTC--2"
    found = asked(shell, str(folder), str(tmp_path / "nowhere"), str(lone)).keystores
    me = getpass.getuser()
    assert found[0] == Keystore(str(folder), True, me, 0o750, (0o600, 0o640))
    assert not found[1].seen
    assert found[2] == Keystore(str(lone), True, me, None, (0o640,))


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_home_folder_is_found_by_its_user(shell: list[str]) -> None:
    user = getpass.getuser()
    where = f"~{user}/.lptui-test-of-keystores"
    folder = Path(where).expanduser()
    folder.mkdir(mode=0o700)
    try:
        assert asked(shell, where).keystores == (Keystore(where, True, user, 0o700, ()),)
    finally:
        folder.rmdir()


def test_a_folder_of_very_many_files_is_cut(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 9):
        (tmp_path / str(number)).touch(0o600)
    assert len(asked(["sh"], str(tmp_path)).keystores[0].modes) == MOST_FILES


@HOSTILE
@given(st.lists(st.sampled_from(["at", "700 a folder", "600 a file"]) | st.text(max_size=20)))
def test_any_answer_is_read_or_refused(lines: list[str]) -> None:
    try:
        found = parse(("/a", "/b"), "\n".join(lines))
    except BadAnswerError:
        return
    assert len(found.keystores) == 2


@pytest.mark.parametrize(
    ("mode", "files", "expected"),
    [
        (0o700, (0o600,), OK),
        (0o700, (0o644,), OK),
        (0o755, (0o600,), OK),
        (0o755, (0o600, 0o644), CRITICAL),
        (0o711, (0o604,), CRITICAL),
        (0o750, (0o640,), WARNING),
        (0o770, (0o600,), WARNING),
        (None, (0o644,), CRITICAL),
        (None, (0o400,), OK),
    ],
)
def test_who_may_copy_a_key(mode: int | None, files: tuple[int, ...], expected: Severity) -> None:
    one = Keystore("/srv/keys", True, "livepeer", mode, files)
    fleet = FleetBuilder().put(HostKeystores((one,)), "core-1")
    found = finding(fleet, "keystore-open@core-1")
    assert found.severity is expected
    assert ("/srv/keys" in found.summary) is bool(expected)


def test_what_this_login_may_not_look_into_is_closed_and_nothing_is_nothing() -> None:
    fleet = FleetBuilder().put(HostKeystores((Keystore("/srv/keys", False),)), "core-1")
    assert finding(fleet, "keystore-open@core-1").severity is OK
    fleet.put(HostKeystores(()), "core-1")
    assert "keystore-open@core-1" not in by_id(fleet)

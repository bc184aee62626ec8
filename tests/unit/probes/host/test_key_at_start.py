"""What a unit would find of its key: the scripts in each shell, with a systemctl that says what
systemd does; folders and files as they are; and nothing secret of any of it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.probes.host import start_settings
from lptui.probes.host.key_at_start import Entry, entries, parse_entries
from lptui.probes.host.start_settings import SCRIPT, Start, keys_of, parse
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


def asked(shell: list[str], *shown: str) -> Start:
    says = (
        'systemctl() { printf "%s\\n" "$SHOW"; }; '
        'getent() { [ "$2" = nobody-knows ] || '
        'printf "%s:x:7:7:A, B:/home/%s:/bin/sh\\n" "$2" "$2"; };'
    )
    done = subprocess.run(
        [*shell, "-c", says + SCRIPT, "sh", "a.service"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "SHOW": "\n".join(shown)},
    )
    assert "hunter2" not in done.stdout
    assert done.stderr == ""
    return parse(done.stdout)


def placed(start: Start) -> tuple[str, str]:
    return keys_of(start, (*start.variables, *start.arguments))


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_place_and_passphrase_by_the_command_line_and_nothing_else_of_it(shell: list[str]) -> None:
    start = asked(
        shell,
        START % "-reward -ethPassword /etc/lp/pw -ethUrl https://u:hunter2@rpc/hunter2 "
        "-dataDir=/srv/lp -someSecret -hunter2 -orchSecret hunter2 --ethAcctAddr 0xAB -v 6",
        "User=livepeer",
        "WorkingDirectory=/srv/work",
        "Environment=",
    )
    assert (start.user, start.home, start.untold) == ("livepeer", "/home/livepeer", "")
    assert placed(start) == ("/srv/lp/keystore", "")
    assert start_settings.passphrase_of(start.arguments) == "/etc/lp/pw"
    assert start_settings.value_of(start.arguments, "ethAcctAddr") == "0xAB"


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
@pytest.mark.parametrize(
    "secret",
    [
        "-ethPassword hunter2",
        "-ethPassword=/hunter2",
        "--ethPassword /hunter2/x",
        "-ethPassword -hunter2",
    ],
)
def test_a_passphrase_that_is_no_path_stays_on_its_host(shell: list[str], secret: str) -> None:
    start = asked(
        shell, START % f"-reward {secret}", 'Environment=LP_ETHPASSWORD=hunter2 "LP_X=hunter2 a"'
    )
    assert start_settings.passphrase_of((*start.variables, *start.arguments)) == ""


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_variables_files_and_the_default_place(shell: list[str]) -> None:
    start = asked(
        shell,
        "EnvironmentFiles=/etc/lp/a b.env (ignore_errors=no)",
        "EnvironmentFiles=/etc/lp/more.env (ignore_errors=yes)",
        START % "-reward",
        "Environment=A=1 LP_NETWORK=arbitrum-one-mainnet LP_ETHURL=https://x/hunter2",
    )
    assert start.files == (("/etc/lp/a b.env", False), ("/etc/lp/more.env", True))
    assert placed(start) == ("/home/root/.lpData/arbitrum-one-mainnet/keystore", "")


@pytest.mark.parametrize(
    ("arguments", "shown", "expected"),
    [
        ("-ethKeystorePath keys", "WorkingDirectory=/srv/node", "/srv/node/keys"),
        ("-ethKeystorePath ../keys/", "WorkingDirectory=!~", "/home/keys"),
        ("-datadir /data/", "User=livepeer", "/data/keystore"),
        ("-ethUrl $URL -dataDir /data", "User=livepeer", "/data/keystore"),
        ("-dataDir ${DATA}", "User=livepeer", "only filled in at the start"),
        ("$ARGS -dataDir /data", "User=livepeer", "only filled in"),
        ("-dataDir /data -reward $MORE", "User=livepeer", "only filled in"),
        ('-dataDir "/my data"', "User=livepeer", "quoted"),
        ("-dataDir /my data -reward", "User=livepeer", "only filled in"),
        ("-dataDir /data", "RootDirectory=/jail", "another root folder"),
        ("-reward", "PassEnvironment=LP_DATADIR", "variables of systemd's own"),
        ("-reward", "User=nobody-knows", "its user is not known"),
        ("-reward", "Environment=HOME=/srv", "its user's home"),
        ("-reward -network ../../etc", "User=livepeer", "no place for a key"),
        ("-reward", 'Environment="LP_DATADIR=/my data"', "filled in"),
    ],
)
def test_where_a_unit_would_look(arguments: str, shown: str, expected: str) -> None:
    start = asked(["sh"], START % arguments, shown)
    path, why = placed(start)
    assert expected in (start.untold or path or why)


@pytest.mark.parametrize(
    ("program", "is_told"),
    [("livepeer", True), ("livepeer-0.8.9", True), ("livepeer_cli", False), ("start.sh", False)],
)
def test_what_another_program_starts_is_not_known(program: str, is_told: bool) -> None:
    start = asked(["sh"], (START % "-reward").replace("/livepeer", f"/{program}"))
    assert (start.untold == "") is is_told


def test_no_command_or_two_tell_nothing() -> None:
    for shown in ((), (START % "-a", START % "-b")):
        assert "several" in asked(["sh"], *shown).untold


def searched(argv: tuple[str, ...]) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "hunter2" not in done.stdout
    return done.stdout.split("\n")


def test_lines_of_files_that_matter_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "o.env"
    file.write_text(
        "# LP_DATADIR=/no\nLP_ETHURL=https://x/hunter2\nLP_ETHPASSWORD='/etc/lp/pw'\n"
        'LP_NETWORK="arbitrum-one-mainnet"\nLP_DATADIR=/a\\b\nLP_ORCHSECRET=hunter2\n'
    )
    found = start_settings.of_environment(searched(start_settings.variables(str(file))))
    assert found == (
        ("ethpassword", "/etc/lp/pw"),
        ("network", "arbitrum-one-mainnet"),
        ("datadir", "$"),
    )
    file.write_text("LP_ETHPASSWORD=hunter2\nLP_ETHPASSWORD=/hunter2/x\n")
    assert start_settings.of_environment(searched(start_settings.variables(str(file)))) == ()
    file.write_text("ethPassword /etc/lp/pw\n EthKeystorePath /srv/keys # hers\nethUrl hunter2\n")
    found = start_settings.of_file(searched(start_settings.lines(str(file))))
    assert found == (("ethPassword", "/etc/lp/pw"), ("EthKeystorePath", "/srv/keys"))
    file.write_text("ethPassword hunter2\nethPassword /hunter2/x\n")
    assert start_settings.of_file(searched(start_settings.lines(str(file)))) == ()


def listed(path: Path) -> tuple[Entry, ...]:
    done = subprocess.run(entries(str(path)), capture_output=True, text=True, check=False)
    return parse_entries(done.stdout + done.stderr)


def test_a_listing_of_a_folder_behind_a_link_of_a_file_and_of_nothing(tmp_path: Path) -> None:
    folder, link = tmp_path / "key store", tmp_path / "link"
    folder.mkdir(mode=0o750)
    link.symlink_to(folder)
    (folder / "UTC--x it's").touch(0o640)
    (folder / "deep").mkdir()
    (folder / "deep" / "file").touch()
    found = listed(link)
    assert (found[0].kind, found[0].mode) == ("d", 0o750)
    assert {(one.kind, one.name) for one in found[1:]} == {("f", "UTC--x it's"), ("d", "deep")}
    assert [one.kind for one in listed(folder / "UTC--x it's")] == ["f"]
    assert listed(tmp_path / "nowhere") == ()
    (tmp_path / "lost").symlink_to("/nowhere")
    assert [one.kind for one in listed(tmp_path / "lost")] == ["l"]


@pytest.mark.parametrize(
    ("user", "mode", "expected"),
    [
        ("owner", 0o400, True),
        ("owner", 0o044, False),
        ("other", 0o604, True),
        ("other", 0o600, False),
        ("other", 0o640, None),
        ("root", 0o000, True),
        ("", 0o644, None),
    ],
)
def test_who_may_read_by_the_bits(user: str, mode: int, expected: bool | None) -> None:
    assert Entry("f", mode, "owner", "x").lets(user, 4) is expected


@HOSTILE
@given(st.text(max_size=300))
def test_any_answer_is_read_or_refused(text: str) -> None:
    for answer in (text, f"program /usr/bin/livepeer\n {text}\nuser a /b"):
        try:
            start = parse(answer)
        except BadAnswerError:
            continue
        path, why = keys_of(start, (*start.variables, *start.arguments))
        assert bool(path) != bool(why)
        assert "\x1b" not in repr(replace(start)) + path
    assert "\x1b" not in repr(parse_entries(text))

"""Whether a copy of a key opens, as an operator asks in a terminal: with real key files."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_typing import HexStr
from hypothesis import given
from hypothesis import strategies as st

from lptui.config.kinds import checksum
from lptui.fleet.units import Address
from lptui.headless.keystore import opened
from lptui.probes.keyfile import read
from tests.unit.probes.hostile import HOSTILE, JSON

KEY = HexStr("0x" + "4c" * 32)
PASSPHRASE = "a passphrase of the tests"
ADDRESS = Address(str(Account.from_key(KEY).address).lower())
OTHER = "0x" + "a1" * 20


def key_file(folder: Path, **changes: Any) -> Path:
    document = dict(Account.encrypt(KEY, PASSPHRASE, kdf="pbkdf2", iterations=100))
    path = folder / "UTC--key"
    path.write_text(json.dumps({**document, **changes}))
    return path


def in_terminal(folder: Path, *words: str, typed: str = "") -> tuple[int, str]:
    """Exit code, and all that stood on the screen; `typed` when it asks."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lptui", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "LPTUI_STATE": str(folder / "state")},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal ends with its last program
        while chunk := os.read(ours, 4096):
            shown += chunk
            if typed and b"Passphrase of" in shown:
                os.write(ours, f"{typed}\n".encode())
                typed = ""
    os.close(ours)
    return process.wait(30), shown.decode()


def configured(folder: Path, account: str) -> None:
    node = {"host": "here", "role": "reward", "cli": "127.0.0.1:7937", "account": account}
    document = {"hosts": {"here": {"local": True}}, "nodes": {"reward": node}}
    (folder / "lptui.yaml").write_text(json.dumps(document))


def test_a_copy_of_a_key_of_the_fleet(tmp_path: Path) -> None:
    configured(tmp_path, ADDRESS)
    words = ("keystore", "verify", f"here:{key_file(tmp_path)}")
    code, shown = in_terminal(tmp_path, *words, typed=PASSPHRASE)
    assert code == 0, shown
    assert f"opens: the key of {checksum(ADDRESS)}, the account of node reward" in shown
    assert PASSPHRASE not in shown
    assert KEY[2:] not in shown


def test_a_key_of_nobody_here_and_a_wrong_passphrase(tmp_path: Path) -> None:
    configured(tmp_path, OTHER)
    words = ("keystore", "verify", str(key_file(tmp_path)), "--format", "json")
    code, shown = in_terminal(tmp_path, *words, typed=PASSPHRASE)
    assert code == 1, shown
    assert json.loads(shown[shown.index("{") :])["owners"] == []
    code, shown = in_terminal(tmp_path, *words, typed="another one")
    assert code == 2, shown
    said = json.loads(shown[shown.index("{") :])
    assert (said["opens"], said["address"]) == (False, None)


def test_without_a_terminal_it_asks_nobody(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lptui", "keystore", "verify", str(key_file(tmp_path))]
    done = subprocess.run(
        words, input=PASSPHRASE, capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 3
    assert "in a terminal, and nowhere else" in done.stderr


def test_what_opens_is_what_it_says_it_is(tmp_path: Path) -> None:
    document = read(key_file(tmp_path).read_text())
    assert document is not None
    assert opened(document, PASSPHRASE) == (ADDRESS, "opens")
    assert opened(document, "")[0] is None
    found, why = opened({**document, "address": OTHER[2:]}, PASSPHRASE)
    assert found is None
    assert "not the one that it names" in why


def crypto(**parameters: Any) -> str:
    kdf = "scrypt" if "n" in parameters else "pbkdf2"
    return json.dumps({"version": 3, "crypto": {"kdf": kdf, "kdfparams": parameters}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[" * 5000,
        "{}",
        json.dumps({"version": 1, "crypto": {}}),
        crypto(n=2**24, r=8, p=1, dklen=32),
        crypto(n=2**18, r=8, p=1000, dklen=32),
        crypto(n=2**18, r=8, p=1, dklen=2**30),
        crypto(n=True, r=8, p=1, dklen=32),
        crypto(c=10**9, dklen=32),
        "x" * 20_000,
    ],
)
def test_what_is_no_key_file_or_asks_for_too_much_is_not_tried(text: str) -> None:
    assert read(text) is None


@given(JSON)
@HOSTILE
def test_whatever_is_in_a_file_it_opens_or_does_not(document: Any) -> None:
    for text in (json.dumps(document), json.dumps({"version": 3, "crypto": document})):
        parsed = read(text)
        assert parsed is None or opened(parsed, "x")[0] is None


@given(st.dictionaries(st.sampled_from(["ciphertext", "mac", "cipher", "cipherparams"]), JSON))
@HOSTILE
def test_damage_is_told(changes: Mapping[str, Any]) -> None:
    document = dict(Account.encrypt(KEY, PASSPHRASE, kdf="pbkdf2", iterations=2))
    damaged = {**document, "crypto": {**document["crypto"], **changes}}
    address, said = opened(damaged, PASSPHRASE)
    assert said
    assert address in (None, ADDRESS)

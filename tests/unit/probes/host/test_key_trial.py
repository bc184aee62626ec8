"""The empty passphrase on key files as geth writes them; nothing of them is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import CommandError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.keystore import NodeKeystore, TriedKey
from lptui.fleet.finding import Severity
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.host.key_trial import KeyTrialProbe, contents, listing, parse, parse_contents
from lptui.probes.keyfile import fits_empty
from lptui.transport.protocols import Output
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, by_id, finding
from tests.unit.probes.host.given import HOST, asking, fleet
from tests.unit.probes.hostile import HOSTILE, JSON

SECRET = bytes(range(1, 33))
FOLDER = "/var/lib/livepeer/keystore"
NAME = "UTC--2025-01-01T00-00-00.000000000Z--4444"
HEAD = f"1763668790.1234567890 491 {NAME}"


def keyfile(passphrase: bytes, kdf: Any = "scrypt", **changes: Any) -> str:
    """A real one, cheap to try."""
    document = create_keyfile_json(SECRET, passphrase, kdf=kdf, iterations=64)
    return json.dumps({**document, **changes})


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_whether_the_empty_passphrase_fits(kdf: str) -> None:
    assert fits_empty(keyfile(b"", kdf)) == (True, "")
    assert fits_empty(keyfile(b"hunter2", kdf)) == (False, "")


def test_one_with_geths_own_parameters_can_be_tried() -> None:
    blank = json.loads(keyfile(b""))
    parameters = blank["crypto"]["kdfparams"]
    parameters |= {"n": 262_144, "r": 8, "p": 1}
    assert fits_empty(json.dumps(blank)) == (False, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        keyfile(b"", version=4),
        keyfile(b"").replace('"n": 64', '"n": 1073741824'),
        keyfile(b"").replace('"r": 8', '"r": 100000'),
        keyfile(b"").replace('"n": 64', '"n": 65'),
        keyfile(b"", "pbkdf2").replace('"c": 64', '"c": 2000000000'),
        keyfile(b"").replace('"dklen": 32', '"dklen": 1000000000'),
    ],
)
def test_what_is_no_key_file_or_would_take_too_much_is_not_tried(text: str) -> None:
    assert fits_empty(text)[0] is None


@HOSTILE
@given(JSON)
def test_any_json_is_tried_or_not(document: Any) -> None:
    crypto = {"kdf": "scrypt", "kdfparams": document, "ciphertext": "00", "mac": "00"}
    for one in (document, {"version": 3, "crypto": crypto}, {"version": 3, "crypto": document}):
        assert fits_empty(json.dumps(one))[0] is not True


@HOSTILE
@given(st.text())
def test_any_text_is_files_or_none(text: str) -> None:
    for key in (*parse(text), *parse_contents(f"\n%key {HEAD}\n{text}")):
        assert key.name.isprintable()


# The probe.


def process() -> HostProcesses:
    flags = (("reward", ""), ("ethKeystorePath", FOLDER), ("cliAddr", "127.0.0.1:7937"))
    return HostProcesses((LivepeerProcess(812, "livepeer", flags, unit="r.service"),))


def supervised() -> Fleet:
    described = fleet(["r.service"])
    [node] = described.nodes.values()
    return replace(described, nodes={node.name: replace(node, keystore_check=True)})


async def asked(answers: dict[Any, Any], known: NodeKeystore | None = None) -> tuple[Any, Any]:
    described = supervised()
    readings: dict[Key, Any] = {Key(HostProcesses, HOST): process()}
    if known is not None:
        readings[Key(NodeKeystore, "r.service")] = known
    given_, reach = asking(answers, described, readings)
    [answer] = await KeyTrialProbe().ask(given_, "r.service")
    commands = [what for kind, _, what in reach.asked if kind == "run"]
    return answer.value, commands


def shown(text: str) -> Output:
    return Output(f"\n%key {HEAD}\n{text}".encode(), 0)


LISTED = Output(f"{HEAD}\n".encode(), 0)


async def test_a_file_is_tried_once_and_nothing_of_it_is_kept() -> None:
    text = keyfile(b"")
    answers = {listing(FOLDER): LISTED, contents(FOLDER): shown(text)}
    found, commands = await asked(answers)
    assert found == NodeKeystore(FOLDER, (TriedKey(NAME, 1763668790.123456789, 491, True),))
    assert commands == [listing(FOLDER), contents(FOLDER)]
    assert json.loads(text)["crypto"]["ciphertext"] not in repr(found)
    again, commands = await asked(answers, found)
    assert again == found
    assert commands == [listing(FOLDER)]


async def test_a_file_that_has_changed_is_tried_anew() -> None:
    known = NodeKeystore(FOLDER, (TriedKey(NAME, 1.0, 491, True),))
    answers = {listing(FOLDER): LISTED, contents(FOLDER): shown(keyfile(b"hunter2"))}
    found, _ = await asked(answers, known)
    assert [key.blank for key in found.keys] == [False]


async def test_root_is_asked_where_the_login_may_not_read() -> None:
    denied = Output(b"find: '/var/lib/livepeer/keystore': Permission denied\n", 1)
    become = ("sudo", "-n", "--")
    answers = {
        listing(FOLDER): denied,
        (*become, *listing(FOLDER)): LISTED,
        (*become, *contents(FOLDER)): shown(keyfile(b"hunter2")),
    }
    found, _ = await asked(answers)
    assert (found.as_root, [key.blank for key in found.keys]) == (True, [False])
    refused = Output(b"sudo: a password is required\n", 1)
    with pytest.raises(CommandError) as caught:
        await asked({listing(FOLDER): denied, (*become, *listing(FOLDER)): refused})
    assert f"lptui sudoers {HOST}" in caught.value.remedy


# What is judged.


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([False, False], OK),
        ([False, True], CRITICAL),
        ([None, True], CRITICAL),
        ([False, None], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_keys_without_a_passphrase(keys: list[bool | None], expected: Severity) -> None:
    tried = tuple(
        TriedKey(f"UTC--{number}", 1.0, 491, blank, "" if blank is not None else "too much")
        for number, blank in enumerate(keys)
    )
    builder = FleetBuilder().put(NodeKeystore(FOLDER, tried), "reward")
    assert finding(builder, "keystore-blank-passphrase@reward").severity is expected


def test_a_stopped_node_is_the_cause_that_its_keys_are_not_seen() -> None:
    host = FleetBuilder().fleet.nodes["reward"].host
    builder = FleetBuilder().fail(NodeKeystore, "reward")
    builder.change_unit(host, "livepeer-reward.service", active="failed", sub="failed")
    assert finding(builder, "keystore-blank-passphrase@reward").cause == "unit-state@reward"


def test_nothing_is_tried_unless_it_is_asked_for() -> None:
    builder = FleetBuilder().configure_node("reward", keystore_check=False)
    assert "keystore-blank-passphrase@reward" not in by_id(builder)
    assert KeyTrialProbe().targets(builder.fleet) == ()


def test_the_key_is_never_decrypted() -> None:
    """Not even in passing: the half that decrypts is not used."""
    source = Path(fits_empty.__code__.co_filename).read_text()
    assert "[:16]" not in source
    assert "AES" not in source

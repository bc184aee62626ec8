"""`lptui keystore verify`: does a copy of a key file open, and whose key is it?

Only on request, and only here: the passphrase is asked for in the terminal, the file is opened in
this process, and of the key nothing is kept but its address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lptui.config.kinds import checksum
from lptui.errors import LptuiError
from lptui.fleet.units import Address
from lptui.paths import find_config
from lptui.probes.keyfile import MOST_TEXT, read
from lptui.text import clean
from lptui.transport.protocols import Command

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet
    from lptui.session import Session

WELL: Final = 0
STRANGE: Final = 1
USELESS: Final = 2

_READ_S: Final = 10.0
_USAGE: Final = "lptui keystore verify FILE, or HOST:FILE for one on a host of the configuration"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file turned out to be. `address` None: it does not open."""

    file: str
    address: Address | None
    said: str
    owners: tuple[str, ...] = ()
    known: bool = False

    @property
    def code(self) -> int:
        """0; 1: another account's; 2: it does not open."""
        if self.address is None:
            return USELESS
        return STRANGE if self.known and not self.owners else WELL


def keystore(arguments: argparse.Namespace) -> int:
    """Opens one key file; 0: an account of the fleet, 1: another one, 2: it does not open."""
    words: list[str] = arguments.words
    if words[1:2] != ["verify"] or len(words) != 3:
        raise LptuiError("keystore", "which file?", _USAGE)
    if arguments.format not in ("text", "json"):
        raise LptuiError("keystore", f"has no format {arguments.format}", "text or json")
    found = asyncio.run(_verify(arguments, words[2], is_here=Path(words[2]).exists()))
    sys.stdout.write((_json(found) if arguments.format == "json" else _text(found)) + "\n")
    return found.code


async def _verify(arguments: argparse.Namespace, word: str, *, is_here: bool) -> Verdict:
    host, _, path = word.partition(":")
    fleet: Fleet | None = None
    if is_here or not path.startswith("/"):
        text = await asyncio.to_thread(_local, Path(word))
        fleet = await asyncio.to_thread(_fleet, arguments)
    else:
        from lptui.headless.run import open_session

        session = await open_session(arguments)
        try:
            fleet = session.fleet
            text = await _remote(session, host, path)
        finally:
            await session.close()
    document = read(text)
    if document is None:
        return Verdict(word, None, "is no key file of version 3, or would take too much to open")
    passphrase = await asyncio.to_thread(_ask, word)
    address, said = await asyncio.to_thread(opened, document, passphrase)
    return Verdict(word, address, said, _owners(fleet, address), fleet is not None)


def _local(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_TEXT + 1).decode("utf-8", "replace")
    except OSError as error:
        raise LptuiError(clean(str(path)), f"cannot be read: {error.strerror}", _USAGE) from None


async def _remote(session: Session, host: str, path: str) -> str:
    if host not in session.fleet.hosts:
        raise LptuiError(f"host {clean(host)}", "is not in the configuration", _USAGE)
    command = Command(("head", "-c", str(MOST_TEXT + 1), "--", path), timeout_s=_READ_S)
    done = await session.reach.execute(host, command)
    if done.status != 0:
        why = clean(done.stderr.decode("utf-8", "replace").strip(), 160) or "no answer"
        remedy = "lptui reads it as its login, never as root: copy it to where that may read it"
        raise LptuiError(f"{host}:{clean(path)}", why, remedy)
    return done.stdout.decode("utf-8", "replace")


def _fleet(arguments: argparse.Namespace) -> Fleet | None:
    """The configuration's; None where there is none, and none was named."""
    from lptui.config import load_fleet

    path = find_config(arguments.config)
    if arguments.config is None and not path.exists():
        return None
    return load_fleet(path)


def _ask(word: str) -> str:
    from getpass import getpass

    if not sys.stdin.isatty():
        why = "the passphrase is asked for in a terminal, and nowhere else"
        raise LptuiError("keystore verify", why, "run it in a terminal")
    try:
        return getpass(f"Passphrase of {clean(word, 200)}: ", stream=None)
    except EOFError:
        raise LptuiError("keystore verify", "no passphrase was given", "") from None


def opened(document: dict[str, Any], passphrase: str) -> tuple[Address | None, str]:
    """The address of the key, or None and why not. Blocks for as long as the file is made for."""
    limit = sys.getrecursionlimit()
    from eth_account import Account

    # A library that comes with it raises it so far that deep nesting would end the process.
    sys.setrecursionlimit(limit)
    try:
        key = Account.decrypt(document, passphrase)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, MemoryError):
        # Its message may hold parts of the file; the passphrase is by far the likeliest cause.
        return None, "does not open with this passphrase, or is damaged"
    try:
        address = Address(str(Account.from_key(key).address).lower())
    except (ValueError, TypeError):
        return None, "opens, but what is in it is no key"
    finally:
        del key
    told = str(document.get("address") or "").lower().removeprefix("0x")
    if told and told != address[2:]:
        return None, f"opens, but holds the key of {checksum(address)}, not the one that it names"
    return address, "opens"


def _owners(fleet: Fleet | None, address: Address | None) -> tuple[str, ...]:
    """Whose account it is in the fleet, in words."""
    if fleet is None or address is None:
        return ()
    orchestrators = fleet.chain.orchestrators if fleet.chain else ()
    found = [f"orchestrator {one.name}" for one in orchestrators if one.address == address]
    found += [f"node {one.name}" for one in fleet.nodes.values() if one.account == address]
    found += [f"signer {one.name}" for one in fleet.signers if one.address == address]
    return tuple(dict.fromkeys(found))


def _text(found: Verdict) -> str:
    line = f"{clean(found.file, 300)}: {found.said}"
    if found.address is None:
        return line
    line += f": the key of {checksum(found.address)}"
    if found.owners:
        return f"{line}, the account of {', '.join(found.owners)}"
    return f"{line}, no account of the fleet" if found.known else line


def _json(found: Verdict) -> str:
    return json.dumps(
        {
            "file": clean(found.file, 300),
            "opens": found.address is not None,
            "said": found.said,
            "address": None if found.address is None else checksum(found.address),
            "owners": list(found.owners) if found.known else None,
        },
        indent=2,
    )

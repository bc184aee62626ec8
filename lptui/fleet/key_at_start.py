"""Whether a node that is to take over a key has it, by what its unit would find. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.keystore import KeyAtStart, KeyFile, NamedFile, Use
from lptui.fleet.units import Address, short_address
from lptui.text import plural

COPY: Final = (
    "copy the key file there, by yourself: lptui moves no keys; `lptui keystore verify HOST:FILE`"
    " tells whether the copy opens"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holds` None: it cannot be told. `remedy` is for what does not hold."""

    holds: bool | None
    words: str
    remedy: str = ""


def key_there(found: KeyAtStart, account: Address) -> Verdict:
    """Whether the unit would find the key of an account."""
    if found.account not in (None, account):
        words = f"its unit says -ethAcctAddr {short_address(found.account or '')}"
        return Verdict(False, words, f"set it to {short_address(account)}")
    if found.there is None:
        return Verdict(None, f"{found.path}: {found.unknown}".removeprefix(": "))
    if not found.there:
        return Verdict(False, f"{found.path} is not there", COPY)
    if found.enterable is False:
        words = f"{found.path} is there, and {found.user} may not look into it"
        return Verdict(False, words, f"chown {found.user} {found.path}, and chmod 700 it")
    own = [one for one in found.keys if one.account == account]
    if own:
        return _readable(found, own)
    nameless = [one.name for one in found.keys if one.account is None]
    if nameless:
        # A keystore goes by what its files say, whatever their names.
        words = f"{found.path} has {', '.join(nameless[:3])}, which may be any account's by name"
        return Verdict(None, words)
    others = "no key"
    if found.keys:
        others = f"{plural(len(found.keys), 'key')} of other accounts"
    return Verdict(False, f"{found.path} has {others}, and none of {short_address(account)}", COPY)


def _readable(found: KeyAtStart, own: list[KeyFile]) -> Verdict:
    file = next((one for one in own if one.readable is not False), own[0])
    words = f"{found.path} has {file.name}"
    if file.readable is not False:
        return Verdict(True, f"{words}, by its name")
    return Verdict(
        False,
        f"{words}, and {found.user} may not read it",
        f"chown {found.user} {found.path}/{file.name}, and chmod 600 it",
    )


def files_there(found: KeyAtStart) -> Verdict | None:
    """Whether the other files that the unit names are there; None where it names none."""
    for one in found.files:
        if one.there is False:
            return Verdict(False, f"{one.path} ({one.use}) is not there{_meaning(one)}", "copy it")
        if one.readable is False:
            words = f"{one.path} ({one.use}) is there, and {found.user} may not read it"
            return Verdict(False, words, f"chown {found.user} {one.path}, and chmod 600 it")
    for one in found.files:
        if one.there is None:
            return Verdict(None, f"{one.path} ({one.use}): {one.why}")
    names = ", ".join(f"{one.path} ({one.use})" for one in found.files)
    return Verdict(True, names) if found.files else None


def _meaning(file: NamedFile) -> str:
    if file.use is not Use.PASSPHRASE:
        return ""
    return ": go-livepeer would take the path itself for the passphrase"

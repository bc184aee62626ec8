"""Key files: closed to everybody but the user that acts with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import cause_of_silence
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.facts.keystore import HostKeystores, Keystore, NodeKeystore
from lptui.fleet.finding import Finding, Severity

KEYSTORES: Final = "keystore-open"
BLANK: Final = "keystore-blank-passphrase"

_OTHERS_READ: Final = 0o004
_GROUP_READS: Final = 0o040
_OTHERS_PASS: Final = 0o001
_GROUP_PASSES: Final = 0o010
_WRITES: Final = 0o022


def keystores(view: View) -> Iterator[Finding]:
    """May anybody but a node's own user read or replace its key files?"""
    for name in view.fleet.hosts:
        reading = view.readings(HostKeystores).get(name)
        if reading is None:
            continue
        found = view.value(reading)
        if found is None:
            yield view.unknown(KEYSTORES, "host", name, reading, cause=view.blocker(name, reading))
        elif found.keystores:
            judged = [(_judged(one), one) for one in found.keystores]
            severity = max(verdict[0] for verdict, _ in judged)
            told = [f"{one.path}: {verdict[1]}" for verdict, one in judged if verdict[0]]
            yield Finding(
                KEYSTORES,
                severity,
                "host",
                name,
                listed(told, 3) if told else "the key files are closed to others",
                tuple(view.says(reading, _evidence(one)) for one in found.keystores),
                "chmod 700 the folder and 600 the key files" if severity else "",
            )


def blank_passphrase(view: View) -> Iterator[Finding]:
    """Does the empty passphrase open a node's key file?"""
    for node in view.fleet.nodes.values():
        if not node.keystore_check or view.rest(node):
            continue
        reading = view.reading(NodeKeystore, node.name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(node.host, reading) or cause_of_silence(view, node)
            yield view.unknown(BLANK, "node", node.name, reading, cause=cause)
            continue
        open_ones = [one.name for one in found.keys if one.blank]
        untold = [f"{one.name}: {one.why}" for one in found.keys if one.blank is None]
        severity, remedy = Severity.OK, ""
        summary = "the empty passphrase opens no key file"
        if open_ones:
            severity = Severity.CRITICAL
            summary = f"opens without a passphrase: {listed(open_ones)}"
            remedy = "give it one (geth account update), or move to a new key: copies stay open"
        elif untold or not found.keys:
            severity = Severity.UNKNOWN
            summary = f"not known: {listed(untold) or f'no key file is in {found.path}'}"
            remedy = "see what is in the keystore"
        told = listed([one.name for one in found.keys]) or "no file"
        evidence = (view.says(reading, f"{found.path}: {told}"),)
        yield Finding(BLANK, severity, "node", node.name, summary, evidence, remedy)


def _judged(one: Keystore) -> tuple[Severity, str]:
    if not one.seen:
        return Severity.OK, ""
    if _lets(one, _OTHERS_PASS, _OTHERS_READ):
        return Severity.CRITICAL, "every user of the host can copy the key"
    if _lets(one, _GROUP_PASSES, _GROUP_READS):
        return Severity.WARNING, "a whole group can copy the key"
    if any(mode & _WRITES for mode in (one.mode or 0, *one.modes)):
        return Severity.WARNING, "others than its owner can replace the key"
    return Severity.OK, ""


def _lets(one: Keystore, pass_bit: int, read_bit: int) -> bool:
    """Whether those of a bit get to a key file and may read it; a lone file's folder is not known,
    so that the file itself must keep them out."""
    passes = one.mode is None or bool(one.mode & pass_bit)
    return passes and any(mode & read_bit for mode in one.modes)


def _evidence(one: Keystore) -> str:
    if not one.seen:
        return f"{one.path}: closed to this login, or not there"
    modes = listed([f"{mode:03o}" for mode in sorted(set(one.modes))])
    folder = f"folder {one.mode:03o}, " if one.mode is not None else ""
    return f"{one.path} of {one.owner}: {folder}files {modes or 'none'}"

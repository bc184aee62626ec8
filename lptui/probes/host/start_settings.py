"""What a unit would start go-livepeer with, as far as its key goes; nothing is started for that.

systemd tells a unit's command line, user and variables; the files that these name are searched for
the few lines that matter. Of a passphrase nothing is told but the path of its file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import LivepeerProcess
from lptui.probes.host import assignments
from lptui.probes.host.keystores import place
from lptui.probes.host.processes import SWITCHES, Flags, arguments, is_flag
from lptui.text import clean

_TOLD: Final = ("network", "dataDir", "ethKeystorePath", "ethAcctAddr", "config")
"""Flags whose values leave the host."""

_PASSPHRASE: Final = "ethPassword"  # noqa: S105 (a flag's name)
_SETTINGS: Final = frozenset(name.lower() for name in (*_TOLD, _PASSPHRASE))
_HIDDEN: Final = "."
FILLED: Final = "$"
"""Stand for a value that is not told, and for one that is not there before the start."""

_TOPS: Final = "etc|home|root|run|srv|opt|var|mnt|data|media|usr|secrets"
"""go-livepeer takes the passphrase itself, or the path of its file. A passphrase that begins with a
slash must not be taken for a path: only what is in one of these folders is."""

_SWITCHES: Final = (
    *("orchestrator", "transcoder", "gateway", "broadcaster", "redeemer", "aiWorker"),
    *("remoteSigner", "reward", "initializeRound", "monitor", "enableCliTxRoutes"),
    *("metricsPerStream", "testTranscoder", "startupAvailabilityCheck", "autoAdjustPrice"),
)
"""Flags without a value that are told by name; another's name may be what follows a secret's."""


def _either(names: Sequence[str], ending: str = "") -> str:
    return "|".join(f"{dash}{name}{ending}" for name in names for dash in ("-", "--"))


_PATHS: Final = "|".join(f"/{top}/*" for top in _TOPS.split("|"))
_NAMED: Final = (*_TOLD, "datadir")
_VARIABLES: Final = "|".join(f"LP_{name.upper()}=*" for name in _TOLD)
_PROPERTIES: Final = (
    "ExecStart,User,WorkingDirectory,RootDirectory,RootImage,Environment,"
    "EnvironmentFiles,PassEnvironment"
)

SCRIPT: Final = (
    f"p() {{ case $1 in {_PATHS}) printf '%s\\n' \"$1\";; *) echo '{_HIDDEN}';; esac; }}; "
    f"v() {{ case $1 in *[\\$\\\"\\'\\\\]*) echo '{FILLED}';; "
    "*) printf '%s\\n' \"$1\";; esac; }; "
    f'systemctl show --no-pager -p {_PROPERTIES} -- "$1" | {{ set -f; u=root; '
    "while IFS= read -r l; do case $l in User=?*) u=${l#*=};; "
    "WorkingDirectory=?*) printf 'in %s\\n' \"${l#*=}\";; "
    "RootDirectory=?*|RootImage=?*) echo rooted;; "
    "PassEnvironment=*LP_*|PassEnvironment=*HOME*) echo passed;; "
    "EnvironmentFiles=?*) printf 'file %s\\n' \"${l#*=}\";; "
    'Environment=?*) for w in ${l#*=}; do q=; case $w in \\"*\\") w=${w#?}; w=${w%?};; '
    '\\"*) q=1; w=${w#?};; esac; '
    f"case $w in HOME=*) echo '+HOME={_HIDDEN}';; "
    f"LP_{_PASSPHRASE.upper()}=*) printf '+%s=' \"${{w%%=*}}\"; "
    f'p "${{w#*=}}";; {_VARIABLES}) printf \'+%s=\' "${{w%%=*}}"; '
    f'if [ -n "$q" ]; then echo \'{FILLED}\'; else v "${{w#*=}}"; fi;; esac; done;; '
    "ExecStart=*'argv[]='*) l=${l#*'argv[]='}; k=; f=1; for w in ${l%% ; ignore_errors=*}; do "
    'if [ -n "$f" ]; then f=; printf \'program %s\\n\' "$w"; continue; fi; case $w in '
    f'{_either([_PASSPHRASE], "=*")}) k=; printf \' %s=\' "${{w%%=*}}"; p "${{w#*=}}";; '
    f'{_either(_NAMED, "=*")}) k=; printf \' %s=\' "${{w%%=*}}"; v "${{w#*=}}";; '
    f"{_either([_PASSPHRASE])}) k=p; printf ' %s\\n' \"$w\";; "
    f"{_either(_NAMED)}) k=v; printf ' %s\\n' \"$w\";; "
    f"{_either(_SWITCHES)}) k=; printf ' %s\\n' \"$w\";; "
    "-[a-zA-Z]*=*|--[a-zA-Z]*=*) k=; echo ' -x=.';; "
    "-[a-zA-Z]*|--[a-zA-Z]*) k=; echo ' -x';; "
    '*) if [ -n "$k" ]; then printf \' \'; $k "$w"; k=; '
    f"else case $w in *[\\\"\\'\\\\]*) echo odd;; *\\$*) echo ' {FILLED}';; "
    f"*) echo ' {_HIDDEN}';; esac; fi;; esac; done;; esac; done; "
    'g=$(getent passwd "$u"); h=${g%:*}; printf \'user %s %s\\n\' "${g%%:*}" "${h##*:}"; }'
)
"""What systemd has loaded of a unit. Values of flags and variables but for those of a key's place
are left out; `$` is one that is filled in at the start.

    rooted                                (it has another root folder than its host)
    in /srv/livepeer
    file /etc/livepeer/o.env (ignore_errors=no)
    +LP_NETWORK=arbitrum-one-mainnet      (`+HOME=.` where it is set, whatever to)
    program /usr/local/bin/livepeer
     -reward
     -ethPassword
     /etc/livepeer/passphrase             (`.` for one that is no path)
     -x
     .
    user livepeer /home/livepeer          (empty for one that the host does not know)
"""

_PROGRAM: Final = re.compile(r"livepeer(?:[-_.]?v?[0-9][0-9.]*)?", re.ASCII)
"""go-livepeer itself, and not its `livepeer_cli` or `livepeer_router`."""

_FILE: Final = re.compile(r"(/.{1,400}?)(?: \(ignore_errors=(yes|no)\))?")
_USER: Final = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})? (/.{0,200})?", re.ASCII)
_MOST_LINES: Final = 200


def variables(path: str) -> tuple[str, ...]:
    """The command that prints the lines of an environment file that matter."""
    names = "|".join(name.upper() for name in _TOLD)
    secret = f"LP_{_PASSPHRASE.upper()}=[\"']?/({_TOPS})/"
    pattern = rf"^[[:blank:]]*(HOME=|LP_({names})=|{secret})"
    return ("grep", "-h", "-m", str(_MOST_LINES), "-E", pattern, "--", path)


def lines(path: str) -> tuple[str, ...]:
    """The same of go-livepeer's own configuration file: `name value` a line."""
    names = "|".join(name for name in _TOLD if name != "config")
    secret = f"{_PASSPHRASE}[[:blank:]]+/({_TOPS})/"
    pattern = rf"^[[:blank:]]*(({names})([[:blank:]]|$)|{secret})"
    return ("grep", "-h", "-i", "-m", str(_MOST_LINES), "-E", pattern, "--", path)


@dataclass(frozen=True, slots=True)
class Start:
    """What systemd tells of how a unit would start its node.

    Attributes:
        user, home: as the host knows them; "" where it does not.
        arguments, variables: flags by their names and values, the later ones count.
        files: environment files, and whether the unit starts without each.
        untold: why something of it cannot be told; "" where all can.
    """

    user: str = ""
    home: str = ""
    folder: str = "/"
    arguments: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, bool], ...] = ()
    untold: str = ""


def parse(text: str) -> Start:
    """What `SCRIPT` prints; raises BadAnswerError when it was cut off."""
    told = text.split("\n")
    user = next((_USER.fullmatch(one[5:]) for one in told if one.startswith("user ")), None)
    if user is None:
        raise BadAnswerError("the unit's start", f"cut off after {clean(text[-60:])!r}")
    words = [one[1:] for one in told if one.startswith(" ")]
    folder = next((one[3:].lstrip("!-") for one in told if one.startswith("in ")), "/")
    home = user[2] or ""
    files = [_FILE.fullmatch(one[5:]) for one in told if one.startswith("file ")]
    return Start(
        clean(user[1] or "", 40),
        clean(home, 200),
        clean(home if folder == "~" else folder, 200),
        tuple(_kept(words)),
        of_environment([one[1:] for one in told if one.startswith("+")]),
        tuple((clean(one[1], 400), one[2] == "yes") for one in files if one is not None),
        _untold(told, words),
    )


def _untold(told: Sequence[str], words: Sequence[str]) -> str:
    programs = [clean(one[8:], 80) for one in told if one.startswith("program ")]
    if len(programs) != 1:
        return "its unit has no command that starts it, or several"
    if not _PROGRAM.fullmatch(programs[0].rpartition("/")[2]):
        return f"its unit starts {programs[0]}, and what that starts is not known"
    if "rooted" in told:
        return "its unit gives it another root folder"
    if "odd" in told or is_loose(words):
        return "its unit's command line has words that are only filled in at the start, or quoted"
    return "its unit passes variables of systemd's own on" if "passed" in told else ""


def is_loose(words: Sequence[str]) -> bool:
    """Whether a word that is no flag stands where one could: what it becomes may be any flags."""
    before = ""
    for word in words:
        takes = is_flag(before) and "=" not in before
        if not is_flag(word) and not (takes and before.lstrip("-").lower() not in SWITCHES):
            return True
        before = word
    return False


def _kept(words: Sequence[str]) -> Flags:
    """The flags of a command line that matter; the passphrase's by the path that was told."""
    secret = {f"-{_PASSPHRASE.lower()}", f"--{_PASSPHRASE.lower()}"}
    found: Flags = []
    for at, word in enumerate(words):
        name, joined, value = word.partition("=")
        if name.lower() in secret:
            found.append((_PASSPHRASE, value if joined else "".join(words[at + 1 : at + 2])))
    others = [flag for flag in arguments(words) if flag[0].lower() in _SETTINGS]
    return [*(one for one in others if one[0].lower() != _PASSPHRASE.lower()), *found]


def of_environment(told: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Flags by their variables, of lines as systemd's environment files have them.

    A value that is not taken apart is told as one that is filled in at the start.
    """
    found = []
    for one in told[:_MOST_LINES]:
        raw = one.encode("utf-8", "replace")
        name = assignments.variable_of(raw).removeprefix("LP_").lower()
        try:
            assigned = assignments.parse(raw)
        except BadAnswerError:
            assigned = None
        if name in _SETTINGS or name == "home":
            found.append((name, clean(assigned.value, 400) if assigned else FILLED))
    return tuple(found)


def of_file(told: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Flags of go-livepeer's own configuration file; a remark begins with ` #`."""
    found = []
    for one in told[:_MOST_LINES]:
        name, _, value = one.strip().partition(" ")
        if name.lower() in _SETTINGS:
            found.append((name, clean(f" {value}".partition(" #")[0].strip(), 400)))
    return tuple(found)


def config_of(start: Start, flags: Sequence[tuple[str, str]]) -> str:
    """The configuration file that it reads; "" for none, `FILLED` for one that is not told."""
    path = value_of(flags, "config")
    return posixpath.join(start.folder, path) if path not in ("", FILLED) else path


def value_of(flags: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a setting that counts; "" where it is not given."""
    return next((value for key, value in reversed(flags) if key.lower() == name.lower()), "")


def passphrase_of(flags: Sequence[tuple[str, str]]) -> str:
    """The file that its passphrase is in; "" where none is told."""
    path = value_of(flags, _PASSPHRASE)
    return path if path.startswith("/") else ""


def keys_of(start: Start, flags: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Where the node would look for its key, and why that is not known where it is "".

    `flags` are from all that it takes settings from, what counts most the last.
    """
    placed = tuple(_placed(flag, start.folder) for flag in flags)
    given = [value_of(placed, name) for name in ("ethKeystorePath", "dataDir", "network")]
    if FILLED in given:
        return "", "its settings name the place by what is only filled in at the start"
    path = place(LivepeerProcess(0, start.user, placed))
    if not path.startswith("~"):
        why = "its settings tell no place for a key" if start.user else "its user is not known"
        return path, "" if path else why
    if not start.home or value_of(flags, "home"):
        return "", "the place is in its user's home, and that is not told"
    return posixpath.join(start.home, path.partition("/")[2]), ""


def _placed(flag: tuple[str, str], folder: str) -> tuple[str, str]:
    """A path of a flag from its root on."""
    name, value = flag
    if name.lower() in ("datadir", "ethkeystorepath") and value and value != FILLED:
        return name, posixpath.normpath(posixpath.join(folder, value))
    return flag

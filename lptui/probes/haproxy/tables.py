"""HAProxy's tables by column name: versions insert columns wherever they like."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError
from lptui.probes.numbers import count
from lptui.text import clean

MOST_ROWS: Final = 5000

_TABLE: Final = re.compile(r"# table: ([^,]+), type: ")

STAT_COLUMNS: Final = ("pxname", "svname", "status", "type", "scur", "stot", "weight")
STATE_COLUMNS: Final = (
    "be_name",
    "srv_name",
    "srv_addr",
    "srv_port",
    "srv_op_state",
    "srv_admin_state",
    "srv_uweight",
    "srv_iweight",
    "srv_agent_state",
)


@dataclass(frozen=True, slots=True)
class Info:
    """`show info`, as far as it is used. `stopping`: an old worker that only finishes."""

    version: str = ""
    pid: int | None = None
    uptime_s: float | None = None
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class ServerState:
    """A line of `show servers state`: the only place with wish and health apart.

    `admin` is a mask: 1 maintenance, 2 inherited by tracking, 4 disabled in the configuration,
    8 drain, 16 inherited drain, 32 name not resolved. `operation`: 0 stopped, 1 starting,
    2 running, 3 stopping. `asks`: the name (A, AAAA or SRV) that its address comes from.
    """

    operation: int
    admin: int
    address: str
    weight: int | None
    initial_weight: int | None
    agent: bool
    asks: str = ""

    @property
    def is_unresolved(self) -> bool:
        return bool(self.admin & 32)


def parse_info(lines: Sequence[str]) -> Info:
    """From `Name: value` lines; raises BadAnswerError when it is not HAProxy that answers."""
    values = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if values.get("Name", "") != "HAProxy" and "Version" not in values:
        said = clean(" ".join(lines), 60)
        raise BadAnswerError("HAProxy `show info`", f"unexpected answer {said!r}")
    uptime = count(values.get("Uptime_sec", ""))
    return Info(
        version=clean(values.get("Version", ""), 60),
        pid=count(values.get("Pid", "")),
        uptime_s=float(uptime) if uptime is not None else None,
        stopping=values.get("Stopping") == "1",
    )


def parse_stat(lines: Sequence[str]) -> list[dict[str, str]]:
    """The rows of `show stat` or of a statistics page with `;csv`.

    The header begins with `# `; header and rows end with a comma. Raises BadAnswerError when
    columns are missing, when a row is shorter than the header (the dump was cut) or too many.
    """
    header = lines[0] if lines else ""
    columns = header.removeprefix("# ").split(",")
    if not header.startswith("# ") or not set(STAT_COLUMNS) <= set(columns):
        raise BadAnswerError("HAProxy statistics", f"not its table: {clean(header, 60)!r}")
    if len(lines) > MOST_ROWS:
        raise BadAnswerError("HAProxy statistics", f"more than {MOST_ROWS} rows")
    rows: list[dict[str, str]] = []
    try:
        for fields in csv.reader(lines[1:]):
            if len(fields) != len(columns):
                raise BadAnswerError(
                    "HAProxy statistics", f"cut in a row: {clean(','.join(fields), 60)!r}"
                )
            rows.append({name: field for name, field in zip(columns, fields, strict=True) if name})
    except csv.Error as error:
        raise BadAnswerError("HAProxy statistics", clean(str(error), 80)) from None
    if not rows:
        raise BadAnswerError("HAProxy statistics", "the table has no rows")
    return rows


def parse_states(lines: Sequence[str]) -> dict[tuple[str, str], ServerState]:
    """`show servers state` by (backend, server); format 1 (the only one there is).

    Raises BadAnswerError for another format, missing columns or a cut line.
    """
    if len(lines) < 2 or lines[0].strip() != "1" or not lines[1].startswith("# "):
        said = clean(" ".join(lines[:2]), 60)
        raise BadAnswerError("HAProxy server states", f"unexpected format: {said!r}")
    columns = lines[1].removeprefix("# ").split()
    if not set(STATE_COLUMNS) <= set(columns):
        raise BadAnswerError("HAProxy server states", "columns are missing")
    if len(lines) > MOST_ROWS:
        raise BadAnswerError("HAProxy server states", f"more than {MOST_ROWS} rows")
    found: dict[tuple[str, str], ServerState] = {}
    for line in lines[2:]:
        words = line.split()
        if len(words) < len(columns):
            raise BadAnswerError("HAProxy server states", f"cut in a row: {clean(line, 60)!r}")
        row = dict(zip(columns, words, strict=False))
        found[row["be_name"], row["srv_name"]] = _state(row, line)
    return found


def _state(row: Mapping[str, str], line: str) -> ServerState:
    operation, admin = count(row["srv_op_state"]), count(row["srv_admin_state"])
    if operation is None or admin is None:
        raise BadAnswerError("HAProxy server states", f"no states in {clean(line, 60)!r}")
    agent = count(row["srv_agent_state"])
    return ServerState(
        operation=operation,
        admin=admin,
        address=_address(row),
        weight=count(row["srv_uweight"]),
        initial_weight=count(row["srv_iweight"]),
        agent=bool(agent is not None and agent & 4),
        asks=_asks(row),
    )


def _asks(row: Mapping[str, str]) -> str:
    """A server found by a SRV record has a name of its own besides, which differs from the next."""
    names = (row.get("srvrecord", "-"), row.get("srv_fqdn", "-"))
    return next((name for name in names if name != "-"), "")


def _address(row: Mapping[str, str]) -> str:
    """`192.0.2.1:8935`, `[2001:db8::1]:8935`; the name where it is not resolved."""
    host = row["srv_addr"] if row["srv_addr"] != "-" else row.get("srv_fqdn", "-")
    if host == "-":
        return ""
    bare = clean(host, 120)
    bracketed = f"[{bare}]" if ":" in bare and not bare.startswith(("/", "[")) else bare
    number = count(row["srv_port"])
    return f"{bracketed}:{number}" if number else bracketed


def parse_tables(lines: Sequence[str]) -> tuple[str, ...] | None:
    """Names of the proxies with a stick table; None when the answer is no list of them."""
    found = [_TABLE.match(line) for line in lines]
    return tuple(clean(one[1], 120) for one in found if one) if all(found) else None

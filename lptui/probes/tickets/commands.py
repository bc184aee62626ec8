"""What is run on a host to read a node's ticket queue, and to see that the reading is whole.

The database is the node's: it is opened as an immutable file, so that no lock is taken, no
journal is rolled back and nothing is written beside it. That the node did not write meanwhile is
seen afterwards, by the file's time and its journals (sqlite.org/uri.html, atomiccommit.html).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

Argv = tuple[str, ...]

ROUNDS: Final = 30
"""Rounds that are read, back from the newest in the table: a ticket is good for two."""

MOST_ROWS: Final = 2000

FILE: Final = "lpdb.sqlite3"
"""Its name in a node's data directory (go-livepeer cmd/livepeer/starter/starter.go)."""

JOURNALS: Final = ("-journal", "-wal")
"""What SQLite keeps beside a database while there are changes that are not in it yet."""

_NOW: Final = "SELECT 'now|'||strftime('%s','now')||substr(strftime('%f','now'),3);"

_ROWS: Final = (
    "SELECT CASE WHEN redeemedAt IS NULL AND txHash IS NULL THEN 'waiting'"  # noqa: S608 (numbers of here)
    " WHEN txHash IS NULL OR ltrim(txHash,'0x')='' THEN 'given-up' ELSE 'redeemed' END,"
    "creationRound,count(*),hex(faceValue),min(createdAt),max(redeemedAt) FROM ticketQueue"
    f" WHERE creationRound>=(SELECT max(creationRound) FROM ticketQueue)-{ROUNDS - 1}"
    f" GROUP BY 1,2,4 ORDER BY 2 DESC,1,4 LIMIT {MOST_ROWS + 1};"
)


def query(path: str) -> Argv:
    """The tickets by state, round and face value, after the host's time when it began.

        now|1763668800.120
        waiting|3612|4|0DE0B6B3A7640000|2025-11-20 19:58:01|
        redeemed|3611|17|0DE0B6B3A7640000|2025-11-19 20:11:45|2025-11-20 02:00:12

    The login's own ~/.sqliterc is left out: it may change how answers look.
    """
    uri = f"file:{quote(path)}?mode=ro&immutable=1"
    options = ("-readonly", "-batch", "-init", "/dev/null", "-separator", "|")
    return ("sqlite3", *options, uri, f"{_NOW}{_ROWS}")


def state(path: str) -> Argv:
    """When the file was last changed, and which journals there are; those that are not, no line.

    1763668798 2025-11-20 19:59:58.120000000 +0000 40960 /var/lib/livepeer/lpdb.sqlite3
    """
    files = (path, *(path + suffix for suffix in JOURNALS))
    return ("stat", "-L", "-c", "%Y %y %s %n", "--", *files)


def root_commands(path: str) -> tuple[Argv, ...]:
    """What must be run as root where the login may not read the file."""
    return (query(path), state(path))

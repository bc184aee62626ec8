"""A node's database with its queue of winning tickets, as go-livepeer makes it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

SCHEMA: Final = """
CREATE TABLE kv (key STRING PRIMARY KEY, value STRING, updatedAt STRING DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE ticketQueue (
    createdAt DATETIME DEFAULT CURRENT_TIMESTAMP,
    sender STRING,
    recipient STRING,
    faceValue BLOB,
    winProb BLOB,
    senderNonce INTEGER,
    recipientRand BLOB,
    recipientRandHash STRING,
    sig BLOB PRIMARY KEY,
    creationRound int64,
    creationRoundBlockHash STRING,
    paramsExpirationBlock int64,
    redeemedAt DATETIME,
    txHash STRING
);
CREATE INDEX idx_ticketqueue_sender ON ticketQueue(sender);
"""
"""The names and types of go-livepeer common/db.go, on which the reading rests."""

TX: Final = "0x" + "7e" * 32
NO_TX: Final = "0x" + "0" * 64
SENDER: Final = "0xAbCd000000000000000000000000000000000001"


class TicketDatabase:
    """The file, and the node's own connection to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.node = sqlite3.connect(path, isolation_level=None)
        self.node.executescript(SCHEMA)
        self._next = 0

    def win(self, creation_round: int, face: int, count: int = 1, *, tx: str | None = None) -> None:
        """Tickets of one round; with a transaction's hash they count as redeemed."""
        for _ in range(count):
            self._next += 1
            self.node.execute(
                "INSERT INTO ticketQueue(sender, faceValue, senderNonce, sig, creationRound,"
                " paramsExpirationBlock, redeemedAt, txHash)"
                " VALUES(?,?,?,?,?,?,CASE WHEN ? IS NULL THEN NULL ELSE datetime('now') END,?)",
                (
                    SENDER,
                    face.to_bytes((face.bit_length() + 7) // 8, "big"),
                    self._next,
                    self._next.to_bytes(65, "big"),
                    creation_round,
                    12_345,
                    tx,
                    tx,
                ),
            )

    def close(self) -> None:
        self.node.close()

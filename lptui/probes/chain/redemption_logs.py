"""Reads the TicketBroker's logs: which winning tickets were redeemed, and for whom. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lptui.errors import BadAnswerError
from lptui.fleet.units import Address, L2Block, Wei
from lptui.probes.chain import abi
from lptui.probes.chain.codec import decode_types
from lptui.probes.chain.logs import pad, place_of, time_of, topics_of, tx_of
from lptui.probes.rpc.values import AMOUNT, data, record, shown
from lptui.transport.protocols import Call

_METHOD: Final = "eth_getLogs"


@dataclass(frozen=True, slots=True)
class RedemptionLog:
    """A `WinningTicketRedeemed` log; `value` is the ticket's face value."""

    recipient: Address
    payer: Address
    value: Wei
    block: L2Block
    index: int
    tx: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class RedemptionQuery:
    """Logs of the tickets that were redeemed for some orchestrators."""

    broker: Address
    orchestrators: tuple[Address, ...]

    def call(self, first: int, last: int) -> Call:
        """Asks for the logs of the blocks `first` to `last`."""
        recipients = [pad(int(who, 16)) for who in self.orchestrators]
        topics = [[abi.TICKET_REDEEMED.topic], None, recipients]
        span = {"fromBlock": hex(first), "toBlock": hex(last)}
        return Call(_METHOD, ({**span, "address": [self.broker], "topics": topics},))

    def parse(self, result: object) -> tuple[RedemptionLog, ...]:
        """The logs that were asked for, each once; others are left out, whatever the endpoint
        thinks. Raises BadAnswerError for a malformed one: what it tells would be lacking."""
        if not isinstance(result, list):
            raise BadAnswerError(_METHOD, f"not a list: {shown(result)}")
        found: dict[tuple[int, int], RedemptionLog] = {}
        for item in result:
            log = record(item, _METHOD)
            topics = topics_of(log)
            if log.get("removed") is True or len(topics) < 3:
                continue
            is_ours = str(log.get("address")).lower() == self.broker
            if not is_ours or topics[0] != abi.TICKET_REDEEMED.topic:
                continue
            one = _redemption(log, _address(topics[1]), _address(topics[2]))
            if one.recipient in self.orchestrators:
                found[one.block, one.index] = one
        return tuple(found[place] for place in sorted(found))


def _redemption(log: dict[str, Any], payer: Address, recipient: Address) -> RedemptionLog:
    raw = data(log.get("data"), _METHOD)
    value = decode_types(abi.TICKET_REDEEMED.data, raw, "WinningTicketRedeemed log")[0]
    if value >= AMOUNT:
        raise BadAnswerError(_METHOD, f"a ticket of {value} wei")
    return RedemptionLog(recipient, payer, Wei(value), *place_of(log), tx_of(log), time_of(log))


def _address(topic: str) -> Address:
    return Address("0x" + topic[-40:])

"""Reads who a node is (go-livepeer server/webserver.go, server/handlers.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.units import Address, Wei
from lptui.probes.livepeer import routes
from lptui.probes.livepeer.status import json_object
from lptui.probes.rpc.values import PRICE
from lptui.text import clean
from lptui.transport.protocols import HttpAnswer

ROUTES: Final = (
    "/ethAddr",
    "/IsOrchestrator",
    "/IsRedeemer",
    "/EthChainID",
    "/maxGasPrice",
    "/minGasPrice",
    "/contractAddresses",
    "/rewardCaller",
    "/getLogLevel",
    routes.GATE,
)
"""Routes that an identity is read from."""

T = TypeVar("T")

_WEI_LIMIT: Final = 2**256
_MOST_VERBOSE: Final = 1000
_ZERO: Final = "0x" + "0" * 40
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_DECIMAL: Final = re.compile(r"\d{1,78}", re.ASCII)


def parse_identity(answers: Mapping[str, HttpAnswer | LptuiError]) -> NodeIdentity:
    """An identity from the answers of `ROUTES`, or why there was none.

    Off chain (500 "missing ETH client") and absent routes (404) are None. The account's own
    route decides whether this is a node at all: raises its failure, HttpError or BadAnswerError;
    those of the other routes end up in `errors`.
    """
    errors: list[tuple[str, str]] = []

    def field(path: str, parse: Callable[[bytes, str], T]) -> T | None:
        answer = answers.get(path)
        if isinstance(answer, LptuiError):
            errors.append((path, clean(answer.why or answer.what, 120)))
            return None
        if answer is None or answer.status == 404 or routes.is_off_chain(answer):
            return None
        try:
            return parse(routes.body(answer, path), path)
        except LptuiError as error:
            errors.append((path, clean(error.why, 120)))
            return None

    own = answers["/ethAddr"]
    if isinstance(own, LptuiError):
        raise own
    account = None
    if not routes.is_off_chain(own):
        account = an_address(routes.body(own, "/ethAddr"), "/ethAddr")
        if account is None:
            raise BadAnswerError("/ethAddr", "an empty answer where an address is promised")
    cap = field("/maxGasPrice", _cap)
    return NodeIdentity(
        account=account,
        is_orchestrator=field("/IsOrchestrator", yes_or_no),
        is_redeemer=field("/IsRedeemer", yes_or_no),
        chain_id=field("/EthChainID", decimal) or None,
        max_gas_price=Wei(cap) if cap else None,
        has_gas_cap=None if cap is None else cap > 0,
        min_gas_price=field("/minGasPrice", _wei),
        tx_routes=_gate(answers.get(routes.GATE)),
        reward_caller=field("/rewardCaller", an_address),
        knows_reward_caller=_offers(answers.get("/rewardCaller")),
        controller=field("/contractAddresses", _controller),
        log_level=field("/getLogLevel", _level),
        errors=tuple(errors),
    )


def decimal(raw: bytes, what: str) -> int:
    """A decimal number below 2^256. Raises BadAnswerError."""
    text = routes.word(raw, what)
    if _DECIMAL.fullmatch(text) is None or int(text) >= _WEI_LIMIT:
        raise BadAnswerError(what, f"not a number: {clean(text, 60) or 'an empty answer'}")
    return int(text)


def yes_or_no(raw: bytes, what: str) -> bool:
    """`true` or `false`. Raises BadAnswerError."""
    text = routes.word(raw, what)
    if text not in ("true", "false"):
        raise BadAnswerError(what, f"not true or false: {clean(text, 60) or 'an empty answer'}")
    return text == "true"


def an_address(raw: bytes, what: str) -> Address | None:
    """An address; None for an empty answer and the zero address. Raises BadAnswerError."""
    text = routes.word(raw, what)
    if not text:
        return None
    if _ADDRESS.fullmatch(text) is None:
        raise BadAnswerError(what, f"not an address: {clean(text, 60)}")
    return None if text == _ZERO else Address(text.lower())


def _wei(raw: bytes, what: str) -> Wei:
    return Wei(decimal(raw, what))


def _cap(raw: bytes, what: str) -> int:
    """The gas price's cap; 0 for none, which the node says by an empty body."""
    cap = decimal(raw, what) if raw.strip() else 0
    if cap >= PRICE:
        raise BadAnswerError(what, f"absurdly large: {cap}")
    return cap


def _level(raw: bytes, what: str) -> int:
    level = decimal(raw, what)
    if level > _MOST_VERBOSE:
        raise BadAnswerError(what, f"absurdly large: {level}")
    return level


def _controller(raw: bytes, what: str) -> Address | None:
    value = json_object(raw, what).get("Controller")
    if not isinstance(value, str):
        raise BadAnswerError(what, "no Controller in it")
    return an_address(value.encode("utf-8", "replace"), what)


def _gate(answer: HttpAnswer | LptuiError | None) -> bool | None:
    """See `routes.GATE`: 400 for the missing parameter, or 405, is the proof of registration."""
    if not isinstance(answer, HttpAnswer):
        return None
    return {400: True, 405: True, 404: False}.get(answer.status)


def _offers(answer: HttpAnswer | LptuiError | None) -> bool | None:
    """Whether the node has a route: builds from before LIP-118 do not know of callers."""
    if not isinstance(answer, HttpAnswer):
        return None
    return {200: True, 404: False}.get(answer.status)

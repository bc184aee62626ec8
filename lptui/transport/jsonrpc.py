"""JSON-RPC 2.0: one batch a question, each item with its own result or error."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import urlsplit

from lptui.errors import BadAnswerError, HttpError, ProblemKind, RpcError, TransportError
from lptui.text import clean
from lptui.transport.protocols import Call, Http, HttpAnswer
from lptui.transport.tally import Tally

ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Most bytes of one answer: a batch with logs of many blocks."""

BATCH_LIMIT: Final = 100
"""Most calls in one request; hosted providers refuse more."""

BATCH_RETRY_S: Final = 3600.0
"""How long an endpoint that refused a batch is asked one call at a time."""

LONGEST_REST_S: Final = 300.0
"""The most that an endpoint is left alone because it said so (429, Retry-After)."""

SINGLES: Final = 4
"""Calls in flight at once when batches are refused."""

DATA_LIMIT: Final = 64 * 1024

DEEPEST: Final = 100

_LESS: Final = "ask less often, or use another endpoint"

_REVERTED: Final = "Reverted "
"""What Nethermind put before a revert's data, with a code of its own (-32015)."""

_SECONDS: Final = re.compile(r"[0-9]{1,7}", re.ASCII)
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(code for code in range(256) if code not in b"[]{}")

_REFUSING_STATUS: Final = frozenset({400, 403, 405, 413, 415, 422, 500, 501})


class Exchange(Protocol):
    """How one JSON document gets to an endpoint and the answer comes back."""

    async def ask(self, payload: bytes, ids: Sequence[int], deadline_s: float) -> Any:  # noqa: ANN401
        """The parsed answer to a request with these ids; raises TransportError."""
        ...

    async def close(self) -> None: ...


class RpcEndpoint:
    """One JSON-RPC endpoint behind `protocols.JsonRpc`; `tally` counts what it is asked."""

    def __init__(self, name: str, exchange: Exchange, tally: Tally | None = None) -> None:
        self.name = name
        self.tally = tally or Tally()
        self._exchange = exchange
        self._next = 1
        self._single_until = 0.0
        self._rests_until = 0.0

    async def batch(self, calls: Sequence[Call], deadline_s: float = 8.0) -> list[Any | RpcError]:
        """See `protocols.JsonRpc`."""
        results: list[Any | RpcError] = []
        ends = time.monotonic() + deadline_s
        for start in range(0, len(calls), BATCH_LIMIT):
            part = calls[start : start + BATCH_LIMIT]
            left = max(0.0, ends - time.monotonic())
            if len(part) > 1 and time.monotonic() >= self._single_until:
                results.extend(await self._batch(part, left))
            else:
                results.extend(await self._singly(part, left))
        return results

    async def close(self) -> None:
        await self._exchange.close()

    async def _batch(self, calls: Sequence[Call], deadline_s: float) -> list[Any | RpcError]:
        ends = time.monotonic() + deadline_s
        ids = self._ids(len(calls))
        payload = dumps([_request(number, call) for number, call in zip(ids, calls, strict=True)])
        try:
            answer = await self._ask(calls, payload, ids, deadline_s)
            refused = not isinstance(answer, list) or _is_refusal(answer, len(calls))
            if refused:
                self._check_refusal(answer[0] if isinstance(answer, list) else answer)
        except HttpError as error:
            if error.status not in _REFUSING_STATUS:
                raise
            refused, answer = True, None
        if not refused:
            return self._match(calls, ids, answer)
        # One call first: an endpoint that refuses everything is not asked everything.
        first = await self._singly(calls[:1], max(0.0, ends - time.monotonic()))
        rest = await self._singly(calls[1:], max(0.0, ends - time.monotonic()))
        self._single_until = time.monotonic() + BATCH_RETRY_S
        return first + rest

    async def _ask(
        self, calls: Sequence[Call], payload: bytes, ids: Sequence[int], deadline_s: float
    ) -> Any:  # noqa: ANN401
        """One request, but none while the endpoint has asked to be left alone."""
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            why = f"not asked: it wants no request for another {math.ceil(rest)} s"
            raise HttpError(self.name, why, _LESS, kind=ProblemKind.RATE_LIMITED, status=429)
        try:
            with self.tally.request(calls):
                return await self._exchange.ask(payload, ids, deadline_s)
        except HttpError as error:
            if error.retry_after_s is not None:
                self._rests_until = time.monotonic() + min(error.retry_after_s, LONGEST_REST_S)
            raise

    def _check_refusal(self, answer: object) -> None:
        """One error object for a whole batch: batches are not taken. All else is an error."""
        if not isinstance(answer, dict) or answer.get("error") is None:
            raise bad_answer(self.name, "the answer to a batch is not a list")
        error = rpc_error(self.name, answer["error"])
        # Providers have one code for too many requests and for too many calls in one.
        if error.kind is ProblemKind.RATE_LIMITED and "batch" not in error.why.lower():
            raise error

    async def _singly(self, calls: Sequence[Call], deadline_s: float) -> list[Any | RpcError]:
        places = asyncio.Semaphore(SINGLES)
        ends = time.monotonic() + deadline_s

        async def one(call: Call) -> Any | RpcError:  # noqa: ANN401
            async with places:
                number = self._ids(1)
                payload, left = dumps(_request(number[0], call)), ends - time.monotonic()
                answer = await self._ask([call], payload, number, max(0.0, left))
                if isinstance(answer, list) and len(answer) == 1:
                    answer = answer[0]
                if isinstance(answer, dict) and answer.get("id") is None and "error" in answer:
                    answer = {**answer, "id": number[0]}
                return self._match([call], number, [answer])[0]

        if len(calls) == 1:
            return [await one(calls[0])]
        tasks = [asyncio.create_task(one(call)) for call in calls]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ids(self, count: int) -> range:
        ids = range(self._next, self._next + count)
        self._next += count
        return ids

    def _match(
        self, calls: Sequence[Call], ids: Sequence[int], answers: Sequence[Any]
    ) -> list[Any | RpcError]:
        """Each call's own answer by its id; the order of answers means nothing."""
        by_id: dict[int, Mapping[str, Any]] = {}
        for answer in answers:
            if isinstance(answer, dict):
                number = answer_id(answer.get("id"))
                if number is not None and number not in by_id:
                    by_id[number] = answer
        return [
            self._result(call, by_id.get(number)) for number, call in zip(ids, calls, strict=True)
        ]

    def _result(self, call: Call, answer: Mapping[str, Any] | None) -> Any | RpcError:  # noqa: ANN401
        what = f"{call.method} of {self.name}"
        if answer is None:
            return bad_answer(what, "the endpoint gave no answer to this call")
        if answer.get("error") is not None:
            return rpc_error(what, answer["error"])
        if "result" not in answer:
            return bad_answer(what, "the answer has neither result nor error")
        return answer["result"]


def _is_refusal(answer: Sequence[Any], calls: int) -> bool:
    """Whether a list refuses the batch: one error for many calls (geth, Nitro), or for each."""
    errors = [item.get("error") for item in answer if isinstance(item, dict)]
    if not errors or None in errors:
        return False
    if len(answer) == 1 < calls:
        return True
    return all("batch" in rpc_error("", error).why.lower() for error in errors)


def _request(number: int, call: Call) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": call.method, "params": list(call.params)}


def answer_id(value: object) -> int | None:
    """The id of an answer as the number that was sent; None when it is none of ours."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # Some gateways give ids back as text.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return None


def rpc_error(what: str, error: object) -> RpcError:
    """The typed error of a JSON-RPC error object."""
    fields = error if isinstance(error, dict) else {"message": error}
    code = fields.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    message = clean(str(fields.get("message") or "error without a message"))
    data = fields.get("data")
    if isinstance(data, dict) and isinstance(data.get("data"), str):
        data = data["data"]
    if isinstance(data, str) and data.startswith(_REVERTED):
        data, code = data.removeprefix(_REVERTED), 3
    revert = data if isinstance(data, str) and data.startswith("0x") else None
    if revert is not None:
        revert = clean(revert[:DATA_LIMIT], DATA_LIMIT)
    kind, remedy = _kind(code, message)
    return RpcError(what, message, remedy, kind=kind, code=code, data=revert)


def _kind(code: int | None, message: str) -> tuple[ProblemKind, str]:
    lowered = message.lower()
    if code in (3, -32015) or "revert" in lowered:
        return ProblemKind.REVERTED, ""
    if code in (-32005, -32029, 429) or "rate limit" in lowered or "too many req" in lowered:
        return ProblemKind.RATE_LIMITED, _LESS
    if code == -32601:
        return ProblemKind.RPC_ERROR, "the endpoint does not offer this method"
    return ProblemKind.RPC_ERROR, "the endpoint's own log may say more"


def bad_answer(what: str, why: str) -> RpcError:
    """The error of an answer that is not what JSON-RPC promises."""
    return RpcError(
        what, why, "is this the URL of a JSON-RPC endpoint?", kind=ProblemKind.BAD_ANSWER
    )


def dumps(value: object) -> bytes:
    """A value as compact JSON."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def loads(raw: bytes, what: str) -> Any:  # noqa: ANN401
    """Strict JSON: no NaN, no infinity, no endless nesting; raises RpcError(BAD_ANSWER)."""
    if is_deep(raw):
        raise bad_answer(what, "the answer is nested without end")
    try:
        return json.loads(raw, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        start = clean(raw[:60], 40)
        if not raw.strip():
            why = "the answer is empty"
        elif raw.lstrip()[:1] == b"<":
            why = f"the answer is HTML, not JSON: {start}"
        else:
            why = f"the answer is not valid JSON: {start}"
        raise bad_answer(what, why) from None


def is_deep(raw: bytes) -> bool:
    """Nested deeper than any sensible answer.

    Not left to the parser: it stops at the interpreter's recursion limit, and libraries raise
    that (py_ecc, which web3.py brings along, to 100,000) beyond what the C stack can take.
    """
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    # Brackets within strings only make it look deeper.
    return _depth(raw) > DEEPEST and _depth(_STRINGS.sub(b"", raw)) > DEEPEST


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for bracket in raw.translate(None, _NO_BRACKETS):
        if bracket == 0x5B or bracket == 0x7B:
            depth += 1
            if depth > deepest:
                deepest = depth
        else:
            depth -= 1
    return deepest


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def quantity(value: object, what: str = "quantity", bits: int = 256) -> int:
    """An Ethereum quantity: `0x` and hexadecimal digits, nothing else; raises BadAnswerError.

    web3.py would read "16" as 22 and null as None; here both are bad answers.
    """
    if (
        isinstance(value, str)
        and value[:2] == "0x"
        and 2 < len(value) <= 2 + bits // 4
        and all(digit in "0123456789abcdefABCDEF" for digit in value[2:])
    ):
        return int(value, 16)
    raise BadAnswerError(what, f"not a quantity: {clean(repr(value), 60)}")


class HttpExchange:
    """JSON-RPC over HTTP POST."""

    def __init__(self, name: str, http: Http) -> None:
        self._name = name
        self._http = http

    async def ask(self, payload: bytes, ids: Sequence[int], deadline_s: float) -> Any:  # noqa: ANN401
        """See `Exchange`."""
        answer = await self._http.request(
            "POST",
            "",
            content=payload,
            headers={"content-type": "application/json"},
            deadline_s=deadline_s,
            limit=ANSWER_LIMIT,
        )
        if answer.status == 200:
            return loads(answer.body, self._name)
        # Error objects also come with other statuses (Nethermind, gateways).
        if answer.body.lstrip()[:1] in (b"{", b"["):
            try:
                parsed = loads(answer.body, self._name)
            except TransportError:
                parsed = None
            if isinstance(parsed, list) or (
                isinstance(parsed, dict) and parsed.get("error") is not None and len(ids) == 1
            ):
                return parsed
        raise _status_error(self._name, answer)

    async def close(self) -> None:
        """The HTTP endpoint belongs to its owner."""


def _status_error(name: str, answer: HttpAnswer) -> HttpError:
    status = answer.status
    said = clean(answer.body[:400], 80)
    why = f"HTTP status {status}" + (f": {said}" if said and not said.startswith("<") else "")
    kind, remedy = ProblemKind.HTTP_STATUS, "is this the URL of a JSON-RPC endpoint?"
    rest: float | None = None
    if status == 429:
        kind, remedy = ProblemKind.RATE_LIMITED, _LESS
        if later := clean(answer.headers.get("retry-after", ""), 40):
            why += f"; it says: retry after {later}{' s' if later.isdigit() else ''}"
            rest = float(later) if _SECONDS.fullmatch(later) else None
    elif status in (401, 403):
        kind, remedy = ProblemKind.FORBIDDEN, "check the key, and geth's --http.vhosts"
    elif status in (502, 503, 504):
        remedy = "a proxy answers, and not the endpoint behind it: does that run?"
    elif 300 <= status < 400 and (where := clean(answer.headers.get("location", ""), 120)):
        why += f": it has moved to {without_secrets(where)}"
        remedy = "correct the URL: lptui follows no redirect"
    return HttpError(name, why, remedy, kind=kind, status=status, retry_after_s=rest)


def without_secrets(url: str) -> str:
    """Scheme, host and port of a URL: providers have keys in the rest."""
    try:
        split = urlsplit(url)
    except ValueError:
        return "another place"
    host = split.netloc.rpartition("@")[2]
    return f"{split.scheme}://{host}/…" if host else "another path"

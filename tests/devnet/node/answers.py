"""Answers in the forms that go-livepeer gives them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.devnet.httpd import Request, Response

TEXT = "text/plain; charset=utf-8"
NOT_FOUND = Response(404, b"404 page not found\n", TEXT)

Route = Callable[[Request], Awaitable[Response]]


def error(status: int, message: str) -> Response:
    """A refusal: text with a line break."""
    return Response(status, f"{message}\n".encode(), TEXT)


def text(value: object) -> Response:
    """A bare value."""
    return Response(200, str(value).encode(), TEXT)


def boolean(value: bool) -> Response:
    """A bare truth value."""
    return text("true" if value else "false")


def json_value(value: Any) -> Response:
    """A document; integers of any size stay bare numbers."""
    encoded = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Response(200, encoded.encode(), "application/json")


def fixed(make: Callable[[], Response]) -> Route:
    """A route that needs neither its request nor to wait."""

    async def route(_: Request) -> Response:
        return make()

    return route
